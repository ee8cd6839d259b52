"""Charts drawn on the server as SVG: no chart library, no script, no inline style.

The outer drawing has no viewBox: x is in percent and y in pixels, so text keeps its size on a phone.
Each chart also carries its numbers, so that a page can show them as a table beside the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup, escape

LEFT_MARGIN = 7.0
TOP_MARGIN = 12
BOTTOM_MARGIN = 34
MARGIN_FOR_BAND_WORDS = 34
FEWEST_FOR_A_FINDING = 20


@dataclass(frozen=True)
class Series:
    """One set of values. `look` names how it is painted: tools, signed, none, held, reviews, late or pale."""

    label: str
    look: str
    values: Sequence[int]


@dataclass(frozen=True)
class Chart:
    """A picture and the same numbers: `legend` is (label, look) pairs, `rows` start with their row header."""

    svg: Markup
    caption: str
    legend: Sequence[tuple[str, str]]
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def with_links(self, hrefs: Sequence[Sequence[str]]) -> "Chart":
        """Its numbers as links to what is behind them, row by row; a 0, or one without an address, stays plain."""
        return replace(
            self,
            rows=[
                [head, *(_linked(words, href) for words, href in zip(cells, row_hrefs, strict=True))]
                for (head, *cells), row_hrefs in zip(self.rows, hrefs, strict=True)
            ],
        )


def _linked(words: str, href: str) -> str:
    return Markup('<a href="{}">{}</a>').format(href, words) if href and words != "0" else words


def stacked_columns(
    chart_id: str,
    title: str,
    description: str,
    categories: Sequence[str],
    series: Sequence[Series],
    *,
    category_name: str = "Week of",
    height: int = 260,
    maximum: int | None = None,
) -> Chart:
    """One column for each category, the series stacked from the bottom in the order given."""
    axis = _Axis(height, maximum or _nice_maximum(_tallest(series, len(categories))))
    step = (100 - LEFT_MARGIN) / len(categories)
    parts = [axis.grid()]
    for index, category in enumerate(categories):
        x = LEFT_MARGIN + step * (index + 0.16)
        parts.append(axis.column(x, step * 0.68, [(one.look, one.values[index]) for one in series]))
        parts.append(
            _category_label(category, LEFT_MARGIN + step * (index + 0.5), height, index, len(categories))
        )
    return Chart(
        svg=_drawing(chart_id, title, description, height, parts),
        caption=title,
        legend=[(one.label, one.look) for one in series],
        heads=[category_name, *(one.label for one in series)],
        rows=[[c, *(str(one.values[i]) for one in series)] for i, c in enumerate(categories)],
    )


def pairs(
    chart_id: str,
    title: str,
    description: str,
    categories: Sequence[str],
    left: Sequence[Series],
    right: Sequence[Series],
    *,
    category_name: str = "Week of",
    height: int = 270,
    maximum: int | None = None,
) -> Chart:
    """Two stacked columns for each category on one axis: `left` is the wide one, `right` the narrow one."""
    tallest = max(_tallest(left, len(categories)), _tallest(right, len(categories)))
    axis = _Axis(height, maximum or _nice_maximum(tallest))
    step = (100 - LEFT_MARGIN) / len(categories)
    parts = [axis.grid()]
    for index, category in enumerate(categories):
        for stack, offset, width in ((left, 0.12, 0.42), (right, 0.58, 0.26)):
            x = LEFT_MARGIN + step * (index + offset)
            parts.append(axis.column(x, step * width, [(one.look, one.values[index]) for one in stack]))
        parts.append(
            _category_label(category, LEFT_MARGIN + step * (index + 0.48), height, index, len(categories))
        )
    every_series = [*left, *right]
    return Chart(
        svg=_drawing(chart_id, title, description, height, parts),
        caption=title,
        legend=[(one.label, one.look) for one in every_series],
        heads=[category_name, *(one.label for one in every_series)],
        rows=[[c, *(str(one.values[i]) for one in every_series)] for i, c in enumerate(categories)],
    )


def line_with_bands(
    chart_id: str,
    title: str,
    description: str,
    points: Sequence[tuple[str, int]],
    maximum: int,
    bands: Sequence[tuple[int, int, str]],
    *,
    point_name: str = "When",
    value_name: str = "Score",
    height: int = 240,
) -> Chart:
    """A score over time in front of its bands, which are (lowest score, highest score, words)."""
    axis = _Axis(height, maximum, top=26)
    parts: list[Markup] = []
    for index, (lowest, highest, words) in enumerate(bands):
        upper = min(highest + 1, maximum)
        parts.append(axis.band(lowest, upper, words, index))
    first, last = LEFT_MARGIN + 6, 100 - MARGIN_FOR_BAND_WORDS
    places = [first + (last - first) * index / max(len(points) - 1, 1) for index in range(len(points))]
    plot_width = 100 - LEFT_MARGIN
    plot_height = axis.bottom - axis.top
    path = " ".join(
        f"{(x - LEFT_MARGIN) / plot_width * 1000:.1f},{axis.y(value) - axis.top:.1f}"
        for x, (_, value) in zip(places, points, strict=True)
    )
    parts.append(
        Markup(
            '<svg x="{}%" y="{}" width="{}%" height="{}" viewBox="0 0 1000 {}" preserveAspectRatio="none">'
            '<polyline class="chart-line" points="{}" fill="none" vector-effect="non-scaling-stroke"/></svg>'
        ).format(LEFT_MARGIN, axis.top, plot_width, plot_height, plot_height, path)
    )
    for index, (x, (label, value)) in enumerate(zip(places, points, strict=True)):
        parts.append(
            Markup(
                '<circle class="chart-point" cx="{:.2f}%" cy="{:.1f}" r="6"/>'
                '<text class="chart-value" x="{:.2f}%" y="{:.1f}" text-anchor="middle">{}</text>'
            ).format(x, axis.y(value), x, axis.y(value) - 12, value)
        )
        parts.append(_category_label(label, x, height, index, len(points)))
    return Chart(
        svg=_drawing(chart_id, title, description, height, parts),
        caption=title,
        legend=[],
        heads=[point_name, value_name],
        rows=[[label, f"{value} out of {maximum}"] for label, value in points],
    )


def reach_bars(
    chart_id: str,
    title: str,
    rows: Sequence[tuple[str, int, int]],
    *,
    label_name: str = "Module",
    floor: int = FEWEST_FOR_A_FINDING,
) -> Chart:
    """Of those who had the chance, how many did: rows are (label, how many did, how many could).

    Where fewer than `floor` people could, the bar is pale: too few for a finding.
    """
    row_height = 44
    parts: list[Markup] = []
    for index, (label, count, total) in enumerate(rows):
        top = index * row_height
        share = 100 * count / total if total else 0
        parts.append(
            Markup(
                '<text class="chart-label" x="0" y="{}">{}</text>'
                '<text class="chart-label chart-number" x="100%" y="{}" text-anchor="end">{} of {}</text>'
                '<rect class="paint-none" x="0.5" y="{}" width="99.7%" height="11" rx="5.5"/>'
            ).format(top + 15, label, top + 15, count, total, top + 22)
        )
        if count:
            look = "tools" if total >= floor else "pale"
            parts.append(
                Markup('<rect class="paint-{}" x="0.5" y="{}" width="{:.1f}%" height="11" rx="5.5"/>').format(
                    look, top + 22, share * 0.997
                )
            )
    description = ". ".join(f"{label}: {count} of {total}" for label, count, total in rows)
    return Chart(
        svg=_drawing(chart_id, title, description, row_height * max(len(rows), 1), parts),
        caption=title,
        legend=[],
        heads=[label_name, "How many", "Out of"],
        rows=[[label, str(count), str(total)] for label, count, total in rows],
    )


def intervals(
    chart_id: str,
    title: str,
    rows: Sequence[tuple[str, int, int, float, float]],
    *,
    label_name: str = "Group",
) -> Chart:
    """A rate with its interval: rows are (label, count, total, lower bound, upper bound), bounds from 0 to 1.

    A row without people shows no rate.
    """
    row_height = 46
    parts: list[Markup] = []
    table_rows: list[list[str]] = []
    for index, (label, count, total, low, high) in enumerate(rows):
        middle = index * row_height + 30
        words = f"{count} of {total}" if total else "no rate"
        table_rows.append([label, words, f"{low:.0%} to {high:.0%}" if total else ""])
        parts.append(
            Markup(
                '<text class="chart-label" x="0" y="{}">{}</text>'
                '<text class="chart-label chart-number" x="100%" y="{}" text-anchor="end">{}</text>'
                '<line class="chart-grid" x1="0" x2="100%" y1="{}" y2="{}"/>'
            ).format(middle - 14, label, middle - 14, words, middle, middle)
        )
        if total:
            parts.append(
                Markup(
                    '<line class="chart-interval" x1="{:.1f}%" x2="{:.1f}%" y1="{}" y2="{}"/>'
                    '<circle class="chart-point" cx="{:.1f}%" cy="{}" r="6"/>'
                ).format(low * 100, high * 100, middle, middle, 100 * count / total, middle)
            )
    description = ". ".join(" ".join(row) for row in table_rows)
    return Chart(
        svg=_drawing(chart_id, title, description, row_height * max(len(rows), 1), parts),
        caption=title,
        legend=[],
        heads=[label_name, "How many", "Interval"],
        rows=table_rows,
    )


class _Axis:
    """The vertical scale of one drawing, in pixels from the top."""

    def __init__(self, height: int, maximum: int, top: int = TOP_MARGIN) -> None:
        self.top = top
        self.bottom = height - BOTTOM_MARGIN
        self.maximum = maximum

    def y(self, value: float) -> float:
        return self.top + (self.bottom - self.top) * (1 - value / self.maximum)

    def grid(self) -> Markup:
        lines = [
            Markup(
                '<line class="chart-grid" x1="{}%" x2="100%" y1="{:.1f}" y2="{:.1f}"/>'
                '<text class="chart-tick" x="{}%" y="{:.1f}" text-anchor="end">{}</text>'
            ).format(LEFT_MARGIN, self.y(value), self.y(value), LEFT_MARGIN - 1.5, self.y(value) + 5, value)
            for value in range(0, self.maximum + 1, _tick(self.maximum))
        ]
        return Markup("").join(lines)

    def column(self, x: float, width: float, stack: Sequence[tuple[str, int]]) -> Markup:
        base, boxes = 0, []
        for look, value in stack:
            if value:
                upper, lower = self.y(base + value), self.y(base)
                boxes.append(
                    Markup(
                        '<rect class="paint-{}" x="{:.2f}%" width="{:.2f}%" y="{:.1f}" height="{:.1f}" '
                        'rx="2"/>'
                    ).format(look, x, width, upper + 1, max(lower - upper - 2, 2))
                )
            base += value
        return Markup("").join(boxes)

    def band(self, lowest: int, upper: int, words: str, index: int) -> Markup:
        return Markup(
            '<rect class="chart-band chart-band--{}" x="{}%" width="{}%" y="{:.1f}" height="{:.1f}"/>'
            '<text class="chart-band-words" x="99%" y="{:.1f}" text-anchor="end">{}</text>'
            '<text class="chart-tick" x="{}%" y="{:.1f}" text-anchor="end">{}</text>'
        ).format(
            index % 5,
            LEFT_MARGIN,
            100 - LEFT_MARGIN,
            self.y(upper),
            self.y(lowest) - self.y(upper),
            self.y(upper) + 16,
            words,
            LEFT_MARGIN - 1.5,
            self.y(lowest) + 5,
            lowest,
        )


def _drawing(chart_id: str, title: str, description: str, height: int, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" role="img" aria-labelledby="{0}-title {0}-description" width="100%" height="{1}">'
        '<title id="{0}-title">{2}</title><desc id="{0}-description">{3}</desc>{4}</svg>'
    ).format(escape(chart_id), height, title, description, Markup("").join(parts))


def _category_label(words: str, x: float, height: int, index: int, count: int) -> Markup:
    """On a phone only every second label is shown, or every third of many, counted from the last."""
    every = 3 if count > 8 else 2
    hidden = "" if count <= 4 or index % every == (count - 1) % every else " chart-tick--wide-only"
    return Markup('<text class="chart-tick{}" x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
        hidden, x, height - 12, words
    )


def _tallest(series: Sequence[Series], count: int) -> int:
    return max((sum(one.values[index] for one in series) for index in range(count)), default=1)


def _tick(maximum: int) -> int:
    for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500):
        if maximum / tick <= 6:
            return tick
    return maximum


def _nice_maximum(tallest: int) -> int:
    tick = _tick(max(tallest, 1))
    return max(-(-tallest // tick) * tick, 1)
