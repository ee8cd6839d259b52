"""The rhythm strip: one model of a week from which both the picture and the hidden list are drawn. Pure.

A done item stands on the day on which it was done, with the time it was done; the sentence also says for when
it was planned if that was another day. An item that was not done stands where it was planned. So a strip of a
closed week shows what happened, and a strip of an open week shows the plan with what has happened in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from icbt_support.plan.models import ItemKind, ItemState
from icbt_support.plan.words import clock_words, day_words

MOST_COLUMNS = 16
MARKS = (
    "review_sent",
    "welcome",
    "review_due",
    "review_late",
    "review_next",
    "session",
    "practice",
    "agreed_step",
    "check_in",
    "check_in_bar",
    "done",
    "skipped",
    "not_done",
    "bell_planned",
    "bell_sent",
    "bell_held_back",
)
_END_MARKS = {
    "sent": "review_sent",
    "welcome": "welcome",
    "due": "review_due",
    "late": "review_late",
    "planned": "review_next",
}
_KIND_WORDS = {
    ItemKind.SESSION: "session",
    ItemKind.PRACTICE: "to do",
    ItemKind.AGREED_STEP: "agreed step",
    ItemKind.CHECK_IN: "check-in",
}
_STATE_WORDS = {"skipped": "not this time", "not_done": "not done"}
_BELL_WORDS = {"planned": "planned for", "sent": "sent", "held_back": "held back"}


@dataclass(frozen=True)
class StripItem:
    """kind: session practice agreed_step (check_in is a bar); state: planned done skipped not_done."""

    kind: str
    state: str
    title: str
    when: str


@dataclass(frozen=True)
class StripBell:
    """state: planned sent held_back; `reason` is in the sentence."""

    state: str
    when: str
    what: str
    reason: str = ""


@dataclass(frozen=True)
class StripEnd:
    """state: sent due planned late welcome none."""

    state: str
    label: str
    when: str


@dataclass(frozen=True)
class StripCheckIn:
    """The bar from the day on which the check-in opens to the day on which it is asked or was done.

    state: planned open done not_done.
    """

    from_column: int
    to_column: int
    state: str
    label: str


@dataclass(frozen=True)
class StripColumn:
    number: int
    day: date
    day_letter: str
    day_name: str
    day_number: int
    is_today: bool
    items: tuple[StripItem, ...]
    bells: tuple[StripBell, ...]


@dataclass(frozen=True)
class StripModel:
    title: str
    columns: tuple[StripColumn, ...]
    today_column: int | None
    reach: int
    left: StripEnd
    right: StripEnd
    check_in: StripCheckIn | None
    marks: tuple[str, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class ItemOnStrip:
    """An item as the strip needs it: wall times in the reader's zone; `settled_at` local."""

    kind: ItemKind
    title: str
    planned_on: date
    planned_time: time | None
    state: str
    settled_at: datetime | None = None


@dataclass(frozen=True)
class BellOnStrip:
    """A reminder as the strip needs it: local `at`, planned, sent or held back."""

    state: str
    at: datetime
    what: str
    reason: str = ""


@dataclass(frozen=True)
class CheckInOnStrip:
    """`state` planned, open, done or not_done; `done_at` local."""

    opens_on: date
    asked_on: date
    asked_at: time | None
    state: str
    done_at: datetime | None = None


def build_strip(
    *,
    title: str,
    starts_on: date,
    ends_on: date,
    today: date | None,
    left: StripEnd,
    right: StripEnd,
    items: Sequence[ItemOnStrip],
    bells: Sequence[BellOnStrip] = (),
    check_in: CheckInOnStrip | None = None,
) -> StripModel:
    """The strip from the last review's day to the next review's: 8 columns for a week, 15 for a fortnight.

    A longer stretch keeps its last 16 days, what lies before is drawn on the first of them. `today` is None
    where no day is today (a printed week).
    """
    starts_on = max(starts_on, ends_on - timedelta(days=MOST_COLUMNS - 1))
    days = [starts_on + timedelta(days=number) for number in range((ends_on - starts_on).days + 1)]
    placed = [(_day_of(item, days), item) for item in items]
    bar = _check_in_bar(check_in, days) if check_in else None
    columns = tuple(
        _column(number, day, today, [item for on, item in placed if on == day], _bells_on(day, bells, days))
        for number, day in enumerate(days, 1)
    )
    today_column = next((column.number for column in columns if column.is_today), None)
    return StripModel(
        title=title,
        columns=columns,
        today_column=today_column,
        reach=_reach(days, today),
        left=left,
        right=right,
        check_in=bar,
        marks=_marks(columns, left, right, bar),
        sentences=tuple(_sentences(columns, placed, bells, days, left, right, check_in)),
    )


def state_on_strip(state: ItemState, *, planned_on: date, today: date, is_week_closed: bool) -> str:
    """planned, done, skipped, or not_done once its day or its week is over."""
    if state is ItemState.DONE:
        return "done"
    if state is ItemState.SKIPPED:
        return "skipped"
    if state is ItemState.CARRIED_OVER or is_week_closed or planned_on < today:
        return "not_done"
    return "planned"


# The picture ----------------------------------------------------------------------------------------------


def _within(day: date, days: Sequence[date]) -> date:
    return min(max(day, days[0]), days[-1])


def _day_of(item: ItemOnStrip, days: Sequence[date]) -> date:
    """Where an item stands: the day on which it was done, else the day for which it was planned."""
    done_on = item.settled_at.date() if item.state == "done" and item.settled_at else None
    return _within(done_on or item.planned_on, days)


def _bells_on(day: date, bells: Sequence[BellOnStrip], days: Sequence[date]) -> list[BellOnStrip]:
    return sorted((bell for bell in bells if _within(bell.at.date(), days) == day), key=lambda bell: bell.at)


