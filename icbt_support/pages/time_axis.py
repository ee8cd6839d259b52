"""One course drawn along one axis of time: a lane for each kind of thing, and the same counted by month."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from markupsafe import Markup

from icbt_support.engagement.course_axis import CourseAxis
from icbt_support.pages.charts import Chart

LANE_HEIGHT = 46
FIRST_LANE = 8
AXIS_ROOM = 30
FIRST_X, LAST_X = 1.5, 98.5
MOST_MONTHS_NAMED = 4
MOST_SCORES_NAMED = 10
TITLE = "The course along one axis of time"
DESCRIPTION = (
    "A lane each for days here, plan, PHQ-9, reviews, messages and reminders. The table has the numbers."
)
HEADS = (
    "Month",
    "Days here",
    "Plan done",
    "Plan not done",
    "Reviews on time",
    "Reviews late",
    "Messages from the person",
    "Messages from the service",
    "Reminders",
)
Mark = Callable[[float, int], Markup]


def draw_course(axis: CourseAxis) -> Chart:
    """The picture of the whole course; today, or the day of the end, is at the right."""
    lanes: Sequence[tuple[str, Sequence[tuple[date, Mark]]]] = (
        ("Here", [(on, _tall if used else _short) for on, used in axis.here]),
        ("Plan", [(on, _square if done else _open_square) for on, done in axis.plan]),
        ("PHQ-9", _scores(axis)),
        ("Reviews", [(on, _disc if in_time else _ring) for on, in_time in axis.reviews]),
        ("Messages", [(on, _above if theirs else _below) for on, theirs in axis.messages]),
        ("Reminders", [(on, _short) for on in axis.reminders]),
    )
    height = FIRST_LANE + LANE_HEIGHT * len(lanes) + AXIS_ROOM
    parts = [_week_lines(axis, height), *_months(axis, height)]
    for number, (label, marks) in enumerate(lanes):
        parts.append(_lane(axis, label, marks, FIRST_LANE + LANE_HEIGHT * number))
    return Chart(
        svg=Markup(
            '<svg class="chart" role="img" aria-labelledby="course-axis-title course-axis-description" '
            'width="100%" height="{}"><title id="course-axis-title">{}</title>'
            '<desc id="course-axis-description">{}</desc>{}</svg>'
        ).format(height, TITLE, DESCRIPTION, Markup("").join(parts)),
        caption=TITLE,
        legend=[],
        heads=HEADS,
        rows=_rows(axis),
    )


def _scores(axis: CourseAxis) -> list[tuple[date, Mark]]:
    """As many numbers as keep their distance on a phone, counted from the newest; a dot for each of the others."""
    every = -(-len(axis.scores) // MOST_SCORES_NAMED) or 1
    newest_first = reversed(axis.scores)
    return [
        (on, _number(total) if place % every == 0 else _dot) for place, (on, total) in enumerate(newest_first)
    ]


def _x(axis: CourseAxis, on: date) -> float:
    days = max((axis.last_on - axis.first_on).days, 1)
    place = (min(max(on, axis.first_on), axis.last_on) - axis.first_on).days
    return FIRST_X + (LAST_X - FIRST_X) * place / days


def _week_lines(axis: CourseAxis, height: int) -> Markup:
    lines = (
        Markup('<line class="chart-grid" x1="{0:.2f}%" x2="{0:.2f}%" y1="0" y2="{1}"/>').format(
            _x(axis, on), height - AXIS_ROOM
        )
        for on in axis.weeks
    )
    return Markup("").join(lines)


def _months(axis: CourseAxis, height: int) -> Sequence[Markup]:
    """The first and the last day, and as many months between as keep their distance on a phone."""
    firsts = [on for on in _firsts_of_months(axis) if 26 < _x(axis, on) < 78]
    every = -(-len(firsts) // MOST_MONTHS_NAMED) or 1
    named = [(on, "middle", f"{on:%b}") for on in firsts[::every]]
    ends = [
        (axis.first_on, "start", f"{axis.first_on.day} {axis.first_on:%b}"),
        (axis.last_on, "end", f"{axis.last_on.day} {axis.last_on:%b}"),
    ]
    return [
        Markup('<text class="chart-tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>').format(
            _x(axis, on), height - 8, anchor, words
        )
        for on, anchor, words in [*named, *ends]
    ]


def _firsts_of_months(axis: CourseAxis) -> list[date]:
    on, firsts = axis.first_on.replace(day=1), []
    while on <= axis.last_on:
        firsts.append(on)
        on = (on + timedelta(days=32)).replace(day=1)
    return firsts


def _lane(axis: CourseAxis, label: str, marks: Sequence[tuple[date, Mark]], top: int) -> Markup:
    middle = top + 32
    drawn = Markup("").join(mark(_x(axis, on), middle) for on, mark in marks)
    nothing = "" if marks else ": none"
    return Markup(
        '<line class="chart-grid" x1="0" x2="100%" y1="{}" y2="{}"/>'
        '<text class="chart-label" x="0" y="{}">{}{}</text>{}'
    ).format(middle, middle, top + 16, label, nothing, drawn)


# The marks: their shape says what they are, their colour says it again ------------------------------------------


def _box(look: str, width: int, height: int) -> Mark:
    """A box around its place; the inner svg lets its own size stay in pixels."""

    def mark(x: float, y: int) -> Markup:
        return Markup(
            '<svg x="{:.2f}%" y="{}" overflow="visible">'
            '<rect class="paint-{}" x="{}" y="{}" width="{}" height="{}"/></svg>'
        ).format(x, y, look, -width / 2, -height / 2, width, height)

    return mark


_tall, _short = _box("tools", 3, 22), _box("signed", 3, 10)
_square, _open_square = _box("tools", 8, 8), _box("none", 8, 8)


def _disc(x: float, y: int) -> Markup:
    return Markup('<circle class="paint-reviews" cx="{:.2f}%" cy="{}" r="5"/>').format(x, y)


def _ring(x: float, y: int) -> Markup:
    return Markup('<circle class="paint-late" cx="{:.2f}%" cy="{}" r="5"/>').format(x, y)


def _dot(x: float, y: int) -> Markup:
    return Markup('<circle class="paint-signed" cx="{:.2f}%" cy="{}" r="1.5"/>').format(x, y)


def _above(x: float, y: int) -> Markup:
    return Markup('<circle class="paint-tools" cx="{:.2f}%" cy="{}" r="4"/>').format(x, y - 5)


def _below(x: float, y: int) -> Markup:
    return Markup('<circle class="paint-none" cx="{:.2f}%" cy="{}" r="4"/>').format(x, y + 5)


def _number(total: int) -> Mark:
    def mark(x: float, y: int) -> Markup:
        return Markup('<text class="chart-value" x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
            x, y + 5, total
        )

    return mark


# The numbers ------------------------------------------------------------------------------------------------------


def _rows(axis: CourseAxis) -> list[list[str]]:
    counted = [
        Counter(_month(on) for on, _ in axis.here),
        Counter(_month(on) for on, done in axis.plan if done),
        Counter(_month(on) for on, done in axis.plan if not done),
        Counter(_month(on) for on, in_time in axis.reviews if in_time),
        Counter(_month(on) for on, in_time in axis.reviews if not in_time),
        Counter(_month(on) for on, theirs in axis.messages if theirs),
        Counter(_month(on) for on, theirs in axis.messages if not theirs),
        Counter(_month(on) for on in axis.reminders),
    ]
    return [
        [f"{month:%B %Y}", *(str(counts[month]) for counts in counted)] for month in _firsts_of_months(axis)
    ]


def _month(on: date) -> date:
    return on.replace(day=1)
