"""What a column and a table of the export are, and how a person stands in one."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Enum,
    FromClause,
    SQLColumnExpression,
    select,
)

from icbt_support.accounts.models import Account, Role
from icbt_support.enrolments.models import Enrolment, Purpose
from icbt_support.exports.rules import CellKind
from icbt_support.plan.models import Week

NUMBER, TEXT, CHOICE = CellKind.NUMBER, CellKind.TEXT, CellKind.CHOICE
DAY, MOMENT, YES_NO = CellKind.DAY, CellKind.MOMENT, CellKind.YES_NO
Source = SQLColumnExpression[Any]
FOR_CLINICIANS = frozenset({Role.CLINICIAN})
FOR_ADMINISTRATORS_TOO = frozenset({Role.CLINICIAN, Role.ADMINISTRATOR})


@dataclass(frozen=True)
class ExportColumn:
    """One column. `feeds` says in general terms which column of an internet-enabled-therapy log it fills."""

    name: str
    kind: CellKind
    value: Source
    meaning: str
    feeds: str = ""

    @property
    def choices(self) -> str:
        """The values that can stand here, where there is a list of them."""
        kind = self.value.type  # type: ignore[attr-defined]
        return ", ".join(kind.enums) if isinstance(kind, Enum) else ""


@dataclass(frozen=True)
class ExportTable:
    """`rows` is what it is read from, `dated_by` the instant that a range of dates is about; `order` is stable."""

    slug: str
    title: str
    about: str
    columns: tuple[ExportColumn, ...]
    rows: FromClause
    dated_by: Source
    dated_words: str
    order: tuple[Source, ...]
    only: tuple[Source, ...] = (Enrolment.purpose == Purpose.CARE,)
    service: Source = field(default_factory=lambda: Enrolment.service_id)
    programme: Source | None = field(default_factory=lambda: Enrolment.programme_slug)
    readers: frozenset[Role] = FOR_CLINICIANS

    def columns_for(self, *, with_names: bool) -> tuple[ExportColumn, ...]:
        return tuple(column for column in self.columns if with_names or column is not PATIENT_NAME)

    @property
    def can_name_people(self) -> bool:
        return PATIENT_NAME in self.columns


PATIENT_NAME = ExportColumn(
    "name",
    TEXT,
    select(Account.full_name).where(Account.id == Enrolment.patient_id).scalar_subquery(),
    "The person's name. Only where you asked for names.",
    "The person, where your log goes by name",
)
PERSON = (
    ExportColumn(
        "course",
        NUMBER,
        Enrolment.id,
        "The number of the person's course in this service. The same in every table.",
        "The person, by a local number",
    ),
    PATIENT_NAME,
    ExportColumn(
        "programme",
        TEXT,
        Enrolment.programme_slug,
        "The programme that the person follows.",
        "Name of the internet-enabled therapy",
    ),
)

WEEKS_OF_PEOPLE = Week.__table__.join(Enrolment.__table__, Week.enrolment_id == Enrolment.id)
