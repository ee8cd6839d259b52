"""Reads about alerts, always by service, by course or by scope.

And duty as a patient or a staff member sees it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import names_of, staff_with_role
from icbt_support.cadence import local_day, to_local, to_utc
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import for_supporter, is_about_others
from icbt_support.hours import duty_rota
from icbt_support.hours import queries as hours
from icbt_support.hours.closed_days import closed_days
from icbt_support.hours.models import DutySession
from icbt_support.hours.rules import DaysAway, WeeklyBlock, duty_windows
from icbt_support.read_once import read_once
from icbt_support.risk.models import AlertNotice, CallLog, Grade, ReadFirst, RiskAlert, RiskAssessment
from icbt_support.risk.response_times import AlertInstants, ResponseTimes, response_times
from icbt_support.risk.rota import RotaBlock, RotaDay, rota_days
from icbt_support.risk.rules import DutyView
from icbt_support.service.models import Service

LOOK_BACK = timedelta(weeks=12)
_GRADE_ORDER = case({Grade.URGENT: 0, Grade.SAME_DAY: 1, Grade.KNOWN: 2}, value=RiskAlert.grade)


@dataclass(frozen=True)
class StaffBanner:
    """A red line above every page of staff; its words hold nothing clinical."""

    words: str
    href: str
    link_words: str


def open_alerts(service_ids: Collection[int], *, reader_id: int | None = None) -> list[RiskAlert]:
    """Unresolved alerts of these services: untaken first, by grade, oldest first; with people and notices."""
    return list(
        db.session.scalars(
            _with_people()
            .where(
                RiskAlert.service_id.in_(service_ids),
                RiskAlert.resolved_at.is_(None),
                is_about_others(RiskAlert.enrolment_id, reader_id),
            )
            .order_by(RiskAlert.acknowledged_at.is_not(None), _GRADE_ORDER, RiskAlert.raised_at, RiskAlert.id)
        )
    )


def resolved_alerts(
    service_ids: Collection[int], *, limit: int = 20, offset: int = 0, reader_id: int | None = None
) -> list[RiskAlert]:
    """The alerts that were resolved last, from the `offset`th on."""
    return list(
        db.session.scalars(
            _with_people()
            .where(
                RiskAlert.service_id.in_(service_ids),
                RiskAlert.resolved_at.is_not(None),
                is_about_others(RiskAlert.enrolment_id, reader_id),
            )
            .order_by(RiskAlert.resolved_at.desc(), RiskAlert.id.desc())
            .limit(limit)
            .offset(offset)
        )
    )


def resolved_alert_count(service_ids: Collection[int], *, reader_id: int | None = None) -> int:
    return (
        db.session.scalar(
            select(func.count()).where(
                RiskAlert.service_id.in_(service_ids),
                RiskAlert.resolved_at.is_not(None),
                is_about_others(RiskAlert.enrolment_id, reader_id),
            )
        )
        or 0
    )


def alert_instants(service: Service, since: datetime) -> list[AlertInstants]:
    """When each alert raised since then was raised, taken and resolved."""
    rows = db.session.execute(
        select(RiskAlert.grade, RiskAlert.raised_at, RiskAlert.acknowledged_at, RiskAlert.resolved_at).where(
            RiskAlert.service_id == service.id, RiskAlert.raised_at >= since
        )
    )
    return [AlertInstants(*row) for row in rows]


def open_alert_count(service_ids: Collection[int], *, reader_id: int | None = None) -> int:
    """How many urgent and same-day alerts are not resolved."""
    return _alert_counts(tuple(service_ids), reader_id)[0]


def untaken_alert_count(service_ids: Collection[int], *, reader_id: int | None = None) -> int:
    """How many urgent and same-day alerts no person has acknowledged yet."""
    return _alert_counts(tuple(service_ids), reader_id)[1]


@read_once
def _alert_counts(service_ids: Collection[int], reader_id: int | None) -> tuple[int, int]:
    """Not resolved, and not acknowledged by anybody."""
    is_open, is_untaken = RiskAlert.resolved_at.is_(None), RiskAlert.acknowledged_at.is_(None)
    row = db.session.execute(
        select(func.sum(case((is_open, 1), else_=0)), func.sum(case((is_untaken, 1), else_=0))).where(
            RiskAlert.grade != Grade.KNOWN,
            RiskAlert.service_id.in_(service_ids),
            or_(is_open, is_untaken),
            is_about_others(RiskAlert.enrolment_id, reader_id),
        )
    ).one()
    return row[0] or 0, row[1] or 0


def _count(*conditions: object) -> int:
    statement = select(func.count()).select_from(RiskAlert).where(RiskAlert.grade != Grade.KNOWN, *conditions)  # type: ignore[arg-type]
    return db.session.scalar(statement) or 0


def alerts_of(enrolment: Enrolment) -> list[RiskAlert]:
    """Every alert of one course, newest first."""
    return list(
        db.session.scalars(
            _with_people()
            .where(RiskAlert.enrolment_id == enrolment.id)
            .order_by(RiskAlert.raised_at.desc(), RiskAlert.id.desc())
        )
    )


def open_alerts_by_enrolment(enrolment_ids: Collection[int]) -> dict[int, list[RiskAlert]]:
    """Unresolved alerts of many courses in one read, highest grade first."""
    found: dict[int, list[RiskAlert]] = {}
    for alert in db.session.scalars(
        _with_people()
        .where(RiskAlert.enrolment_id.in_(enrolment_ids), RiskAlert.resolved_at.is_(None))
        .order_by(_GRADE_ORDER, RiskAlert.raised_at, RiskAlert.id)
    ):
        found.setdefault(alert.enrolment_id, []).append(alert)
    return found


def alert_of(enrolment: Enrolment, alert_id: int) -> RiskAlert | None:
    """One alert of one's own course."""
    return db.session.scalars(
        select(RiskAlert).where(RiskAlert.id == alert_id, RiskAlert.enrolment_id == enrolment.id)
    ).one_or_none()


