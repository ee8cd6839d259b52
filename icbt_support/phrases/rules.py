"""What a phrase may hold: words that fill themselves in, gaps that a person fills, and what is left of it. Pure."""

import re
from collections.abc import Callable, Sequence

VARIABLES: dict[str, str] = {
    "called": "what the patient is called",
    "supporter": "what the supporter is called",
    "programme": "the name of the course",
    "module": "the module of the week that ends",
    "next_module": "the module that opens next",
    "last_step": "the step that was agreed last time",
    "step": "the next step, as chosen in this letter",
    "step_by": "the day by which to do the next step",
    "next_review": "the day of the next review",
    "score_change": "how the scores moved, in words",
}
_VARIABLE = re.compile(r"\{([A-Za-z_]{1,30})\}")
_GAP = re.compile(r"\[[^\[\]\n]{0,79}[^\W\d_][^\[\]\n]{0,79}\]")
_FIXED_ENOUGH = 12


class UnknownVariables(Exception):
    """Words in curly brackets that fill in nothing: `names`, as they were typed."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = tuple(names)


def unknown_variables(words: str) -> list[str]:
    """`{nobody}` for everything in curly brackets that is not in the list."""
    found = dict.fromkeys(_VARIABLE.findall(words))
    return [f"{{{name}}}" for name in found if name not in VARIABLES]


def fill_in(words: str, value_of: Callable[[str], str]) -> str:
    """Puts in what is known; a variable whose value is empty stays as it stands, to be filled later."""

    def value(found: re.Match[str]) -> str:
        known = value_of(found[1]) if found[1] in VARIABLES else ""
        return known or found[0]

    return _VARIABLE.sub(value, words)


def unfilled(words: str) -> list[str]:
    """The gaps (`[what you noticed]`) and variables (`{step}`) that still stand in a text, in their order.

    Brackets without a letter in them, such as `[...]`, are no gap.
    """
    gaps = [(found.start(), found[0]) for found in _GAP.finditer(words)]
    variables = [(found.start(), found[0]) for found in _VARIABLE.finditer(words) if found[1] in VARIABLES]
    return list(dict.fromkeys(text for _, text in sorted(gaps + variables)))


def is_still_in(phrase: str, letter: str) -> bool:
    """Whether a phrase that was put into a letter is still there: its longest part without gaps is.

    A phrase that is nearly all gaps counts as used.
    """
    parts = _GAP.split(_VARIABLE.sub("[x]", phrase))
    longest = max((_plain(part) for part in parts), key=len)
    return len(longest) < _FIXED_ENOUGH or longest in _plain(letter)


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold()
