"""What a programme is made of: frozen objects.

The classes that stand in a file as they are written (`Session`, `Tool`, `Measure` …) say in each field's
description what an author is expected to write; the checks quote it, and docs/authoring.md lists every key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LARGEST_SCALE = 100
FACE_COUNT = 5

Words = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
ShortWords = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Minutes = Annotated[int, Field(ge=1, le=240)]
_SLUG = "a name in lower case with hyphens, like doing-more"
_MINUTES = "a whole number of minutes, 1 to 240"
_SENTENCE = "one sentence"


class Content(BaseModel):
    """Unknown keys are mistakes, nothing is guessed from another type, and nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=False)


class Source(Content):
    """What the authors leaned on."""

    title: Words = Field(description="the work, so that a reader can find it")
    note: Words = Field(description="what was taken from it, and where it is used")


class Session(Content):
    """One sitting: one dated thing in the week of a patient."""

    slug: Slug = Field(description=_SLUG)
    title: ShortWords = Field(description="a short title")
    minutes: Minutes = Field(description=_MINUTES)
    pages: tuple[Slug, ...] = Field(min_length=1, description="a list of the pages' names, in order")


class Practice(Content):
    """Something to try in one's own week: a dated to-do."""

    slug: Slug = Field(description=_SLUG)
    title: ShortWords = Field(description="what to do, in a few words")
    minutes: Minutes = Field(description=_MINUTES)
    tool: Slug | None = Field(None, description="the tool that it uses, if it uses one")
    why: Words = Field(description="one short sentence for the patient that says why")


class ExerciseKind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    CHOICE = "choice"
    SCALE = "scale"


class Exercise(Content):
    """A question inside a page; the answer is kept."""

    key: Slug = Field(description="a name that no other exercise of the module has")
    kind: ExerciseKind = Field(strict=False, description="one of text, long_text, choice, scale")
    label: Words = Field(description="the question")
    hint: Words | None = Field(None, description="a hint under the question")
    choices: tuple[ShortWords, ...] = Field(
        (), description="a list of answers, two or more, for kind choice only"
    )
    low: ShortWords | None = Field(None, description="words for 0, for kind scale only")
    high: ShortWords | None = Field(None, description="words for 10, for kind scale only")
    tool: Slug | None = Field(None, description="a tool that is linked under the exercise")


