"""Forms made from the fields of a tool or of an exercise: no Python is written for a new tool."""

import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, RadioField
from wtforms.fields import SelectChoice
from wtforms.validators import StopValidation, ValidationError
from wtforms.widgets import TextInput

from icbt_support.pages.fields import Line, LongText, strip_text
from icbt_support.pages.kit import DatePartsField, clock_time
from icbt_support.programme.content import LARGEST_SCALE, Exercise, ExerciseKind, FieldKind, Node, ToolField

PREFIX = "field-"
SHARED, PRIVATE = "shared", "private"
_TIME = re.compile(r"^(\d{1,2})(?:[.:](\d{2}))?\s*(am|pm)?$")
_EARLIEST, _LATEST = date(2000, 1, 1), date(2100, 12, 31)


class AnswerRadio(RadioField):
    """One answer of a list, or none; anything that is not in the list counts as none."""

    data: str | None

    def pre_validate(self, form: FlaskForm) -> None:
        if self.data not in {choice.value for choice in self.iter_choices()}:
            self.data = None

    def process_data(self, value: object) -> None:
        self.data = None if value is None else str(value)


class ClockTimeField(Field):
    """A wall time as people write it: 6.30pm, 18:30, 9am. `data` is a time or None."""

    widget = TextInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return clock_time(self.data) if self.data is not None else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        written = strip_text(valuelist[0]).lower() if valuelist else ""
        self.data = None
        if not written:
            return
        self.data = _read_time(written)
        if self.data is None:
            raise ValidationError("Write a time like 6.30pm")


def _read_time(written: str) -> time | None:
    if written in ("midnight", "midday", "noon"):
        return time(0) if written == "midnight" else time(12)
    match = _TIME.match(written)
    if match is None or (match[2] is None and match[3] is None):
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[3] == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