def alert_by_key(enrolment_id: int, source: str, source_key: str) -> RiskAlert | None:
    return db.session.scalars(
        select(RiskAlert).where(
            RiskAlert.enrolment_id == enrolment_id,
            RiskAlert.source == source,
            RiskAlert.source_key == source_key,
        )
    ).one_or_none()


def scoped_alert(scope: Select[Enrolment], alert_id: int) -> RiskAlert | None:
    """One alert whose course lies in the scope."""
    return db.session.scalars(
        _with_people().where(
            RiskAlert.id == alert_id,
            RiskAlert.enrolment_id.in_(scope.order_by(None).with_only_columns(Enrolment.id)),
        )
    ).one_or_none()


def unacknowledged(alert_ids: Iterable[int]) -> set[int]:
    """Which of these alerts still wait for a person: asked when a notice is about to be sent."""
    return set(
        db.session.scalars(
            select(RiskAlert.id).where(RiskAlert.id.in_(list(alert_ids)), RiskAlert.acknowledged_at.is_(None))
        )
    )


def told_accounts(alert_id: int) -> list[int]:
    return list(
        db.session.scalars(
            select(AlertNotice.account_id).where(AlertNotice.alert_id == alert_id).order_by(AlertNotice.id)
        )
    )


def latest_assessment(enrolment_id: int) -> RiskAssessment | None:
    return db.session.scalars(
        select(RiskAssessment)
        .where(RiskAssessment.enrolment_id == enrolment_id)
        .order_by(RiskAssessment.assessed_at.desc(), RiskAssessment.id.desc())
        .limit(1)
    ).first()


def assessments_of(enrolment: Enrolment) -> list[RiskAssessment]:
    return list(
        db.session.scalars(
            select(RiskAssessment)
            .options(joinedload(RiskAssessment.assessor))
            .where(RiskAssessment.enrolment_id == enrolment.id)
            .order_by(RiskAssessment.assessed_at.desc(), RiskAssessment.id.desc())
        )
    )


def calls_of(enrolment: Enrolment) -> list[CallLog]:
    """Calls to one person, newest first."""
    return list(
        db.session.scalars(
            select(CallLog)
            .options(joinedload(CallLog.caller))
            .where(CallLog.enrolment_id == enrolment.id)
            .order_by(CallLog.called_at.desc(), CallLog.id.desc())
        )
    )


def read_first_marks(enrolment_ids: Collection[int]) -> dict[int, list[ReadFirst]]:
    """Shared texts to be read before anything else, by course, oldest first."""
    found: dict[int, list[ReadFirst]] = {}
    for mark in db.session.scalars(
        select(ReadFirst)
        .where(ReadFirst.enrolment_id.in_(enrolment_ids), ReadFirst.read_at.is_(None))
        .order_by(ReadFirst.marked_at, ReadFirst.id)
    ):
        found.setdefault(mark.enrolment_id, []).append(mark)
    return found


def _with_people() -> Select[RiskAlert]:
    return (
        select(RiskAlert)
        .join(RiskAlert.enrolment)
        .options(
            contains_eager(RiskAlert.enrolment).options(
                joinedload(Enrolment.patient), joinedload(Enrolment.supporter), joinedload(Enrolment.service)
            ),
            joinedload(RiskAlert.acknowledger),
            joinedload(RiskAlert.resolver),
            selectinload(RiskAlert.notices).joinedload(AlertNotice.account),
        )
    )


