"""What a print of the outcomes may carry: nobody reads a number under 5 from one number less another."""

from icbt_support.engagement.dropping_out import DropOutAt
from icbt_support.engagement.outcomes import OutcomeReport
from icbt_support.engagement.printed_outcomes import printed_numbers
from icbt_support.enrolments.models import EndCode
from icbt_support.measures.outcomes import Outcome, OutcomeRates, Rate

AGREED, STOPPED, LOST, DECLINED = (
    EndCode.AGREED,
    EndCode.PATIENT_STOPPED_EARLIER,
    EndCode.LOST,
    EndCode.ENDED_EARLIER_THAN_PATIENT_WANTED,
)


def report(
    completed: int, codes: dict[EndCode, int], *, missing: int = 0, modules: tuple[int, ...] = ()
) -> OutcomeReport:
    ended = sum(codes.values())
    return OutcomeReport(
        ended=ended,
        never_started=7,
        rates=OutcomeRates(completed, completed - missing, dict.fromkeys(Outcome, Rate(0, completed))),
        by_programme={},
        by_month={},
        by_group={},
        dropped_out=Rate(codes.get(STOPPED, 0) + codes.get(LOST, 0), ended),
        end_codes=codes,
        dropped_out_at=tuple(DropOutAt("low-mood", f"m{place}", n) for place, n in enumerate(modules)),
        attrition=(),
    )


def test_large_numbers_are_printed() -> None:
    codes = {AGREED: 30, DECLINED: 12, STOPPED: 9, LOST: 5}
    printed = printed_numbers(report(40, codes, missing=6, modules=(8, 6)))
    assert (printed.ended, printed.completed, printed.not_completed) == (56, 40, 16)
    assert (printed.missing_scores, printed.never_started) == (6, 7)
    assert printed.dropped_out == Rate(14, 56)
    assert printed.end_codes == codes
    assert printed.dropped_out_at == [8, 6]


def test_the_sum_is_hidden_where_the_rates_say_how_many_completed_and_few_did_not() -> None:
    """38 of 40 completed: the rates are out of 38."""
    printed = printed_numbers(report(38, {AGREED: 30, STOPPED: 10}, modules=(10,)))
    assert (printed.ended, printed.completed, printed.not_completed) == (None, 38, None)
    assert (printed.dropped_out, printed.dropped_out_at) == (None, [None])
    assert set(printed.end_codes.values()) == {None}


def test_few_who_completed_are_not_the_sum_less_the_others() -> None:
    printed = printed_numbers(report(2, {AGREED: 20, STOPPED: 20}))
    assert (printed.ended, printed.completed, printed.not_completed) == (40, None, None)


def test_the_codes_of_those_who_stopped_early_have_a_sum_of_their_own() -> None:
    """3 were lost: not only the smallest code of all is hidden with them, or 23 less 20 would say so."""
    printed = printed_numbers(report(20, {AGREED: 30, DECLINED: 6, STOPPED: 20, LOST: 3}))
    assert printed.dropped_out == Rate(23, 59)
    assert printed.end_codes == {AGREED: 30, DECLINED: 6, STOPPED: None, LOST: None}


def test_a_single_code_of_those_who_stopped_early_hides_how_many_did() -> None:
    printed = printed_numbers(report(20, {AGREED: 30, DECLINED: 6, LOST: 3}, modules=(3,)))
    assert (printed.dropped_out, printed.dropped_out_at) == (None, [None])
    assert printed.end_codes == {AGREED: 30, DECLINED: None, LOST: None}
