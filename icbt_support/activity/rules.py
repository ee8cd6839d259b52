"""When somebody was here, kept as bits of one number: small enough to stand in a person's own row. Pure."""

from collections.abc import Iterable
from datetime import date

WEEKS_KEPT = 26
FIRST_DAYS_KEPT = 14
WEEKS_MASK = (1 << WEEKS_KEPT) - 1
FIRST_DAYS_MASK = (1 << FIRST_DAYS_KEPT) - 1
_PAGE = "page:"


def week_number(on: date) -> int:
    """Counts weeks from Monday to Sunday; the next week has the next number."""
    return (on.toordinal() - 1) // 7


def weeks_before(numbers: Iterable[int], last: int) -> int:
    """Bit n is set where a week n weeks before `last` is among `numbers`."""
    bits = 0
    for number in numbers:
        if 0 <= last - number < WEEKS_KEPT:
            bits |= 1 << (last - number)
    return bits


def days_after(days: Iterable[int], first: int) -> int:
    """Bit n is set where a day n days after `first` is among `days`."""
    bits = 0
    for day in days:
        if 0 <= day - first < FIRST_DAYS_KEPT:
            bits |= 1 << (day - first)
    return bits


def module_of_page(subject: str) -> str:
    """The module that a page read (`page:<module>/<page>`) belongs to; empty for anything else."""
    return subject.removeprefix(_PAGE).split("/", 1)[0] if subject.startswith(_PAGE) else ""


def as_module_mark(module: str) -> str:
    """A module as it stands in the text of modules opened: no mark is part of another one."""
    return f"/{module}/" if module else ""


def modules_of_marks(marks: str) -> frozenset[str]:
    return frozenset(module for module in marks.split("/") if module)
