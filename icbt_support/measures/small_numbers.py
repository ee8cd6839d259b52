"""What an export, a print or a mail may carry of counts and rates that add up to a known whole. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from icbt_support.measures.outcomes import SMALLEST_SHOWN, Outcome, OutcomeRates, Rate

IN_ORDER = (
    Outcome.RECOVERY,
    Outcome.RELIABLE_IMPROVEMENT,
    Outcome.RELIABLE_RECOVERY,
    Outcome.RELIABLE_DETERIORATION,
    Outcome.AT_CASENESS,
)
"""Of two rates that tell few people apart the later one is hidden."""


def without_small_counts(counts: Sequence[int]) -> list[int | None]:
    """Counts that add up to a known total: None is hidden.

    Every count under 5 is hidden, and the smallest of the others with it for as long as the total would give away
    what is hidden: a single count, a sum under 5, or nothing but fours.
    """

    def are_given_away(places: set[int]) -> bool:
        hidden = [counts[place] for place in places]
        return len(hidden) == 1 or sum(hidden) < SMALLEST_SHOWN or set(hidden) == {SMALLEST_SHOWN - 1}

    small = {place for place, count in enumerate(counts) if count < SMALLEST_SHOWN}
    hidden = _hidden(small, counts, are_given_away) if small else small
    return [None if place in hidden else count for place, count in enumerate(counts)]


def without_small_rates(groups: Sequence[OutcomeRates]) -> list[dict[Outcome, Rate | None]]:
    """The rates of the rows of a breakdown: None is hidden.

    A rate is hidden where its count, the rest of its group, or those who were left out of its group, are under 5, or
    those who are between it and another rate of the row; every rate is where the row's number of completed courses is
    hidden, since a rate says it again. The smallest of the others is hidden with them for as long as the rates of
    everybody would give away what is hidden.
    """
    small = [_small_of(group) for group in groups]
    for hidden_of_row, size in zip(
        small, without_small_counts([one.completed for one in groups]), strict=True
    ):
        hidden_of_row.update(Outcome if size is None else ())
    hidden: dict[Outcome, set[int]] = {}
    for outcome in IN_ORDER:
        places = {place for place, outcomes in enumerate(small) if outcome in outcomes}
        sizes = [group.by_outcome[outcome].total for group in groups]
        hidden[outcome] = _hidden(places, sizes, _GivenAway(groups, outcome, hidden))
    return [
        {outcome: None if place in hidden[outcome] else group.by_outcome[outcome] for outcome in Outcome}
        for place, group in enumerate(groups)
    ]


@dataclass(frozen=True)
class _GivenAway:
    """Whether the hidden rates of an outcome can be worked out from everybody's, beside those of earlier outcomes."""

    groups: Sequence[OutcomeRates]
    outcome: Outcome
    hidden_before: dict[Outcome, set[int]]

    def __call__(self, places: set[int]) -> bool:
        return (bool(places) and self._is_small_together(places)) or any(
            self._tells_apart(places | self.hidden_before[other], other)
            for other, outcome, _ in _between_all(self.groups)
            if outcome is self.outcome
        )

    def _is_small_together(self, places: set[int]) -> bool:
        rates = [self.groups[place].by_outcome[self.outcome] for place in places]
        together = Rate(sum(rate.count for rate in rates), sum(rate.total for rate in rates))
        left_out = sum(_left_out(self.groups[place], self.outcome) for place in places)
        return len(places) == 1 or together.is_small or 0 < left_out < SMALLEST_SHOWN

    def _tells_apart(self, places: set[int], other: Outcome) -> bool:
        """The rows in which both are shown, taken from everybody, leave those in which one is hidden."""
        between = _between_all([self.groups[place] for place in places])
        return any(
            0 < people < SMALLEST_SHOWN
            for one, outcome, people in between
            if (one, outcome) == (other, self.outcome)
        )


def _small_of(group: OutcomeRates) -> set[Outcome]:
    """What a row may not say: small rates, and of two rates with few people between them one."""
    hidden = {
        outcome
        for outcome, rate in group.by_outcome.items()
        if rate.is_small or 0 < _left_out(group, outcome) < SMALLEST_SHOWN
    }
    for other, outcome, people in _between(group):
        if 0 < people < SMALLEST_SHOWN and not hidden.intersection((other, outcome)):
            hidden.add(outcome)
    return hidden


def _left_out(group: OutcomeRates, outcome: Outcome) -> int:
    return group.completed - group.by_outcome[outcome].total


def _between_all(groups: Sequence[OutcomeRates]) -> list[tuple[Outcome, Outcome, int]]:
    return [
        (*rows[0][:2], sum(people for _, _, people in rows))
        for rows in zip(*map(_between, groups), strict=True)
    ]


def _between(group: OutcomeRates) -> Iterable[tuple[Outcome, Outcome, int]]:
    """How many people the numbers of two rates of a row tell apart: recovered, but not reliably; without a reliable
    change; at caseness and not recovered; of whom it is not known whether they were at caseness.
    """
    rates = group.by_outcome
    was_case, recovered = rates[Outcome.AT_CASENESS].count, rates[Outcome.RECOVERY].count
    improved, reliably = rates[Outcome.RELIABLE_IMPROVEMENT].count, rates[Outcome.RELIABLE_RECOVERY].count
    changed = improved + rates[Outcome.RELIABLE_DETERIORATION].count
    not_known = group.recovery.total - was_case
    return (
        (Outcome.RECOVERY, Outcome.RELIABLE_RECOVERY, recovered - reliably),
        (Outcome.RELIABLE_IMPROVEMENT, Outcome.RELIABLE_RECOVERY, improved - reliably),
        (Outcome.RELIABLE_IMPROVEMENT, Outcome.RELIABLE_DETERIORATION, group.completed - changed),
        (Outcome.RELIABLE_IMPROVEMENT, Outcome.RELIABLE_DETERIORATION, group.with_every_score - changed),
        (Outcome.RECOVERY, Outcome.AT_CASENESS, was_case - recovered),
        (Outcome.RECOVERY, Outcome.AT_CASENESS, not_known),
        (Outcome.RELIABLE_RECOVERY, Outcome.AT_CASENESS, was_case - reliably),
        (Outcome.RELIABLE_RECOVERY, Outcome.AT_CASENESS, not_known),
    )


def _hidden(small: set[int], sizes: Sequence[int], are_given_away: Callable[[set[int]], bool]) -> set[int]:
    """The places that stay hidden: those that have to be, and as many of the others as keep them so."""
    hidden = set(small)
    others = sorted(set(range(len(sizes))) - hidden, key=lambda place: (sizes[place], place))
    while others and are_given_away(hidden):
        hidden.add(others.pop(0))
    return hidden
