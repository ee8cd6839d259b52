"""What a week holds and where its items fall: pure, in wall time of the patient's zone.

Planning when and where predicts adherence (Zarski 2018), so every item gets a day, and most get a time.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from icbt_support.accounts.models import SessionEmail
from icbt_support.plan.models import ItemKind
from icbt_support.programme.content import Module, Programme, Session

EVENING = time(19)
ONE_DAY = timedelta(days=1)
CHECK_IN_TITLE = "Check-in"
CHECK_IN_SUBJECT = "check_in"


@dataclass(frozen=True)
class ChosenTime:
    """A weekday (Monday is 0) and wall time at which the patient plans to work."""

    weekday: int
    at: time


@dataclass(frozen=True)
class StepChoice:
    """The agreed step: what, why it helps, and by when.

    `subject` is what it uses: `tool:<slug>`, `page:<module>/<page>`, `module:<slug>`, or empty for a free task.
    """

    what: str
    why: str
    by_on: date
    by_time: time | None = None
    minutes: int = 10
    subject: str = ""


@dataclass(frozen=True)
class CheckInChoice:
    """How long before the review a check-in opens and is asked, and at what time of the day."""

    opens_days: int = 3
    asked_days: int = 1
    at: time = time(18)
    minutes: int = 5


@dataclass(frozen=True)
class CarriedItem:
    """An item of the week before that was not done and is planned again."""

    item_id: int
    kind: ItemKind
    subject: str
    title: str
    why: str
    planned_on: date
    planned_time: time | None
    minutes: int


@dataclass(frozen=True)
class PlannedItem:
    """One item as a week will hold it, before it is a row."""

    kind: ItemKind
    subject: str
    title: str
    planned_on: date
    planned_time: time | None
    minutes: int
    why: str = ""
    is_emailed: bool = False
    carried_from_id: int | None = None


class OutsideTheWeek(Exception):
    """A day that the week does not have: `earliest_on` and `latest_on` are the days it does."""

    def __init__(self, earliest_on: date, latest_on: date) -> None:
        super().__init__(f"The days of this week run from {earliest_on} to {latest_on}.")
        self.earliest_on = earliest_on
        self.latest_on = latest_on


class ItemIsSettled(Exception):
    """The item is done, skipped or carried over, or its week is closed: it no longer moves."""


def session_subject(module: str, session: str) -> str:
    return f"session:{module}/{session}"


def practice_subject(module: str, practice: str) -> str:
    return f"practice:{module}/{practice}"


def propose_week(
    module: Module,
    *,
    opens_on: date,
    review_on: date,
    session_times: Sequence[ChosenTime],
    check_in: CheckInChoice,
    opens_after: time = time(0),
    step: StepChoice | None = None,
    session_email: SessionEmail = SessionEmail.EVERY,
    sessions_read: Collection[str] = (),
    sessions_a_week: int | None = None,
    carried: Sequence[CarriedItem] = (),
) -> tuple[PlannedItem, ...]:
    """The items of a week that opens at `opens_after` on `opens_on` and whose review is promised on
    `review_on`.

    Sessions fall on the chosen times from the opening to the day before the review, spread over a fortnight;
    practice on chosen times that are left, else on free evenings. Sessions already read (`sessions_read`, slugs)
    are left out, and of the others a week holds `sessions_a_week` at most; items of `carried` with the same
    subject pass their row on, and a carried agreed step, which no module proposes, is planned again on its
    weekday unless a new `step` takes its place.
    """
    last_on = max(review_on - ONE_DAY, opens_on)
    unread = [session for session in module.sessions if session.slug not in sessions_read]
    sessions = unread[:sessions_a_week]
    moments = _session_moments(len(sessions), session_times, opens_on, opens_after, last_on)
    carried_by_subject = {item.subject: item.item_id for item in carried if item.subject}
    items = _session_items(module, sessions, moments, session_email)
    items += _practice_items(
        module,
        _practice_moments(len(module.practice), session_times, moments, opens_on, opens_after, last_on),
    )
    items = [replace(item, carried_from_id=carried_by_subject.get(item.subject)) for item in items]
    items += [step_item(step)] if step is not None else _carried_steps(carried, opens_on, last_on)
    items.append(check_in_item(review_on, check_in, opens_on))
    return tuple(sorted(items, key=_by_moment))


def check_in_item(review_on: date, check_in: CheckInChoice, opens_on: date) -> PlannedItem:
    """The check-in, planned for the moment at which it is asked; never before the week opens."""
    return PlannedItem(
        kind=ItemKind.CHECK_IN,
        subject=CHECK_IN_SUBJECT,
        title=CHECK_IN_TITLE,
        planned_on=max(review_on - timedelta(days=check_in.asked_days), opens_on),
        planned_time=check_in.at,
        minutes=check_in.minutes,
        is_emailed=True,
    )


def step_item(step: StepChoice) -> PlannedItem:
    """The agreed step as an item: planned on the day by which it is to be done."""
    return PlannedItem(
        kind=ItemKind.AGREED_STEP,
        subject=step.subject,
        title=step.what,
        why=step.why,
        planned_on=step.by_on,
        planned_time=step.by_time,
        minutes=step.minutes,
        is_emailed=True,
    )


def with_its_minutes(step: StepChoice, programme: Programme) -> StepChoice:
    """A step that uses a tool, a page or a module takes as long as that does."""
    kind, _, rest = step.subject.partition(":")
    module_slug, _, page_slug = rest.partition("/")
    module = programme.module(module_slug)
    used = {
        "tool": programme.tools.get(rest),
        "module": module,
        "page": module.page(page_slug) if module is not None else None,
    }.get(kind)
    return replace(step, minutes=used.minutes) if used is not None else step


def check_in_opens_on(review_on: date, opens_days: int, week_opened_on: date) -> date:
    """The day from which the check-in may be answered; a short week opens it with the week."""
    return max(review_on - timedelta(days=opens_days), week_opened_on)


def moments_left(
    count: int, chosen: Sequence[ChosenTime], *, opens_on: date, opens_after: time, last_on: date
) -> list["Moment"]:
    """`count` moments for what is planned again: the person's own times first, then evenings, by `last_on`."""
    return _session_moments(count, chosen, opens_on, opens_after, last_on)


