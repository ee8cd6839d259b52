"""Form parts that several pages share."""

import secrets
from collections.abc import Iterable
from datetime import date, time
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.form import BaseForm
from wtforms.validators import Length, Regexp, ValidationError

from icbt_support.pages.kit import clock_time, short_day

LONGEST_TEXT = 5_000
LONGEST_LINE = 200
LONGEST_PHONE = 60
HOME_ZONE = "Europe/London"
NO_PLACES = ("Etc/", "SystemV/")


def strip_text(value: str | None) -> str:
    """What was typed, without blanks at the ends and without the one character that no database text can hold."""
    return (value or "").replace("\x00", "").strip()


class LongText(TextAreaField):
    """A text of up to 5,000 characters."""

    def __init__(self, label: str, missing: str = "", **kwargs: object) -> None:
        validators = [RequiredText(missing)] if missing else []
        validators.append(
            Length(max=LONGEST_TEXT, message=f"Write this in {LONGEST_TEXT:,} characters or fewer")
        )
        super().__init__(label, validators=validators, filters=[strip_text], **kwargs)


class Line(StringField):
    """One line of up to 200 characters."""

    def __init__(self, label: str, missing: str = "", maximum: int = LONGEST_LINE, **kwargs: object) -> None:
        validators = [RequiredText(missing)] if missing else []
        validators.append(Length(max=maximum, message=f"Write this in {maximum} characters or fewer"))
        super().__init__(label, validators=validators, filters=[strip_text], **kwargs)


class PhoneLine(Line):
    """A phone number that somebody can dial: there are digits in it."""

    def __init__(self, label: str, missing: str, **kwargs: object) -> None:
        super().__init__(label, missing=missing, maximum=LONGEST_PHONE, **kwargs)

    def post_validate(self, form: BaseForm, validation_stopped: bool) -> None:
        if self.data and not any(character.isdigit() for character in self.data):
            raise ValidationError("Enter a phone number with its digits, such as 01632 960001")


class RequiredText:
    """Refuses an empty text with the sentence that says what to write."""

    field_flags = {"required": True}

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: FlaskForm, field: StringField) -> None:
        if not field.data:
            raise ValidationError(self.message)


class OncePosted(FlaskForm):
    """A form that makes one row however often it is posted: `posted_key` is new for each form shown."""

    posted_key = HiddenField(
        default=lambda: secrets.token_hex(12),
        validators=[
            Regexp("^[A-Za-z0-9_-]{1,40}$", message="Load the page again: this form has lost its number")
        ],
    )


def as_choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """(value, words) as a field takes them."""
    return [SelectChoice(value, words) for value, words in pairs]


def day_choices(days: list[date]) -> list[tuple[str, str]]:
    return [(day.isoformat(), short_day(day)) for day in days]


def time_choices(first_hour: int, last_hour: int, step_minutes: int = 30) -> list[tuple[str, str]]:
    """Wall times from `first_hour` to `last_hour`, as (`18:30`, `6.30pm`)."""
    minutes = range(first_hour * 60, last_hour * 60 + 1, step_minutes)
    times = [time(minute // 60, minute % 60) for minute in minutes if minute < 24 * 60]
    return [(at.strftime("%H:%M"), clock_time(at)) for at in times]


def parse_time(value: str) -> time:
    return time.fromisoformat(value)


def zone_choices() -> list[tuple[str, str]]:
    """London first, then every place with a clock of its own, by region."""
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith(NO_PLACES))
    return [(name, zone_words(name)) for name in (HOME_ZONE, *(one for one in places if one != HOME_ZONE))]


def zone_words(zone: str) -> str:
    """`London (Europe)`"""
    region = zone.partition("/")[0].replace("_", " ")
    return f"{place_words(zone)} ({region})"


def place_words(zone: str) -> str:
    """`London`"""
    return zone.rpartition("/")[2].replace("_", " ")
