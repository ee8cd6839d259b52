"""The attrition curve: of those who started, how many were there week by week, drawn on the server as SVG."""

from collections.abc import Sequence

from markupsafe import Markup

from icbt_support.engagement.dropping_out import AttritionWeek
from icbt_support.pages.charts import LEFT_MARGIN, Chart

HEIGHT, TOP, BOTTOM = 280, 14, 236
FIRST_X, LAST_X = LEFT_MARGIN + 3.0, 97.0
TITLE = "After each week from the start, how many had not stopped early"
NOT_STOPPED, STILL_HERE = "Had not stopped early", "Still in the course"
HEADS = (
    "Weeks from the start",
    "Started at least so long ago",
    STILL_HERE,
    "Ended as planned or went elsewhere",
    "Stopped early",
)
_LABEL_EVERY = 4


def attrition_curve(weeks: Sequence[AttritionWeek]) -> Chart:
    """Two lines in percent of those who started at least so many weeks ago; the numbers are in the rows."""
    places = [FIRST_X + (LAST_X - FIRST_X) * index / max(len(weeks) - 1, 1) for index in range(len(weeks))]
    not_stopped = [100 * (one.started - one.dropped_out) / one.started for one in weeks]
    still_here = [100 * one.in_course / one.started for one in weeks]
    parts = [_grid()]
    parts.append(_line(places, still_here, "chart-line chart-line--second"))
    parts.append(_line(places, not_stopped, "chart-line"))
    for x, one, share in zip(places, weeks, not_stopped, strict=True):
        parts.append(
            Markup('<circle class="chart-point" cx="{:.2f}%" cy="{:.1f}" r="4"/>').format(x, _y(share))
        )
        if one.week % _LABEL_EVERY == 0:
            parts.append(
                Markup('<text class="chart-tick" x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
                    x, HEIGHT - 22, one.week
                )
            )
    parts.append(
        Markup(
            '<text class="chart-tick" x="{}%" y="{}" text-anchor="end">weeks from the start</text>'
        ).format(LAST_X, HEIGHT - 4)
    )
    return Chart(
        svg=Markup(
            '<svg class="chart" role="img" aria-labelledby="attrition-title attrition-description" width="100%" '
            'height="{}"><title id="attrition-title">{}</title><desc id="attrition-description">{}</desc>{}</svg>'
        ).format(HEIGHT, TITLE, _description(weeks), Markup("").join(parts)),
        caption=TITLE,
        legend=[(NOT_STOPPED, "tools"), (f"{STILL_HERE} (broken line)", "signed")],
        heads=HEADS,
        rows=[
            [
                str(value)
                for value in (one.week, one.started, one.in_course, one.ended_otherwise, one.dropped_out)
            ]
            for one in weeks
        ],
    )


def _y(percent: float) -> float:
    return TOP + (BOTTOM - TOP) * (1 - percent / 100)


def _grid() -> Markup:
    return Markup("").join(
        Markup(
            '<line class="chart-grid" x1="{}%" x2="100%" y1="{:.1f}" y2="{:.1f}"/>'
            '<text class="chart-tick" x="{}%" y="{:.1f}" text-anchor="end">{}%</text>'
        ).format(LEFT_MARGIN, _y(percent), _y(percent), LEFT_MARGIN - 0.5, _y(percent) + 5, percent)
        for percent in range(0, 101, 25)
    )


def _line(places: Sequence[float], shares: Sequence[float], look: str) -> Markup:
    points = " ".join(f"{x * 10:.1f},{_y(share) - TOP:.1f}" for x, share in zip(places, shares, strict=True))
    return Markup(
        '<svg x="0" y="{}" width="100%" height="{}" viewBox="0 0 1000 {}" preserveAspectRatio="none">'
        '<polyline class="{}" points="{}" fill="none" vector-effect="non-scaling-stroke"/></svg>'
    ).format(TOP, BOTTOM - TOP, BOTTOM - TOP, look, points)


def _description(weeks: Sequence[AttritionWeek]) -> str:
    last = weeks[-1]
    weeks_ago = "1 week" if last.week == 1 else f"{last.week} weeks"
    return (
        f"Of {last.started} who started {weeks_ago} ago or longer, {last.dropped_out} had stopped early "
        f"by then and {last.in_course} were still in the course."
    )
