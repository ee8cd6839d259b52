"""Trainings and their dates, targets and small numbers: pure."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from icbt_support.accounts.models import STAFF_ROLES, Role
from icbt_support.measures.outcomes import SMALLEST_SHOWN

DUE_SOON = timedelta(days=30)
ENOUGH_FOR_A_SHARE = 20
GIVES_AWAY = "not shown: it would give away a small group"


class LeadKind(StrEnum):
    """Whom a service names, so that staff know whom to ask."""

    IMPLEMENTATION_LEAD = "implementation_lead"
    CLINICAL_CHAMPION = "clinical_champion"
    VENDOR_CONTACT = "vendor_contact"


LEAD_WORDS = {
    LeadKind.IMPLEMENTATION_LEAD: "Implementation lead",
    LeadKind.CLINICAL_CHAMPION: "Clinical champion",
    LeadKind.VENDOR_CONTACT: "Vendor contact",
}
LEAD_TASKS = {
    LeadKind.IMPLEMENTATION_LEAD: "How the course is used here: targets, training, time for reviews",
    LeadKind.CLINICAL_CHAMPION: "Clinical questions: for whom it is right, and how to write a good review",
    LeadKind.VENDOR_CONTACT: "What the product does, and what happens to the problems that we report",
}
MAY_BE_LEAD = {
    LeadKind.IMPLEMENTATION_LEAD: STAFF_ROLES,
    LeadKind.CLINICAL_CHAMPION: STAFF_ROLES,
    LeadKind.VENDOR_CONTACT: (Role.VENDOR,),
}
WEEKLY_EMAIL_TO = (LeadKind.IMPLEMENTATION_LEAD, LeadKind.CLINICAL_CHAMPION)


class NeededBy(StrEnum):
    """Who needs a training."""

    EVERYBODY = "everybody"
    SUPPORTERS = "supporters"
    CLINICIANS = "clinicians"
    ADMINISTRATORS = "administrators"


ROLES_THAT_NEED = {
    NeededBy.EVERYBODY: STAFF_ROLES,
    NeededBy.SUPPORTERS: (Role.SUPPORTER,),
    NeededBy.CLINICIANS: (Role.CLINICIAN,),
    NeededBy.ADMINISTRATORS: (Role.ADMINISTRATOR,),
}


class TrainingState(StrEnum):
    NOT_DONE = "not done"
    TO_CONFIRM = "to be confirmed"
    IN_DATE = "in date"
    DUE_SOON = "due soon"
    EXPIRED = "expired"


COUNTS_AS_TRAINED = (TrainingState.IN_DATE, TrainingState.DUE_SOON)


def expires_on(completed_on: date, valid_months: int | None) -> date | None:
    """The same day that many months later, or the last day of that month; None: it does not expire."""
    if valid_months is None:
        return None
    years, month = divmod(completed_on.month - 1 + valid_months, 12)
    year, month = completed_on.year + years, month + 1
    return date(year, month, min(completed_on.day, monthrange(year, month)[1]))


def training_state(
    completed_on: date | None, confirmed_on: date | None, valid_months: int | None, on: date
) -> TrainingState:
    """What a completion is worth on a day; one that nobody confirmed counts for nothing yet."""
    if completed_on is None:
        return TrainingState.NOT_DONE
    until = expires_on(completed_on, valid_months)
    if until is not None and until <= on:
        return TrainingState.EXPIRED
    if confirmed_on is None or confirmed_on > on:
        return TrainingState.TO_CONFIRM
    if until is not None and until - on <= DUE_SOON:
        return TrainingState.DUE_SOON
    return TrainingState.IN_DATE


@dataclass(frozen=True)
class Targets:
    """A service's own targets for a month; None: it has set none. Shares are in percent."""

    invited: int | None = None
    started: int | None = None
    first_module: int | None = None
    supporters_active: int | None = None
    reviews_on_time: int | None = None
    trained: int | None = None
    open_reports: int | None = None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Targets":
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Figure:
    """A count, and of how many (None where it is a plain count)."""

    count: int
    of: int | None = None

    @property
    def size(self) -> int:
        return self.count if self.of is None else self.of

    @property
    def words(self) -> str:
        """For those who may see the people behind it: n = 0 has no rate, and few have no percentage."""
        if self.of is None:
            return str(self.count)
        if self.of == 0:
            return "none to count"
        share = f" ({round(100 * self.count / self.of)}%)" if self.of >= ENOUGH_FOR_A_SHARE else ""
        return f"{self.count} of {self.of}{share}"

    @property
    def is_small(self) -> bool:
        """Whether a cell under 5 can be read from it."""
        rest = self.count if self.of is None else self.of - self.count
        return min(self.count, rest) < SMALLEST_SHOWN

    @property
    def words_outside(self) -> str:
        """For print and mail: a figure from which a cell under 5 can be read is not given."""
        if not self.is_small:
            return self.words
        if self.of is None:
            return f"fewer than {SMALLEST_SHOWN}"
        if self.of < SMALLEST_SHOWN:
            return f"fewer than {SMALLEST_SHOWN} in all"
        return f"not shown: a group of fewer than {SMALLEST_SHOWN}"

    def meets(self, target: int | None, *, is_share: bool, is_most: bool = False) -> bool | None:
        """Whether the target is reached; None without a target, or with nobody to count."""
        if target is None or (is_share and not self.of):
            return None
        if is_share:
            return 100 * self.count >= target * (self.of or 0)
        return self.count <= target if is_most else self.count >= target


def months_outside(months: Sequence[Figure]) -> list[str]:
    """The words for print of months that add up to a whole which is printed elsewhere.

    What is hidden could be worked out from the whole: the smallest of the other months are hidden too for as long
    as it can.
    """
    words = [month.words_outside for month in months]
    hidden = [month for month in months if month.is_small]
    others = [place for place, month in enumerate(months) if not month.is_small]
    others.sort(key=lambda place: months[place].size)
    while others and _are_given_away(hidden):
        place = others.pop(0)
        hidden.append(months[place])
        words[place] = GIVES_AWAY
    return words


def added_up(figures: Sequence[Figure]) -> Figure:
    counts = sum(one.count for one in figures)
    return Figure(
        counts, None if any(one.of is None for one in figures) else sum(one.size for one in figures)
    )


def _are_given_away(hidden: Sequence[Figure]) -> bool:
    """By what they add up to; nobody at all is no small group."""
    together, sizes = added_up(hidden), {one.size for one in hidden if one.size}
    return bool(together.size) and (together.is_small or sizes == {SMALLEST_SHOWN - 1})