# Duty, as people see it -------------------------------------------------------------------------------------


def duty_view(service: Service, now: datetime, zone: str) -> DutyView:
    """Who is on duty now or next, in the reader's zone; nobody by name who cannot be told (`notices.duty_at`)."""
    running = duty_rota.duty_now(service, now)
    starts_at = duty_rota.next_duty_start(service, now)
    first = running or (duty_rota.duty_now(service, starts_at) if starts_at else [])
    clinicians = {account.id: account for account in staff_with_role(service.id, Role.CLINICIAN)}
    on_duty = [clinicians[one.clinician_id] for one in first if one.clinician_id in clinicians]
    clinician = on_duty[0] if on_duty else None
    ends_at = _ends_at(running[0], service, now) if running else None
    return DutyView(
        now=to_local(now, zone),
        is_duty_time=bool(running),
        clinician=clinician.full_name if clinician else None,
        until=to_local(ends_at, zone) if ends_at else None,
        next_start=to_local(starts_at, zone) if starts_at else None,
    )


def _ends_at(session: DutySession, service: Service, now: datetime) -> datetime:
    """When a running session ends; one that crosses midnight ends on the next day."""
    local = to_local(now, service.zone)
    ends_today = local.time() < session.ends
    on = local.date() if ends_today else local.date() + timedelta(days=1)
    return to_utc(on, session.ends, service.zone)


@dataclass(frozen=True)
class DutyBoard:
    """The rota from a Monday to the Sunday of the week after, and how long alerts waited since `since_on`."""

    days: tuple[RotaDay, ...]
    times: tuple[ResponseTimes, ...]
    since_on: date
    names: Mapping[int, str]


def duty_board(service: Service, now: datetime) -> DutyBoard:
    """Past minutes of duty are counted by the rota as it stands now, with the absences and closed days of then."""
    today = local_day(now, service.zone)
    monday = today - timedelta(days=today.weekday())
    since_on, until_on = today - LOOK_BACK, monday + timedelta(days=13)
    blocks = [_rota_block(session) for session in duty_rota.duty_sessions(service)]
    people = {block.clinician_id for block in blocks}
    closed = closed_days(service, since_on, until_on)
    away = [
        DaysAway(absence.account_id, absence.from_on, absence.until_on)
        for absence in hours.absences_between(people, since_on, until_on)
    ]
    windows = duty_windows(
        blocks, from_on=since_on, until_on=today, zone=service.zone, closed_days=closed, days_away=away
    )
    days = rota_days(
        blocks, from_on=monday, until_on=until_on, zone=service.zone, closed_days=closed, days_away=away
    )
    alerts = alert_instants(service, to_utc(since_on, time(0), service.zone))
    return DutyBoard(tuple(days), tuple(response_times(alerts, windows)), since_on, names_of(people))


def _rota_block(session: DutySession) -> RotaBlock:
    block = WeeklyBlock(session.weekday, session.starts, session.ends)
    return RotaBlock(block, session.clinician_id, session.position)


def risk_banner_for(
    account: Account, roles: Collection[Role], service_id: int, now: datetime
) -> StaffBanner | None:
    """The line above every page of this staff member: alerts that wait, or nobody on duty today."""
    if Role.SUPPORTER in roles and Role.CLINICIAN not in roles:
        return _supporters_banner(account, now)
    nobody = duty_rota.is_nobody_on_duty_today(db.session.get_one(Service, service_id), now)
    if Role.CLINICIAN in roles:
        return _clinicians_banner(untaken_alert_count([service_id], reader_id=account.id), nobody)
    if Role.ADMINISTRATOR in roles and nobody:
        return StaffBanner("Nobody is on duty today.", "/admin/duty", "Set who is on duty")
    return None


def _clinicians_banner(waiting: int, is_nobody_on_duty: bool) -> StaffBanner | None:
    if not waiting and not is_nobody_on_duty:
        return None
    sentences = ["Nobody is on duty today."] if is_nobody_on_duty else []
    if waiting:
        sentences.append(f"{_alerts(waiting)} for someone to take {'it' if waiting == 1 else 'them'}.")
    return StaffBanner(" ".join(sentences), "/clinical/risk", "Open the alerts")


def _supporters_banner(account: Account, now: datetime) -> StaffBanner | None:
    mine = for_supporter(account, now=now).order_by(None).with_only_columns(Enrolment.id)
    waiting = _count(RiskAlert.enrolment_id.in_(mine), RiskAlert.acknowledged_at.is_(None))
    if not waiting:
        return None
    return StaffBanner(f"{_alerts(waiting)} in your caseload.", "/supporting/today", "Open Today")


def _alerts(count: int) -> str:
    return "1 alert waits" if count == 1 else f"{count} alerts wait"
