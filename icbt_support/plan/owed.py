"""Which reminders a week owes: pure. Due times are wall time in the patient's zone, moved out of quiet hours.

The key of an item's reminder names its day, so that an item moved after its reminder went out gets a new one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from icbt_support.accounts.models import PromptLevel, SessionEmail
from icbt_support.cadence import end_of_quiet, to_utc
from icbt_support.plan.models import ItemKind
from icbt_support.plan.rules import is_session_emailed
from icbt_support.reminders.rules import ReminderKind, WallTime

AGREED_STEP_TIME = time(9)
NUDGE_AFTER_DAYS = 2
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class PromptWishes:
    """What a patient chose about prompts (`accounts.ContactPreferences`), and their zone."""

    zone: str
    prompts: PromptLevel = PromptLevel.ALL
    session_email: SessionEmail = SessionEmail.EVERY
    session_lead_minutes: int = 30
    check_in_time: time = time(18)
    quiet_from: time = time(21)
    quiet_until: time = time(8)


@dataclass(frozen=True)
class WeekItem:
    """An item of a week with what a reminder needs of it; `item_id` is the row's (or stands for it in a
    proposal).
    """

    item_id: int
    kind: ItemKind
    planned_on: date
    planned_time: time | None
    is_planned: bool = True


@dataclass(frozen=True)
class OwedReminder:
    """One reminder of a week. `wall` is as planned; `due_at` has been moved out of quiet hours."""

    key: str
    kind: ReminderKind
    subject: str
    wall: WallTime
    due_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class WeekToRemind:
    """A week as the reminders see it; `items` hold settled ones too, so that the first session stays the
    first.
    """

    enrolment_id: int
    number: int
    opened_on: date
    promised_at: datetime
    items: Sequence[WeekItem]
    is_anything_done: bool = False

    @property
    def sessions(self) -> list[WeekItem]:
        return sorted(
            (item for item in self.items if item.kind is ItemKind.SESSION),
            key=lambda item: (item.planned_on, item.planned_time or time.max, item.item_id),
        )


def reminders_of_week(
    week: WeekToRemind, wishes: PromptWishes, *, now: datetime, already_owed: Collection[str] = ()
) -> tuple[OwedReminder, ...]:
    """The prompts that a week owes from `now` on, as they fall due; none to a person who switched prompts
    off.

    One whose key is `already_owed` stays owed until it expires, even if its moment has just passed.

    A session: the chosen minutes before. The agreed step: 9am on the day by which it was agreed. The
    check-in: when it is asked. A nudge: two days after the opening, if something was planned before then and
    nothing is done.
    """
    if wishes.prompts is PromptLevel.OFF:
        return ()
    found = [
        *_session_reminders(week, wishes),
        *_agreed_step_reminders(week, wishes),
        *_check_in_reminders(week, wishes),
        *_nudges(week, wishes),
    ]
    moved = [_outside_quiet_hours(reminder, wishes) for reminder in found]
    kept = [
        one
        for one in moved
        if one.due_at < one.expires_at
        and (now < one.due_at or (one.key in already_owed and now < one.expires_at))
    ]
    return tuple(sorted(kept, key=lambda one: (one.due_at, one.key)))


def emailed_sessions(week: WeekToRemind, wishes: PromptWishes) -> set[int]:
    """The ids of the sessions about which an email is to come, by the person's choice of first, every or
    none.
    """
    if wishes.prompts is PromptLevel.OFF:
        return set()
    return {
        item.item_id
        for number, item in enumerate(week.sessions)
        if is_session_emailed(number, wishes.session_email)
    }


def _session_reminders(week: WeekToRemind, wishes: PromptWishes) -> list[OwedReminder]:
    emailed = emailed_sessions(week, wishes)
    reminders = []
    for item in week.sessions:
        if item.item_id not in emailed or not item.is_planned or item.planned_time is None:
            continue
        before = datetime.combine(item.planned_on, item.planned_time) - timedelta(
            minutes=wishes.session_lead_minutes
        )
        reminders.append(
            _reminder(
                f"session:{week.enrolment_id}:{week.number}:{item.item_id}:{item.planned_on}",
                ReminderKind.SESSION,
                f"plan_item:{item.item_id}",
                WallTime(before.date(), before.time(), wishes.zone),
                expires_at=_end_of_day(item.planned_on, wishes.zone),
            )
        )
    return reminders


def _agreed_step_reminders(week: WeekToRemind, wishes: PromptWishes) -> list[OwedReminder]:
    reminders = []
    for item in week.items:
        if item.kind is not ItemKind.AGREED_STEP or not item.is_planned:
            continue
        is_early = item.planned_time is not None and item.planned_time <= AGREED_STEP_TIME
        on = item.planned_on - ONE_DAY if is_early else item.planned_on
        ends_at = (
            to_utc(item.planned_on, item.planned_time, wishes.zone)
            if item.planned_time is not None
            else _end_of_day(item.planned_on, wishes.zone)
        )
        reminders.append(
            _reminder(
                f"agreed:{item.item_id}:{item.planned_on}",
                ReminderKind.AGREED_STEP,
                f"plan_item:{item.item_id}",
                WallTime(on, AGREED_STEP_TIME, wishes.zone),
                expires_at=ends_at,
            )
        )
    return reminders


def _check_in_reminders(week: WeekToRemind, wishes: PromptWishes) -> list[OwedReminder]:
    return [
        _reminder(
            f"check-in:{week.enrolment_id}:{week.number}",
            ReminderKind.CHECK_IN,
            f"check_in:{week.enrolment_id}:{week.number}",
            WallTime(item.planned_on, item.planned_time or wishes.check_in_time, wishes.zone),
            expires_at=week.promised_at,
        )
        for item in week.items
        if item.kind is ItemKind.CHECK_IN and item.is_planned
    ]


def _nudges(week: WeekToRemind, wishes: PromptWishes) -> list[OwedReminder]:
    on = week.opened_on + timedelta(days=NUDGE_AFTER_DAYS)
    wall = WallTime(on, wishes.check_in_time, wishes.zone)
    was_something_planned = any(
        (item.planned_on, item.planned_time or time.max) < (on, wishes.check_in_time)
        for item in week.items
        if item.kind is not ItemKind.CHECK_IN
    )
    if week.is_anything_done or not was_something_planned:
        return []
    return [
        _reminder(
            f"nudge:{week.enrolment_id}:{week.number}",
            ReminderKind.NUDGE,
            f"enrolment:{week.enrolment_id}",
            wall,
            expires_at=min(wall.instant() + ONE_DAY, week.promised_at),
        )
    ]


def _reminder(
    key: str, kind: ReminderKind, subject: str, wall: WallTime, *, expires_at: datetime
) -> OwedReminder:
    return OwedReminder(key, kind, subject, wall, wall.instant(), expires_at)


def _outside_quiet_hours(reminder: OwedReminder, wishes: PromptWishes) -> OwedReminder:
    due_at = end_of_quiet(reminder.due_at, wishes.zone, wishes.quiet_from, wishes.quiet_until)
    return OwedReminder(
        reminder.key, reminder.kind, reminder.subject, reminder.wall, due_at, reminder.expires_at
    )


def _end_of_day(on: date, zone: str) -> datetime:
    return to_utc(on + ONE_DAY, time(0), zone)