def _column(
    number: int, day: date, today: date | None, items: Sequence[ItemOnStrip], bells: Sequence[BellOnStrip]
) -> StripColumn:
    name = f"{day:%A}"
    return StripColumn(
        number=number,
        day=day,
        day_letter=name[0],
        day_name=name,
        day_number=day.day,
        is_today=day == today,
        items=tuple(
            StripItem(item.kind.value, item.state, item.title, _when(item))
            for item in sorted(items, key=_moment)
            if item.kind is not ItemKind.CHECK_IN
        ),
        bells=tuple(StripBell(bell.state, clock_words(bell.at), bell.what, bell.reason) for bell in bells),
    )


def _moment(item: ItemOnStrip) -> time:
    if item.state == "done" and item.settled_at:
        return item.settled_at.time()
    return item.planned_time or time.max


def _when(item: ItemOnStrip) -> str:
    if item.state == "done" and item.settled_at:
        return clock_words(item.settled_at)
    if item.planned_time is None:
        return "any time"
    clock = clock_words(item.planned_time)
    return f"by {clock}" if item.kind is ItemKind.AGREED_STEP else clock


def _check_in_bar(check_in: CheckInOnStrip, days: Sequence[date]) -> StripCheckIn:
    first = _within(check_in.opens_on, days)
    last = _within(check_in.asked_on, days)
    if check_in.done_at is not None:
        last = max(first, last, _within(check_in.done_at.date(), days))
    return StripCheckIn(
        from_column=days.index(first) + 1,
        to_column=days.index(max(first, last)) + 1,
        state=check_in.state,
        label=_check_in_label(check_in),
    )


def _check_in_label(check_in: CheckInOnStrip) -> str:
    if check_in.state == "done" and check_in.done_at:
        return f"done {check_in.done_at:%a} {clock_words(check_in.done_at)}"
    if check_in.state == "not_done":
        return "not done"
    asked = f"{check_in.asked_on:%a}" + (f" {clock_words(check_in.asked_at)}" if check_in.asked_at else "")
    opens = "open now" if check_in.state == "open" else f"opens {check_in.opens_on:%a}"
    return f"{opens}, asked {asked}"


def _reach(days: Sequence[date], today: date | None) -> int:
    if today is None or today < days[0]:
        return 1
    return days.index(_within(today, days)) + 1


def _marks(
    columns: Sequence[StripColumn], left: StripEnd, right: StripEnd, bar: StripCheckIn | None
) -> tuple[str, ...]:
    items = [item for column in columns for item in column.items]
    drawn = {_END_MARKS.get(left.state), _END_MARKS.get(right.state)}
    drawn |= {item.kind for item in items}
    drawn |= {item.state for item in items if item.state in ("done", "skipped", "not_done")}
    drawn |= {f"bell_{bell.state}" for column in columns for bell in column.bells}
    if bar is not None:
        drawn |= {"check_in", "check_in_bar"} | ({bar.state} & {"done", "not_done"})
    return tuple(mark for mark in MARKS if mark in drawn)


# The same in words ----------------------------------------------------------------------------------------


def _sentences(
    columns: Sequence[StripColumn],
    placed: Sequence[tuple[date, ItemOnStrip]],
    bells: Sequence[BellOnStrip],
    days: Sequence[date],
    left: StripEnd,
    right: StripEnd,
    check_in: CheckInOnStrip | None,
) -> Iterator[str]:
    for column in columns:
        parts = []
        if column.number == 1:
            parts += _end_words(left)
        here = sorted((item for on, item in placed if on == column.day), key=_moment)
        parts += [_item_words(item) for item in here if item.kind is not ItemKind.CHECK_IN]
        if check_in is not None:
            parts += _check_in_words(check_in, column.day, days)
        parts += [_bell_words(bell) for bell in _bells_on(column.day, bells, days)]
        if column.number == len(columns):
            parts += _end_words(right)
        if parts or column.is_today:
            today = " (today)" if column.is_today else ""
            yield f"{day_words(column.day)}{today}: {'; '.join(parts) or 'nothing planned'}"


def _end_words(end: StripEnd) -> list[str]:
    words = " ".join(part for part in (end.label, end.when) if part)
    return [words] if words else []


def _item_words(item: ItemOnStrip) -> str:
    words = f"{_KIND_WORDS[item.kind]}: {item.title}"
    if item.state == "done":
        moved = item.settled_at is not None and item.settled_at.date() != item.planned_on
        planned = f", planned for {day_words(item.planned_on)}" if moved else ""
        return f"{words}, done {_when(item)}{planned}" if item.settled_at else f"{words}, done"
    if item.state == "planned":
        return f"{words}, {_when(item)}"
    return f"{words}, {_STATE_WORDS[item.state]}"


def _check_in_words(check_in: CheckInOnStrip, day: date, days: Sequence[date]) -> list[str]:
    if check_in.state == "done" and check_in.done_at:
        done = f"check-in done {clock_words(check_in.done_at)}"
        return [done] if _within(check_in.done_at.date(), days) == day else []
    asked = f" {clock_words(check_in.asked_at)}" if check_in.asked_at else ""
    words = []
    if _within(check_in.opens_on, days) == day:
        words.append("check-in opens")
    if _within(check_in.asked_on, days) == day:
        words.append("check-in not done" if check_in.state == "not_done" else f"check-in asked{asked}")
    return words


def _bell_words(bell: BellOnStrip) -> str:
    reason = f", {bell.reason}" if bell.reason else ""
    return f"email {_BELL_WORDS[bell.state]} {clock_words(bell.at)}: {bell.what}{reason}"
