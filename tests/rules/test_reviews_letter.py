"""What a letter needs, what may open next, and how lateness is said."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from icbt_support.plan.rules import StepChoice
from icbt_support.programme.library import load_library
from icbt_support.reviews.drafts import draft_content, letter_of_draft
from icbt_support.reviews.rules import (
    LAST_REVIEW,
    PAUSE,
    LetterIncomplete,
    LetterSection,
    LetterToSend,
    NextStepMissing,
    check_letter,
    default_opening,
    late_sentences,
    opening_options,
    opens_module,
    reviews_merge,
)

TODAY, NEXT = date(2026, 11, 19), date(2026, 11, 26)
STEP = StepChoice("One walk with Mo", "doing comes before feeling like it", date(2026, 11, 22), time(18))
LETTER = LetterToSend(
    sections=(LetterSection("What I noticed", "You went for a walk."),),
    step=STEP,
    opens=opens_module("doing-more"),
    next_review_at=datetime(2026, 11, 26, 9, 30, tzinfo=UTC),
)


def check(letter: LetterToSend, next_on: date | None = NEXT, *, is_late_follow: bool = False) -> None:
    check_letter(
        letter, today=TODAY, next_review_on=next_on, merge_under_days=3, is_late_follow=is_late_follow
    )


def problems(letter: LetterToSend, next_on: date | None = NEXT) -> list[str]:
    with pytest.raises(LetterIncomplete) as refused:
        check(letter, next_on)
    return [problem.field for problem in refused.value.problems]


def test_a_whole_letter_is_let_through() -> None:
    check(LETTER)


@pytest.mark.parametrize(
    ("step", "field"),
    [
        (None, "step_by_on"),
        (replace(STEP, what=" "), "step_what"),
        (replace(STEP, why=""), "step_why"),
        (replace(STEP, by_on=date(2026, 11, 18)), "step_by_on"),
        (replace(STEP, by_on=date(2026, 11, 27)), "step_by_on"),
    ],
)
def test_the_next_step_needs_what_why_and_a_day_before_the_next_review(
    step: StepChoice | None, field: str
) -> None:
    with pytest.raises(NextStepMissing) as refused:
        check(replace(LETTER, step=step))
    assert [problem.field for problem in refused.value.problems] == [field]


def test_a_letter_needs_words_an_opening_and_a_date() -> None:
    assert problems(replace(LETTER, sections=())) == ["sections"]
    assert problems(replace(LETTER, opens="")) == ["opens"]
    assert problems(replace(LETTER, next_review_at=None), None) == ["next_review_at"]


def test_a_next_review_under_three_days_away_is_refused() -> None:
    near = replace(LETTER, step=replace(STEP, by_on=TODAY))
    assert problems(near, date(2026, 11, 21)) == ["next_review_at"]
    check(near, date(2026, 11, 22))


def test_the_last_review_needs_neither_step_nor_date() -> None:
    check(replace(LETTER, opens=LAST_REVIEW, step=None, next_review_at=None), None)


def test_a_late_review_that_follows_needs_only_its_words_and_its_step() -> None:
    check(replace(LETTER, opens="", next_review_at=None), NEXT, is_late_follow=True)
    with pytest.raises(NextStepMissing):
        check(replace(LETTER, step=None), NEXT, is_late_follow=True)


def test_a_draft_gives_back_the_letter_that_it_was_made_of() -> None:
    assert letter_of_draft(draft_content(LETTER)) == LETTER


def test_an_empty_section_is_dropped_and_a_half_written_draft_can_be_read() -> None:
    content = {"sections": [{"heading": "Your question", "words": "  "}], "step_what": "Walk"}
    letter = letter_of_draft(content)
    assert (letter.sections, letter.step, letter.opens, letter.next_review_at) == ((), None, "", None)


def test_the_supporter_may_open_anything_and_the_order_is_a_help() -> None:
    programme = load_library()["low-mood"]
    values = [option.value for option in opening_options(programme, "doing-more")]
    assert values[:2] == ["module:doing-more", "module:noticing-thoughts"]
    assert values[-2:] == [PAUSE, LAST_REVIEW]
    assert len(values) == len(set(values)) == len(programme.modules) + 2


def test_the_same_module_opens_again_if_it_was_not_opened() -> None:
    programme = load_library()["low-mood"]
    assert default_opening(programme, "doing-more", was_opened=False) == "module:doing-more"
    assert default_opening(programme, "doing-more", was_opened=True) == "module:noticing-thoughts"
    assert default_opening(programme, "keeping-well", was_opened=True) == LAST_REVIEW


def test_reviews_under_three_days_apart_merge() -> None:
    assert reviews_merge(date(2026, 11, 24), NEXT, 3)
    assert not reviews_merge(date(2026, 11, 23), NEXT, 3)


def test_lateness_is_owned_and_promises_only_what_somebody_took() -> None:
    told_by = {"told_by_on": date(2026, 11, 20), "told_by": time(12)}
    assert " ".join(late_sentences(writer="Priya", **told_by)) == (
        "Priya's review is not here yet. That is on us, not you. Your answers are safe. "
        "By 12pm on Friday 20 November we will tell you who writes, and when."
    )
    assert late_sentences(writer="", **told_by)[0].startswith("Your review is not here yet.")
    taken = late_sentences(
        writer="Priya", **told_by, taken_by="Tom", new_promise=datetime(2026, 11, 24, 17, tzinfo=UTC)
    )
    assert taken[-1] == "Tom will write by 5pm on Tuesday 24 November."


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("because small steps count", "small steps count"),
        ("Because, small steps count ", "small steps count"),
        ("small steps count, because they add up", "small steps count, because they add up"),
        ("because", ""),
        ("becauseway walks help", "becauseway walks help"),
    ],
)
def test_a_reason_is_not_begun_with_because_twice(typed: str, reason: str) -> None:
    kept = draft_content(replace(LETTER, step=replace(STEP, why=typed)))
    step = letter_of_draft(kept).step
    assert step is not None
    assert step.why == reason