class FieldKind(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    DATE = "date"
    TIME = "time"
    FACES = "faces"
    SCALE = "scale"
    CHOICE = "choice"


class ToolField(Content):
    """One box of a tool."""

    key: Slug = Field(description="a name that no other field of the tool has")
    label: Words = Field(description="the question")
    hint: Words | None = Field(None, description="a hint under the question")
    kind: FieldKind = Field(
        strict=False, description="one of text, long_text, date, time, faces, scale, choice"
    )
    choices: tuple[ShortWords, ...] = Field(
        (), description="a list of answers: two or more for kind choice, five from low to high for kind faces"
    )
    low: ShortWords | None = Field(None, description="words for 0, for kind scale only")
    high: ShortWords | None = Field(None, description="words for the highest number, for kind scale only")
    max: int | None = Field(None, description="10 or 100, for kind scale only")
    required: bool = Field(False, description="true or false")

    @property
    def maximum(self) -> int:
        """The highest number of a scale; 10 unless `max` says 100."""
        return self.max or 10


class Compare(Content):
    """Two scales of one entry that are drawn together, before and after."""

    before: Slug = Field(description="the key of the scale that comes first")
    after: Slug = Field(description="the key of the scale that comes later")
    label: ShortWords = Field(description="what the two numbers measure, in a word or two")


class Answer(StrEnum):
    YES = "yes"
    NO = "no"


class Node(Content):
    """A yes-or-no question of a tree."""

    key: Slug = Field(description="a name that nothing else in the tool has")
    question: Words = Field(description="a question that is answered with yes or no")
    hint: Words | None = Field(None, description="a hint under the question")
    yes: Slug = Field(description="the key of the question or end that follows yes")
    no: Slug = Field(description="the key of the question or end that follows no")
    note: Slug | None = Field(None, description="the key of a field that is asked with the question")

    def next_key(self, answer: Answer) -> str:
        return self.yes if answer is Answer.YES else self.no


class End(Content):
    """Where a branch of a tree ends."""

    key: Slug = Field(description="a name that nothing else in the tool has")
    title: ShortWords = Field(description="what to do, in a few words")
    text: Words = Field(description="two or three sentences for the patient")
    note: Slug | None = Field(None, description="the key of a field that is asked at this end")
    tool: Slug | None = Field(None, description="a tool that is linked at this end")


class Flow(StrEnum):
    FORM = "form"
    STEPS = "steps"
    TREE = "tree"


class Icon(StrEnum):
    MOOD = "mood"
    PLAN = "plan"
    THOUGHT = "thought"
    TREE = "tree"
    SHIELD = "shield"


class Tool(Content):
    """Something a patient fills in again and again; one filled-in tool is an entry."""

    slug: Slug = Field(description=_SLUG)
    title: ShortWords = Field(description="a short title")
    icon: Icon = Field(strict=False, description="one of mood, plan, thought, tree, shield")
    purpose: Words = Field(description="one sentence that says what it is for")
    minutes: Minutes = Field(description=_MINUTES)
    shared_by_default: bool = Field(
        description="true or false: whether the supporter sees entries unless the patient says otherwise"
    )
    one_entry: bool = Field(
        False, description="true or false: whether there is one entry that is changed, instead of new ones"
    )
    flow: Flow = Field(strict=False, description="one of form, steps, tree")
    fields: tuple[ToolField, ...] = Field(min_length=1, description="a list of fields")
    afterwards: tuple[ToolField, ...] = Field((), description="a list of fields that are filled in later")
    compare: Compare | None = Field(None, description="two scales to draw together: before, after, label")
    heading: Slug = Field(description="the key of the field that names an entry in lists")
    nodes: tuple[Node, ...] = Field((), description="a list of yes-or-no questions, for flow tree only")
    ends: tuple[End, ...] = Field((), description="a list of ends, for flow tree only")
    start: Slug | None = Field(None, description="the key of the first question, for flow tree only")

    @property
    def all_fields(self) -> tuple[ToolField, ...]:
        return self.fields + self.afterwards

    @property
    def opening_fields(self) -> tuple[ToolField, ...]:
        """The fields asked before a tree's first question: those that no question and no end asks."""
        asked_later = {node.note for node in self.nodes} | {end.note for end in self.ends}
        return tuple(field for field in self.fields if field.key not in asked_later)

    def field(self, key: str) -> ToolField:
        return next(field for field in self.all_fields if field.key == key)

    def node(self, key: str) -> Node | None:
        return next((node for node in self.nodes if node.key == key), None)

    def end(self, key: str) -> End | None:
        return next((end for end in self.ends if end.key == key), None)


class Option(Content):
    """One answer of a measure."""

    value: Annotated[int, Field(ge=0, le=10)] = Field(description="a whole number, 0 to 10")
    label: ShortWords = Field(description="the answer as printed")


class Band(Content):
    """A range of totals and its name."""

    from_total: Annotated[int, Field(ge=0)] = Field(alias="from", description="the lowest total of the band")
    to_total: Annotated[int, Field(ge=0)] = Field(alias="to", description="the highest total of the band")
    label: ShortWords = Field(description="the name of the band, in lower case")

    def holds(self, total: int) -> bool:
        return self.from_total <= total <= self.to_total


class Measure(Content):
    """A questionnaire; its words are those of its authors."""

    slug: Slug = Field(description=_SLUG)
    title: ShortWords = Field(description="the name that staff know")
    patient_title: ShortWords = Field(description="a plain name for patients")
    stem: Words = Field(description="the words above the items, as printed")
    items: tuple[Words, ...] = Field(min_length=1, description="a list of the items, as printed")
    options: tuple[Option, ...] = Field(
        min_length=2, description="a list of answers, each with value and label"
    )
    bands: tuple[Band, ...] = Field(min_length=1, description="a list of bands that covers every total")
    caseness: Annotated[int, Field(ge=0)] = Field(description="the lowest total that counts as a case")
    reliable_change: Annotated[int, Field(ge=1)] = Field(
        description="the smallest change of the total that is reliable"
    )
    risk_item: Annotated[int, Field(ge=1)] | None = Field(
        None, description="the number of the item about being better off dead or self-harm, counted from 1"
    )
    minutes: Minutes = Field(description=_MINUTES)
    source: Words = Field(description="whose the questionnaire is, and what permits its use")

    @property
    def maximum(self) -> int:
        return len(self.items) * max(option.value for option in self.options)

    def band_of(self, total: int) -> Band:
        """Raises ValueError for a total that the measure cannot have."""
        for band in self.bands:
            if band.holds(total):
                return band
        raise ValueError(f"{self.slug} has no band for a total of {total}.")

    def is_case(self, total: int) -> bool:
        return total >= self.caseness

    def label_of(self, value: int) -> str:
        return next(option.label for option in self.options if option.value == value)

    def is_positive_risk(self, item: int, value: int) -> bool:
        """Whether this answer is one above 0 to the risk item."""
        return item == self.risk_item and value > 0


@dataclass(frozen=True)
class Page:
    """One idea on one screen; `html` is safe to show as it is."""

    slug: str
    title: str
    minutes: int
    html: Markup
    exercise: Exercise | None


@dataclass(frozen=True)
class Module:
    """The weekly unit; `number` counts from 1."""

    slug: str
    number: int
    title: str
    aim: str
    minutes: int
    sessions: tuple[Session, ...]
    practice: tuple[Practice, ...]
    pages: tuple[Page, ...]
    summary: tuple[str, ...]

    def page(self, slug: str) -> Page | None:
        return next((page for page in self.pages if page.slug == slug), None)

    def session(self, slug: str) -> Session | None:
        return next((session for session in self.sessions if session.slug == slug), None)

    def session_of(self, page: str) -> Session:
        """The one session that a page of this module is in."""
        return next(session for session in self.sessions if page in session.pages)

    def page_after(self, slug: str) -> Page | None:
        position = [page.slug for page in self.pages].index(slug)
        return self.pages[position + 1] if position + 1 < len(self.pages) else None

    def page_before(self, slug: str) -> Page | None:
        position = [page.slug for page in self.pages].index(slug)
        return self.pages[position - 1] if position else None

    def practice_task(self, slug: str) -> Practice | None:
        return next((task for task in self.practice if task.slug == slug), None)

    def exercises(self) -> Iterator[Exercise]:
        return (page.exercise for page in self.pages if page.exercise is not None)


@dataclass(frozen=True)
class Programme:
    """One version of one course; an enrolment pins it."""

    slug: str
    version: str
    title: str
    summary: str
    audience: str
    not_for: str
    modules: tuple[Module, ...]
    tools: Mapping[str, Tool]
    measures: Mapping[str, Measure]
    check_in: tuple[str, ...]
    sources: tuple[Source, ...]

    def module(self, slug: str) -> Module | None:
        return next((module for module in self.modules if module.slug == slug), None)

    def next_module(self, slug: str) -> Module | None:
        """The module after `slug`; None after the last, and for a slug that this version does not have."""
        module = self.module(slug)
        if module is None or module.number == len(self.modules):
            return None
        return self.modules[module.number]
