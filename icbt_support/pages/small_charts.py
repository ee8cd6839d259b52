"""Small charts that stand in a line or a cell: their words are their label. Drawn like `charts`."""

from collections.abc import Sequence

from markupsafe import Markup

USED_A_TOOL, SIGNED_IN_ONLY, DID_NOT_VISIT = 2, 1, 0


def spark(values: Sequence[int], label: str, *, width: int = 96, height: int = 28) -> Markup:
    """A small line of scores in the order given. It is at least 10 points tall, so that noise stays flat."""
    padding = max(10 - (max(values) - min(values)), 2) / 2
    lowest, highest = min(values) - padding, max(values) + padding
    places = [
        (
            6 + (width - 12) * index / max(len(values) - 1, 1),
            4 + (height - 8) * (1 - (value - lowest) / (highest - lowest)),
        )
        for index, value in enumerate(values)
    ]
    last_x, last_y = places[-1]
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">'
        '<polyline class="chart-line" fill="none" points="{}"/>'
        '<circle class="chart-point" cx="{:.1f}" cy="{:.1f}" r="3.5"/></svg>'
    ).format(
        label, width, height, width, height, " ".join(f"{x:.1f},{y:.1f}" for x, y in places), last_x, last_y
    )


def dot_strip(weeks: Sequence[int | None], label: str) -> Markup:
    """One mark a week: 2 used a tool, 1 signed in only, 0 did not visit, None not yet."""
    radius, gap = 6, 18
    marks: list[Markup] = []
    for index, week in enumerate(weeks):
        x = radius + 2 + index * gap
        if week == USED_A_TOOL:
            marks.append(Markup('<circle class="paint-tools" cx="{}" cy="10" r="{}"/>').format(x, radius))
        elif week == SIGNED_IN_ONLY:
            marks.append(
                Markup(
                    '<circle class="dot-ring" cx="{}" cy="10" r="{}"/>'
                    '<circle class="paint-signed" cx="{}" cy="10" r="2.5"/>'
                ).format(x, radius - 1, x)
            )
        elif week == DID_NOT_VISIT:
            marks.append(
                Markup('<line class="dot-dash" x1="{}" x2="{}" y1="10" y2="10"/>').format(x - 5, x + 5)
            )
        else:
            marks.append(Markup('<circle class="dot-future" cx="{}" cy="10" r="2"/>').format(x))
    return Markup('<svg class="dot-strip" role="img" aria-label="{}" width="{}" height="20">{}</svg>').format(
        label, max(len(weeks), 1) * gap, Markup("").join(marks)
    )


def dumbbell(before: int, after: int, maximum: int = 10) -> Markup:
    """Before (ring) and after (filled) on one line from 0 to `maximum`."""
    start, end = 6 + 88 * before / maximum, 6 + 88 * after / maximum
    return Markup(
        '<svg class="dumbbell" width="100" height="18" viewBox="0 0 100 18" role="img" '
        'aria-label="Before {} and after {}, out of {}">'
        '<line class="chart-grid" x1="6" x2="94" y1="9" y2="9"/>'
        '<line class="dumbbell__move" x1="{:.1f}" x2="{:.1f}" y1="9" y2="9"/>'
        '<circle class="dumbbell__before" cx="{:.1f}" cy="9" r="4"/>'
        '<circle class="dumbbell__after" cx="{:.1f}" cy="9" r="6"/></svg>'
    ).format(before, after, maximum, start, end, start, end)


def bar_in_bar(before: int, after: int, maximum: int = 100) -> Markup:
    """The later value as a dark bar inside the earlier one; where it grew, the pale part shows the growth."""
    outer, inner = max(before, after), min(before, after)
    outer_look = "signed" if before >= after else "pale"
    bars = [
        Markup('<rect class="paint-{}" x="0.5%" y="5" width="{:.1f}%" height="12" rx="6"/>').format(
            look, 99 * value / maximum
        )
        for look, value in ((outer_look, outer), ("tools", inner))
        if value
    ]
    return Markup(
        '<svg class="bar-in-bar" width="100%" height="22" role="img" '
        'aria-label="Before {} and after {}, out of {}">'
        '<rect class="paint-none" x="0.5%" y="5" width="99%" height="12" rx="6"/>{}</svg>'
    ).format(before, after, maximum, Markup("").join(bars))