class NumberField(Field):
    """A whole number from 0 to `maximum`, typed. `data` is an int or None."""

    widget = TextInput()

    def __init__(self, label: str, maximum: int, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.maximum = maximum

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else str(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        written = strip_text(valuelist[0]).removesuffix("%").strip() if valuelist else ""
        self.data = int(written) if re.fullmatch("[0-9]{1,3}", written) else None
        if written and (self.data is None or self.data > self.maximum):
            self.data = None
            raise ValidationError(f"Write a whole number from 0 to {self.maximum}")


class _Needed:
    """Refuses an empty answer with a sentence that says what to do."""

    field_flags = {"required": True}

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: FlaskForm, field: Field) -> None:
        if not field.errors and field.data in (None, ""):
            raise StopValidation(self.message)


def _is_near(form: FlaskForm, field: Field) -> None:
    if field.data is not None and not _EARLIEST <= field.data <= _LATEST:
        raise ValidationError("Enter a day in this century, for example 28 11 2026")


def _whole_number(value: Any) -> int | None:
    return int(value) if re.fullmatch("[0-9]{1,9}", str(value)) else None


def _own_key(value: str | None) -> str:
    """The key of the form that was shown; a new one where it is missing or was tampered with."""
    return value if value and re.fullmatch("[0-9a-f]{24}", value) else secrets.token_hex(12)


class EntryForm(FlaskForm):
    """What every form of an entry carries besides the tool's own fields."""

    posted_key = HiddenField(default="", filters=[_own_key])
    version = HiddenField(filters=[_whole_number])

    def boxes(self) -> list[Field]:
        """The tool's own fields, in order."""
        return [field for field in self if field.name.startswith(PREFIX)]


def entry_form(
    fields: Iterable[ToolField],
    kept: Mapping[str, Any] | None = None,
    *,
    node: Node | None = None,
    sharing_with: str = "",
    is_shared: bool = False,
    version: int | None = None,
) -> EntryForm:
    """A form with a box for each of `fields`, filled with what is `kept`.

    With a `node`, its question comes first; with `sharing_with` (a name) it asks who may see the entry.
    """
    fields = tuple(fields)
    parts: dict[str, Any] = {}
    if node is not None:
        parts["answer"] = _yes_or_no(node)
    parts |= {f"{PREFIX}{field.key}": _box(field) for field in fields}
    if sharing_with:
        parts["sharing"] = _sharing(sharing_with)
    kept = kept or {}
    data = {f"{PREFIX}{field.key}": _for_the_form(field, kept.get(field.key)) for field in fields}
    data |= {"sharing": SHARED if is_shared else PRIVATE, "version": version}
    if node is not None:
        data["answer"] = kept.get(node.key)
    form: EntryForm = type("ToolEntryForm", (EntryForm,), parts)(data=data)
    return form


def values_of(form: EntryForm, fields: Iterable[ToolField]) -> dict[str, Any]:
    """What was filled in, as an entry keeps it; a box left empty is an empty text."""
    return {field.key: _for_the_entry(field, form[f"{PREFIX}{field.key}"].data) for field in fields}


def wants_to_share(form: EntryForm) -> bool:
    """Never where the form does not ask."""
    return "sharing" in form and form["sharing"].data == SHARED


def exercise_form(exercise: Exercise | None, kept: str | None) -> FlaskForm:
    """A form with one box for a page's exercise, or with none."""
    parts = {"answer": _exercise_box(exercise)} if exercise is not None else {}
    form: FlaskForm = type("PageForm", (FlaskForm,), parts)(data={"answer": kept})
    return form


def _yes_or_no(node: Node) -> RadioField:
    return AnswerRadio(
        node.question,
        description=node.hint or "",
        choices=[SelectChoice("yes", "Yes"), SelectChoice("no", "No")],
        validators=[_Needed("Select yes or no")],
    )


def _sharing(name: str) -> RadioField:
    return AnswerRadio(
        "Who can see this?",
        choices=[SelectChoice(SHARED, f"{name} and the team can see it"), SelectChoice(PRIVATE, "Only me")],
        validators=[_Needed("Select who can see this")],
    )


def _box(field: ToolField) -> Field:
    needed = [_Needed(_what_to_do(field))] if field.required else []
    hint = field.hint or ""
    match field.kind:
        case FieldKind.TEXT:
            return Line(field.label, _what_to_do(field) if field.required else "", description=hint)
        case FieldKind.LONG_TEXT:
            return LongText(field.label, _what_to_do(field) if field.required else "", description=hint)
        case FieldKind.DATE:
            return DatePartsField(field.label, validators=[*needed, _is_near], description=hint)
        case FieldKind.TIME:
            return ClockTimeField(field.label, validators=needed, description=hint)
        case FieldKind.SCALE if field.maximum == LARGEST_SCALE:
            return NumberField(
                field.label, field.maximum, validators=needed, description=_with_ends(field, hint)
            )
        case FieldKind.SCALE:
            choices = _numbers(field.maximum)
        case FieldKind.FACES:
            choices = [SelectChoice(str(level), words) for level, words in enumerate(field.choices, start=1)]
        case FieldKind.CHOICE:
            choices = [SelectChoice(words, words) for words in field.choices]
    return AnswerRadio(field.label, choices=choices, validators=needed, description=hint)


def _exercise_box(exercise: Exercise) -> Field:
    hint = exercise.hint or ""
    match exercise.kind:
        case ExerciseKind.TEXT:
            return Line(exercise.label, description=hint)
        case ExerciseKind.LONG_TEXT:
            return LongText(exercise.label, description=hint)
        case ExerciseKind.SCALE:
            choices = _numbers(10)
        case ExerciseKind.CHOICE:
            choices = [SelectChoice(words, words) for words in exercise.choices]
    return AnswerRadio(exercise.label, choices=choices, description=hint)


def _numbers(maximum: int) -> list[SelectChoice]:
    return [SelectChoice(str(number), str(number)) for number in range(maximum + 1)]


def _with_ends(field: ToolField, hint: str) -> str:
    ends = f"A number from 0 ({field.low}) to {field.maximum} ({field.high})."
    return f"{hint} {ends}" if hint else ends


def _what_to_do(field: ToolField) -> str:
    """What to do about an empty box that is needed."""
    if field.kind in (FieldKind.FACES, FieldKind.SCALE, FieldKind.CHOICE):
        return f"Select an answer to “{field.label}”"
    return f"Write something under “{field.label}”"


def _for_the_form(field: ToolField, value: Any) -> Any:
    if value is None or value == "":
        return None
    match field.kind:
        case FieldKind.DATE:
            return date.fromisoformat(value)
        case FieldKind.TIME:
            return time.fromisoformat(value)
    return value


def _for_the_entry(field: ToolField, value: Any) -> Any:
    if value is None:
        return ""
    match field.kind:
        case FieldKind.DATE:
            return value.isoformat()
        case FieldKind.TIME:
            return value.strftime("%H:%M")
        case FieldKind.SCALE | FieldKind.FACES:
            return int(value)
    return value
