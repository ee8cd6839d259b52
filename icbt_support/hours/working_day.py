"""What *Today* needs of working time, in one statement: duty, one's own slots today, and whom one covers until when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Row,
    Select,
    String,
    Time,
    and_,
    case,
    cast,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from icbt_support.accounts.models import Account
from icbt_support.cadence import local_day, to_utc
from icbt_support.db import db
from icbt_support.hours import rules
from icbt_support.hours.closed_days import bank_holidays
from icbt_support.hours.duty_rota import DUTY_HORIZON_DAYS
from icbt_support.hours.models import Absence, DutySession, ReviewSlot, ServiceClosure
from icbt_support.service.models import Service

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class OwnSlot:
    """One protected slot of today, as instants."""

    starts_at: datetime
    ends_at: datetime

    def minutes_after(self, now: datetime) -> int:
        """How much of it is still to come."""
        return max(0, int((self.ends_at - max(now, self.starts_at)).total_seconds()) // 60)

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds()) // 60


@dataclass(frozen=True)
class DutyNow:
    """The clinician on duty, until what wall time; or when somebody comes on duty next."""

    clinician: str
    until: time | None
    next_start: datetime | None


@dataclass(frozen=True)
class WorkingDay:
    """`covers` is the last day of cover, by the account of the colleague who is away."""

    duty: DutyNow
    slots: tuple[OwnSlot, ...]
    covers: Mapping[int, date]

    @property
    def slot_minutes(self) -> int:
        return sum(slot.minutes for slot in self.slots)

    def slot_minutes_left(self, now: datetime) -> int:
        return sum(slot.minutes_after(now) for slot in self.slots)


def load_working_day(account: Account, service: Service, *, now: datetime) -> WorkingDay:
    """Duty of `service` as `duty_now` and `next_duty_start` tell it, and the account's own day and cover.

    Days are those of the service for duty and cover, those of the account for its slots.
    """
    today = local_day(now, service.zone)
    from_on, until_on = today - ONE_DAY, today + timedelta(days=DUTY_HORIZON_DAYS)
    rows = db.session.execute(_rows(account, service, today, from_on, until_on)).all()
    absences = [row for row in rows if row.what == "absence"]
    away = [rules.DaysAway(row.account_id, row.from_on, row.until_on) for row in absences]
    closed = frozenset(row.from_on for row in rows if row.what == "closure") | {
        on for year in range(from_on.year, until_on.year + 1) for on in bank_holidays(service, year)
    }
    sessions = [row for row in rows if row.what == "duty"]
    slots = [row for row in rows if row.what == "slot"]
    return WorkingDay(
        duty=_duty(sessions, away, closed, service, now),
        slots=_slots_today(slots, away, closed, account, now),
        covers={
            row.account_id: row.until_on
            for row in absences
            if row.number and row.from_on <= today <= row.until_on
        },
    )


def covered_now(account_id: int, services: Select[int], *, now: datetime) -> set[tuple[int, int, bool]]:
    """(colleague, service, by name) of everybody away now whom this person covers, by name or as one of the pool.

    Each service has its own day, so the read takes in the days around it. The pool steps in for a named person who
    is away too, on that same day.
    """
    first_on, last_on = now.date() - ONE_DAY, now.date() + ONE_DAY
    away_too = aliased(Absence)
    is_cover_away = and_(
        away_too.account_id == Absence.cover_id,
        away_too.withdrawn_at.is_(None),
        away_too.from_on <= last_on,
        away_too.until_on >= first_on,
    )
    rows = db.session.execute(
        select(
            Absence.account_id,
            Absence.service_id,
            Absence.cover_id,
            Absence.from_on,
            Absence.until_on,
            Service.zone,
            away_too.from_on.label("cover_from_on"),
            away_too.until_on.label("cover_until_on"),
        )
        .join(Service, Service.id == Absence.service_id)
        .outerjoin(away_too, is_cover_away)
        .where(
            Absence.service_id.in_(services),
            Absence.account_id != account_id,
            Absence.withdrawn_at.is_(None),
            Absence.from_on <= last_on,
            Absence.until_on >= first_on,
            or_(Absence.cover_id == account_id, Absence.cover_id.is_(None), away_too.id.is_not(None)),
        )
    )
    return {
        (row.account_id, row.service_id, row.cover_id == account_id)
        for row in rows
        if _is_covered_on(row, account_id, local_day(now, row.zone))
    }


def _is_covered_on(row: Row, account_id: int, on: date) -> bool:
    if not row.from_on <= on <= row.until_on:
        return False
    if row.cover_id in (account_id, None):
        return True
    return row.cover_from_on is not None and row.cover_from_on <= on <= row.cover_until_on


def _is_cover_away(on: date) -> ColumnElement[bool]:
    """The pool steps in for a named person who is away too on the service's own day."""
    away_too = aliased(Absence)
    return (
        select(away_too.id)
        .where(
            away_too.account_id == Absence.cover_id,
            away_too.withdrawn_at.is_(None),
            away_too.from_on <= on,
            away_too.until_on >= on,
        )
        .exists()
    )


