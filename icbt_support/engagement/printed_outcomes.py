"""What a print of the outcomes may carry: no number under 5, and none from which one can be worked out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from icbt_support.engagement.outcome_filter import DROPPED_OUT
from icbt_support.engagement.outcomes import OutcomeReport
from icbt_support.enrolments.models import EndCode
from icbt_support.measures.outcomes import SMALLEST_SHOWN, Rate
from icbt_support.measures.small_numbers import without_small_counts


@dataclass(frozen=True)
class PrintedNumbers:
    """The numbers of a report beside its rates; None is hidden. `dropped_out_at` stands in the report's order."""

    ended: int | None
    completed: int | None
    not_completed: int | None
    missing_scores: int | None
    never_started: int | None
    dropped_out: Rate | None
    end_codes: dict[EndCode, int | None]
    dropped_out_at: list[int | None]


def printed_numbers(report: OutcomeReport) -> PrintedNumbers:
    """The rates are printed out of all who completed: where fewer than 5 did not, whatever adds up to everybody who
    ended is hidden. Those who stopped early are one part of the ways of ending, and have parts of their own.
    """
    completed = report.rates.completed
    not_completed = report.ended - completed
    is_sum_hidden = not_completed < SMALLEST_SHOWN
    [missing, _] = without_small_counts([report.rates.with_missing_scores, report.rates.with_every_score])
    [never_started] = without_small_counts([report.never_started])
    dropped_out = None if is_sum_hidden else _dropped_out(report)
    return PrintedNumbers(
        ended=None if is_sum_hidden else report.ended,
        completed=None if completed < SMALLEST_SHOWN else completed,
        not_completed=None if is_sum_hidden or completed < SMALLEST_SHOWN else not_completed,
        missing_scores=missing,
        never_started=never_started,
        dropped_out=dropped_out,
        end_codes=dict.fromkeys(report.end_codes)
        if is_sum_hidden
        else _end_codes(report, is_split=dropped_out is not None),
        dropped_out_at=_parts_of([row.count for row in report.dropped_out_at], dropped_out),
    )


def _dropped_out(report: OutcomeReport) -> Rate | None:
    return None if report.dropped_out.is_small else report.dropped_out


def _end_codes(report: OutcomeReport, *, is_split: bool) -> dict[EndCode, int | None]:
    """Where it is printed how many stopped early, their codes add up to one known number and the others to another."""
    codes = list(report.end_codes)
    early = [code for code in codes if code in DROPPED_OUT]
    others = [code for code in codes if code not in DROPPED_OUT]
    printed: dict[EndCode, int | None] = {}
    for part in (early, others) if is_split else (codes,):
        counts = without_small_counts([report.end_codes[code] for code in part])
        printed.update(zip(part, counts, strict=True))
    return printed


def _parts_of(counts: Sequence[int], whole: Rate | None) -> list[int | None]:
    return [None] * len(counts) if whole is None else without_small_counts(counts)
