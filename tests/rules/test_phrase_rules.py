"""What a phrase fills in, which gaps block a letter, and when a phrase counts as used."""

import pytest

from icbt_support.phrases.rules import VARIABLES, fill_in, is_still_in, unfilled, unknown_variables

PHRASE = "Well done, {called}: you tried [what they tried], and that is what {module} is about."


def known(name: str) -> str:
    return {"called": "Sam"}.get(name, "")


def test_what_is_known_is_filled_in_and_the_rest_stands() -> None:
    assert fill_in("{called}, {step} by {step_by}. {nobody}", known) == "Sam, {step} by {step_by}. {nobody}"


def test_a_value_that_looks_like_a_variable_is_not_filled_in_again() -> None:
    assert fill_in("{called}", lambda name: "{step}" if name == "called" else "never") == "{step}"


def test_gaps_and_variables_that_still_stand_are_named_in_their_order() -> None:
    assert unfilled(fill_in(PHRASE, known)) == ["[what they tried]", "{module}"]


@pytest.mark.parametrize("words", ["", "I said [...] and [12]", "{nobody}", "a [ b", "[two\nlines]", "[ ]"])
def test_brackets_that_name_nothing_are_no_gap(words: str) -> None:
    assert unfilled(words) == []


def test_a_gap_in_any_letters_is_a_gap() -> None:
    assert unfilled("[ça va] [x]") == ["[ça va]", "[x]"]


def test_only_words_of_the_list_fill_themselves_in() -> None:
    everything = " ".join(f"{{{name}}}" for name in VARIABLES)
    assert unknown_variables(everything) == []
    assert unknown_variables("{Called} {scores} {scores}") == ["{Called}", "{scores}"]


@pytest.mark.parametrize(
    ("letter", "is_used"),
    [
        ("WELL DONE, Sam: you tried a walk, and  that is what Doing more is about.", True),
        ("You tried a walk, and that is what the module is about.", True),
        ("I took it all out again.", False),
    ],
)
def test_a_phrase_counts_while_its_longest_part_is_in_the_letter(letter: str, is_used: bool) -> None:
    assert is_still_in(PHRASE, letter) is is_used


def test_a_phrase_that_is_nearly_all_gap_counts() -> None:
    assert is_still_in("[what you noticed]. Good.", "Whatever")