def _rows(account: Account, service: Service, today: date, from_on: date, until_on: date) -> Select[tuple]:
    """Four small reads as one; `number` is a weekday, and 1 for an absence that the account covers."""
    no_number, no_day, no_time = cast(null(), Integer), cast(null(), Date), cast(null(), Time)
    no_text = cast(null(), String)
    duty = (
        select(
            literal("duty").label("what"),
            DutySession.clinician_id.label("account_id"),
            DutySession.weekday.label("number"),
            DutySession.position.label("position"),
            DutySession.starts.label("starts"),
            DutySession.ends.label("ends"),
            no_day.label("from_on"),
            no_day.label("until_on"),
            Account.full_name.label("name"),
        )
        .join(Account, Account.id == DutySession.clinician_id)
        .where(DutySession.service_id == service.id)
    )
    slots = select(
        literal("slot"),
        ReviewSlot.supporter_id,
        ReviewSlot.weekday,
        no_number,
        ReviewSlot.starts,
        ReviewSlot.ends,
        no_day,
        no_day,
        no_text,
    ).where(ReviewSlot.supporter_id == account.id, ReviewSlot.ended_at.is_(None))
    is_covered = and_(
        Absence.service_id == service.id,
        Absence.account_id != account.id,
        or_(Absence.cover_id == account.id, Absence.cover_id.is_(None), _is_cover_away(today)),
    )
    on_duty = select(DutySession.clinician_id).where(DutySession.service_id == service.id)
    absences = select(
        literal("absence"),
        Absence.account_id,
        case((is_covered, 1), else_=0),
        no_number,
        no_time,
        no_time,
        Absence.from_on,
        Absence.until_on,
        no_text,
    ).where(
        Absence.withdrawn_at.is_(None),
        Absence.from_on <= until_on,
        Absence.until_on >= from_on,
        or_(Absence.account_id == account.id, Absence.account_id.in_(on_duty), is_covered),
    )
    closures = select(
        literal("closure"),
        no_number,
        no_number,
        no_number,
        no_time,
        no_time,
        ServiceClosure.closed_on,
        no_day,
        no_text,
    ).where(ServiceClosure.service_id == service.id, ServiceClosure.closed_on.between(from_on, until_on))
    return select(union_all(duty, slots, absences, closures).subquery())


def _duty(
    sessions: Sequence[Row],
    away: Sequence[rules.DaysAway],
    closed: frozenset[date],
    service: Service,
    now: datetime,
) -> DutyNow:
    today = local_day(now, service.zone)
    running = [
        row
        for row in sessions
        for on in (today - ONE_DAY, today)
        if on.weekday() == row.number
        and on not in closed
        and rules.is_in_windows(now, [rules.window_of(_block(row), on, service.zone)])
        and not rules.is_away(row.account_id, on, away)
    ]
    if running:
        first = min(running, key=lambda row: (row.position, row.starts))
        return DutyNow(first.name, first.ends, None)
    windows = rules.duty_windows(
        [rules.DutyBlock(_block(row), row.account_id) for row in sessions],
        from_on=today - ONE_DAY,
        until_on=today + timedelta(days=DUTY_HORIZON_DAYS),
        zone=service.zone,
        closed_days=closed,
        days_away=away,
    )
    return DutyNow("", None, rules.next_window_start(now, windows))


def _block(row: Row) -> rules.WeeklyBlock:
    return rules.WeeklyBlock(row.number, row.starts, row.ends)


def _slots_today(
    slots: Sequence[Row],
    away: Sequence[rules.DaysAway],
    closed: frozenset[date],
    account: Account,
    now: datetime,
) -> tuple[OwnSlot, ...]:
    today = local_day(now, account.zone)
    if today in closed or rules.is_away(account.id, today, away):
        return ()
    blocks = sorted((row.starts, row.ends) for row in slots if row.number == today.weekday())
    return tuple(
        OwnSlot(to_utc(today, starts, account.zone), to_utc(today, ends, account.zone))
        for starts, ends in blocks
    )
