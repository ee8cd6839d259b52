"""Outcomes in words: rates with their interval, and what a print shows in the place of a small number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from icbt_support.measures.outcomes import Outcome, OutcomeRates, Rate
from icbt_support.measures.small_numbers import without_small_counts, without_small_rates

NOT_NATIONAL = (
    "Course outcomes by NHS definitions, from the PHQ-9 and GAD-7 recorded here. Not the service's national figures: "
    "those use its care record, anxiety-specific measures and attended appointments."
)
HIDDEN = "Hidden: too few people"
NO_RATE = "No rate"


@dataclass(frozen=True)
class Cell:
    """A number that may lead to its people; a print shows `HIDDEN` where it `is_hidden`."""

    words: str
    detail: str = ""
    href: str = ""
    is_hidden: bool = False


@dataclass(frozen=True)
class BreakdownRow:
    """One row of a breakdown: its name, the address that narrows the page to it, completed, and the rates."""

    label: str
    href: str
    completed: Cell
    cells: tuple[Cell, ...]


def rate_cell(rate: Rate, shown: Rate | None, href: str) -> Cell:
    if not rate.total:
        return Cell(NO_RATE)
    return Cell(
        f"{rate.count} of {rate.total}",
        share_words(rate),
        href if rate.count else "",
        is_hidden=shown is None,
    )


def share_words(rate: Rate) -> str:
    """ "45% (95% interval 31% to 60%)"; empty where there is no rate."""
    if rate.share is None or rate.interval is None:
        return ""
    low, high = rate.interval
    return f"{rate.share:.0%} (95% interval {low:.0%} to {high:.0%})"


def count_cell(count: int, shown: int | None, href: str = "") -> Cell:
    """A count, and what of it a print may carry."""
    return Cell(str(count), href=href if count else "", is_hidden=shown is None)


def breakdown_rows(
    labels: Sequence[str],
    groups: Sequence[OutcomeRates],
    narrowed: Sequence[str],
    completed_people: Sequence[str],
    people: Sequence[Mapping[Outcome, str]],
) -> list[BreakdownRow]:
    """`narrowed` leads to the page of one row, the others to the people behind its numbers."""
    shown = without_small_rates(groups)
    counts = [group.completed for group in groups]
    completed = map(count_cell, counts, without_small_counts(counts), completed_people)
    return [
        BreakdownRow(
            label,
            href,
            done,
            tuple(rate_cell(group.by_outcome[one], row[one], links[one]) for one in Outcome),
        )
        for label, href, group, done, row, links in zip(
            labels, narrowed, groups, completed, shown, people, strict=True
        )
    ]


def swapped(cell: Cell) -> Markup:
    """A number on the screen, and what stands in its place on paper."""
    words = (
        Markup('<a href="{}">{}</a>').format(cell.href, cell.words)
        if cell.href
        else Markup.escape(cell.words)
    )
    if cell.detail:
        words += Markup('<span class="sub">{}</span>').format(cell.detail)
    if cell.is_hidden:
        words = Markup('<span class="screen-only">{}</span><span class="print-only">{}</span>').format(
            words, HIDDEN
        )
    return Markup("<span>{}</span>").format(words)


def month_words(first: date) -> str:
    """November 2026"""
    return f"{first:%B} {first.year}"