# Where things fall ----------------------------------------------------------------------------------------

Moment = tuple[date, time]


def _session_moments(
    count: int, chosen: Sequence[ChosenTime], opens_on: date, opens_after: time, last_on: date
) -> list[Moment]:
    """One moment for each session: chosen times first, then evenings on other days."""
    times = _chosen_moments(chosen, opens_on, opens_after, last_on)
    moments = _spread(times, count)
    taken = {on for on, _ in moments}
    evenings = [
        moment for moment in _evenings(chosen, opens_on, opens_after, last_on) if moment[0] not in taken
    ]
    moments += _spread(evenings, count - len(moments))
    while len(moments) < count:
        moments.append((last_on, _usual_time(chosen)))
    return sorted(moments)


def _practice_moments(
    count: int,
    chosen: Sequence[ChosenTime],
    sessions: Sequence[Moment],
    opens_on: date,
    opens_after: time,
    last_on: date,
) -> list[Moment]:
    """Practice comes after the first session: on chosen times that are left, then on free evenings."""
    begins = sessions[0] if sessions else (opens_on, opens_after)
    left = [
        m for m in _chosen_moments(chosen, opens_on, opens_after, last_on) if m > begins and m not in sessions
    ]
    moments = _spread(left, count)
    taken = {on for on, _ in (*sessions, *moments)}
    evenings = [
        m for m in _evenings(chosen, opens_on, opens_after, last_on) if m > begins and m[0] not in taken
    ]
    moments += _spread(evenings, count - len(moments))
    while len(moments) < count:
        moments.append((last_on, _usual_time(chosen)))
    return sorted(moments)


def _chosen_moments(
    chosen: Sequence[ChosenTime], opens_on: date, opens_after: time, last_on: date
) -> list[Moment]:
    moments = {
        (on, one.at)
        for on in _days(opens_on, last_on)
        for one in chosen
        if one.weekday == on.weekday() and (on > opens_on or one.at > opens_after)
    }
    return sorted(moments)


def _evenings(chosen: Sequence[ChosenTime], opens_on: date, opens_after: time, last_on: date) -> list[Moment]:
    at = _usual_time(chosen)
    return [(on, at) for on in _days(opens_on, last_on) if on > opens_on or at > opens_after]


def _usual_time(chosen: Sequence[ChosenTime]) -> time:
    return chosen[0].at if chosen else EVENING


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _spread(moments: Sequence[Moment], count: int) -> list[Moment]:
    """`count` of the moments, spread evenly from the first on; all of them when there are not so many."""
    if count >= len(moments):
        return list(moments)
    return [moments[number * len(moments) // count] for number in range(count)]


def _session_items(
    module: Module, sessions: Sequence[Session], moments: Sequence[Moment], session_email: SessionEmail
) -> list[PlannedItem]:
    return [
        PlannedItem(
            kind=ItemKind.SESSION,
            subject=session_subject(module.slug, session.slug),
            title=session.title,
            planned_on=on,
            planned_time=at,
            minutes=session.minutes,
            is_emailed=is_session_emailed(number, session_email),
        )
        for number, (session, (on, at)) in enumerate(zip(sessions, moments, strict=True))
    ]


def is_session_emailed(number: int, session_email: SessionEmail) -> bool:
    """Whether the session that comes `number`-th in its week (from 0) is emailed about."""
    if session_email is SessionEmail.FIRST:
        return number == 0
    return session_email is SessionEmail.EVERY


def _practice_items(module: Module, moments: Sequence[Moment]) -> list[PlannedItem]:
    return [
        PlannedItem(
            kind=ItemKind.PRACTICE,
            subject=practice_subject(module.slug, practice.slug),
            title=practice.title,
            why=practice.why,
            planned_on=on,
            planned_time=at,
            minutes=practice.minutes,
        )
        for practice, (on, at) in zip(module.practice, moments, strict=True)
    ]


def _carried_steps(carried: Iterable[CarriedItem], opens_on: date, last_on: date) -> list[PlannedItem]:
    return [
        PlannedItem(
            kind=ItemKind.AGREED_STEP,
            subject=item.subject,
            title=item.title,
            why=item.why,
            planned_on=_same_weekday(item.planned_on, opens_on, last_on),
            planned_time=item.planned_time,
            minutes=item.minutes,
            is_emailed=True,
            carried_from_id=item.item_id,
        )
        for item in carried
        if item.kind is ItemKind.AGREED_STEP
    ]


def _same_weekday(day: date, opens_on: date, last_on: date) -> date:
    later = opens_on + timedelta(days=(day.weekday() - opens_on.weekday()) % 7)
    return min(later, last_on)


def _by_moment(item: PlannedItem) -> tuple[date, time]:
    return item.planned_on, item.planned_time or time.max
