"""Telling staff of an alert: a notice in the app at once, an email with initials only, and the clock after
it.

In duty hours an email goes at once. Outside them nobody is emailed unless the service has a staffed contact:
the email waits for the next duty. A service without any duty hours tells every clinician at once, and again
every hour.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import find_account_by_email, staff_with_role
from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.hours import duty_rota
from icbt_support.hours import queries as hours
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import Channel, ReminderKind
from icbt_support.risk import rules
from icbt_support.risk.models import AlertNotice, NoticeReason, RiskAlert
from icbt_support.risk.queries import told_accounts
from icbt_support.service.models import Service


@dataclass(frozen=True)
class Duty:
    """Who can be told now, and when an email may go to them."""

    is_running: bool
    on_duty: tuple[int, ...]
    clinicians: tuple[int, ...]
    next_start: datetime | None
    mail_at: datetime


def duty_at(service: Service, now: datetime) -> Duty:
    """Duty now; outside duty hours the people of the next duty. Only clinicians who can sign in count."""
    clinicians = tuple(account.id for account in staff_with_role(service.id, Role.CLINICIAN))
    running = duty_rota.duty_now(service, now)
    next_start = None if running else duty_rota.next_duty_start(service, now)
    sessions = running or (duty_rota.duty_now(service, next_start) if next_start else [])
    on_duty = tuple(
        dict.fromkeys(session.clinician_id for session in sessions if session.clinician_id in clinicians)
    )
    may_mail_now = bool(running) or next_start is None or bool(service.out_of_hours_contact.strip())
    return Duty(bool(running), on_duty, clinicians, next_start, now if may_mail_now else next_start or now)


def tell_first(alert: RiskAlert, *, by: Actor, now: datetime) -> None:
    """Tells the supporter, whoever covers for them, and the first person on duty, and starts the clock."""
    service = alert.enrolment.service
    duty = duty_at(service, now)
    recipients: dict[int, NoticeReason] = {}
    if duty.on_duty:
        recipients[duty.on_duty[0]] = NoticeReason.DUTY
    else:
        recipients |= dict.fromkeys(duty.clinicians, NoticeReason.NOBODY_ON_DUTY)
        _tell_administrators(alert, now)
    for account_id in _supporters_of(alert, now):
        recipients.setdefault(account_id, NoticeReason.SUPPORTER)
    if not duty.is_running:
        recipients |= {
            account_id: NoticeReason.DUTY
            for account_id in _staffed_contact(service)
            if account_id not in recipients
        }
    if len(recipients) > 1 and by.account_id is not None:
        recipients.pop(by.account_id, None)
    _tell(alert, recipients, mail_at=duty.mail_at, now=now)
    alert.escalates_at = _next_turn(alert, service, now)


def tell_next(alert: RiskAlert, *, by: Actor, now: datetime) -> bool:
    """Goes to the next person, and sets the next turn.

    Between duties the clock stands still: then nobody is told.
    """
    service = alert.enrolment.service
    duty = duty_at(service, now)
    if not duty.is_running and duty.next_start is not None:
        alert.escalates_at = duty.next_start
        return False
    alert.escalation += 1
    told = rules.next_to_tell(duty.on_duty, duty.clinicians, told_accounts(alert.id))
    reason = NoticeReason.ESCALATION if duty.on_duty else NoticeReason.NOBODY_ON_DUTY
    if not duty.on_duty:
        _tell_administrators(alert, now)
    _tell(alert, dict.fromkeys(told, reason), mail_at=duty.mail_at, now=now)
    alert.escalates_at = _next_turn(alert, service, now)
    record(
        "risk_alert_escalated",
        by=by,
        now=now,
        object_kind="risk_alert",
        object_id=alert.id,
        enrolment_id=alert.enrolment_id,
        service_id=alert.service_id,
        detail=f"turn {alert.escalation}, {len(told)} told",
    )
    return True


def tell_new_supporter(alert: RiskAlert, account_id: int, *, now: datetime) -> None:
    """The person who takes a patient over is told of an alert that is still open."""
    alert.escalation += 1
    duty = duty_at(alert.enrolment.service, now)
    _tell(alert, {account_id: NoticeReason.SUPPORTER}, mail_at=duty.mail_at, now=now)


def _supporters_of(alert: RiskAlert, now: datetime) -> Iterable[int]:
    """The supporter and, while they are away, the person named as cover (a pool sees it in the app)."""
    enrolment = alert.enrolment
    yield enrolment.supporter_id
    absence = hours.is_absent(enrolment.supporter_id, local_day(now, enrolment.service.zone))
    if absence is not None and absence.cover_id is not None:
        yield absence.cover_id


def _staffed_contact(service: Service) -> Iterable[int]:
    """The account behind the service's staffed contact, where it is one."""
    contact = find_account_by_email(service.out_of_hours_contact) if service.out_of_hours_contact else None
    if contact is not None and _is_clinician_of(contact, service):
        yield contact.id


def _is_clinician_of(account: Account, service: Service) -> bool:
    return account.id in {clinician.id for clinician in staff_with_role(service.id, Role.CLINICIAN)}


def _tell(alert: RiskAlert, recipients: dict[int, NoticeReason], *, mail_at: datetime, now: datetime) -> None:
    for account_id, reason in recipients.items():
        db.session.add(
            AlertNotice(
                alert_id=alert.id,
                account_id=account_id,
                reason=reason,
                escalation=alert.escalation,
                noticed_at=now,
            )
        )
        for channel, due_at in ((Channel.INBOX, now), (Channel.EMAIL, mail_at)):
            owe_reminder(
                key=f"risk:{alert.id}:{account_id}:{alert.escalation}",
                kind=ReminderKind.RISK_ALERT,
                recipient_id=account_id,
                service_id=alert.service_id,
                subject=f"alert:{alert.id}",
                context=f"enrolment:{alert.enrolment_id}",
                due_at=due_at,
                now=now,
                channels=(channel,),
            )
    db.session.flush()
    db.session.expire(alert, ["notices"])


def _tell_administrators(alert: RiskAlert, now: datetime) -> None:
    """Once a day, without a word about the alert: somebody has to be put on duty."""
    service = alert.enrolment.service
    for administrator in staff_with_role(service.id, Role.ADMINISTRATOR):
        owe_reminder(
            key=f"nobody-on-duty:{service.id}:{local_day(now, service.zone).isoformat()}:{administrator.id}",
            kind=ReminderKind.NOBODY_ON_DUTY,
            recipient_id=administrator.id,
            service_id=service.id,
            subject=f"service:{service.id}",
            context=f"service:{service.id}",
            due_at=now,
            now=now,
        )


def _next_turn(alert: RiskAlert, service: Service, now: datetime) -> datetime:
    minutes = rules.minutes_to_acknowledge(alert.grade, service.rhythm)
    if minutes is None:
        raise ValueError("A known alert has no clock.")
    return duty_rota.add_duty_minutes(service, now, minutes) or now + rules.NO_DUTY_RETRY
