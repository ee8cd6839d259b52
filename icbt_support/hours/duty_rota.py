"""Who is on duty, and when; what counts is the service's own day, its closed days and who is away."""

from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from icbt_support.cadence import is_working_day, local_day
from icbt_support.db import db
from icbt_support.hours import rules
from icbt_support.hours.closed_days import closed_days
from icbt_support.hours.models import Absence, DutySession
from icbt_support.hours.queries import absences_between
from icbt_support.service.models import Service

DUTY_HORIZON_DAYS = 60


def duty_sessions(service: Service) -> list[DutySession]:
    return list(
        db.session.scalars(
            select(DutySession)
            .where(DutySession.service_id == service.id)
            .order_by(DutySession.weekday, DutySession.starts, DutySession.position, DutySession.id)
        )
    )


def duty_count(service: Service) -> int:
    """How many duty sessions the service has set, for what is missing before it can invite."""
    return db.session.scalar(select(func.count()).where(DutySession.service_id == service.id)) or 0


def duty_now(service: Service, now: datetime) -> list[DutySession]:
    """The sessions that run now, first to be told first; absent clinicians left out, none on a closed day."""
    today = local_day(now, service.zone)
    yesterday = today - timedelta(days=1)
    sessions = duty_sessions(service)
    closed = closed_days(service, yesterday, today)
    away = _days_away(sessions, yesterday, today)
    running = [
        session
        for session in sessions
        for on in (yesterday, today)
        if on.weekday() == session.weekday
        and on not in closed
        and rules.is_in_windows(now, [rules.window_of(_block(session), on, service.zone)])
        and not rules.is_away(session.clinician_id, on, away)
    ]
    return sorted(running, key=lambda session: (session.position, session.starts, session.id))


def is_duty_time(service: Service, now: datetime) -> bool:
    """Whether somebody is on duty now."""
    return bool(duty_now(service, now))


def next_duty_start(service: Service, now: datetime) -> datetime | None:
    """When somebody will next come on duty; None when nobody will in the next 60 days."""
    return rules.next_window_start(now, _windows(service, now))


def add_duty_minutes(service: Service, start: datetime, minutes: int) -> datetime | None:
    """The instant by which somebody has been on duty for `minutes` since `start`; None if nobody will be."""
    return rules.add_minutes_in_windows(start, minutes, _windows(service, start))


def is_nobody_on_duty_today(service: Service, now: datetime) -> bool:
    """Whether today is a working day without anybody on duty."""
    today = local_day(now, service.zone)
    away = select(Absence.account_id).where(
        Absence.withdrawn_at.is_(None), Absence.from_on <= today, Absence.until_on >= today
    )
    on_duty = select(DutySession.id).where(
        DutySession.service_id == service.id,
        DutySession.weekday == today.weekday(),
        DutySession.clinician_id.not_in(away),
    )
    if db.session.scalar(on_duty.limit(1)) is not None:
        return False
    return is_working_day(today, closed_days(service, today, today))


def duty_gaps(service: Service, from_on: date, until_on: date) -> list[date]:
    """Working days on which nobody is on duty."""
    sessions = duty_sessions(service)
    gaps = rules.days_without_duty(
        _duty_blocks(sessions),
        from_on=from_on,
        until_on=until_on,
        closed_days=(),
        days_away=_days_away(sessions, from_on, until_on),
    )
    closed = closed_days(service, from_on, until_on) if gaps else frozenset()
    return [day for day in gaps if day not in closed]


def _windows(service: Service, around: datetime) -> list[rules.DutyWindow]:
    from_on = local_day(around, service.zone) - timedelta(days=1)
    until_on = from_on + timedelta(days=DUTY_HORIZON_DAYS)
    sessions = duty_sessions(service)
    return rules.duty_windows(
        _duty_blocks(sessions),
        from_on=from_on,
        until_on=until_on,
        zone=service.zone,
        closed_days=closed_days(service, from_on, until_on),
        days_away=_days_away(sessions, from_on, until_on),
    )


def _block(session: DutySession) -> rules.WeeklyBlock:
    return rules.WeeklyBlock(session.weekday, session.starts, session.ends)


def _duty_blocks(sessions: list[DutySession]) -> list[rules.DutyBlock]:
    return [rules.DutyBlock(_block(session), session.clinician_id) for session in sessions]


def _days_away(sessions: list[DutySession], from_on: date, until_on: date) -> list[rules.DaysAway]:
    absences = absences_between({session.clinician_id for session in sessions}, from_on, until_on)
    return [rules.DaysAway(absence.account_id, absence.from_on, absence.until_on) for absence in absences]
