"""The kit of the pages: the shapes that layouts read, filters, the kit's macros, the hashes of static files.

The names that templates may use are listed in `templates/components/`; each macro says what it takes.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from flask import Flask, url_for
from jinja2 import ChainableUndefined, PackageLoader, StrictUndefined
from wtforms import Field, Form
from wtforms.fields import FormField
from wtforms.utils import unset_value

from icbt_support.pages import small_charts


@dataclass(frozen=True)
class NavigationItem:
    """One place in the main navigation; `badge_words` says what the number counts ("new messages").

    The page stands in the current place, and may be the very page that it leads to.
    """

    label: str
    href: str
    icon: str
    is_current: bool = False
    is_this_page: bool = False
    badge: int = 0
    badge_words: str = ""


@dataclass(frozen=True)
class HelpLine:
    """One way to get help: what the link says, where it leads (tel: or sms:), and one line about it."""

    title: str
    href: str
    words: str


@dataclass(frozen=True)
class RiskBanner:
    """A line above the page: red for staff, such as "Nobody is on duty today"; calm where it is `news`."""

    words: str
    href: str
    link_words: str


@dataclass(frozen=True)
class DemoClockBar:
    """The bar of the demo: its time, and lists of (value, label) that are posted as `to` and as `person`."""

    time_words: str
    jump_url: str
    jumps: tuple[tuple[str, str], ...]
    sign_in_url: str
    people: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PageChrome:
    """What every page shows around its content; templates read it as `chrome`.

    `audience` is public, patient or staff. `brand` is teal, navy, plum, forest or slate: colours are classes,
    because the content policy forbids inline styles. `sign_out_url` takes a POST.
    """

    product_name: str
    organisation: str
    logo_text: str = ""
    brand: str = "teal"
    audience: str = "public"
    home_url: str = "/"
    help_url: str = "/help-now"
    navigation: tuple[NavigationItem, ...] = ()
    person_name: str = ""
    person_role: str = ""
    person_initials: str = ""
    other_roles: tuple[tuple[str, str], ...] = ()
    help_lines: tuple[HelpLine, ...] = ()
    help_heading: str = "If you need help now"
    footer_links: tuple[tuple[str, str], ...] = ()
    sign_out_url: str | None = None
    demo_clock: DemoClockBar | None = None
    risk_banner: RiskBanner | None = None
    news: RiskBanner | None = None


KIT_MACROS = {
    "back-link": "backLink",
    "button": "button",
    "character-count": "characterCount",
    "checkboxes": "checkboxes",
    "date-input": "dateInput",
    "details": "details",
    "error-summary": "errorSummary",
    "input": "input",
    "inset-text": "insetText",
    "pagination": "pagination",
    "password-input": "passwordInput",
    "radios": "radios",
    "select": "select",
    "skip-link": "skipLink",
    "summary-list": "summaryList",
    "tag": "tag",
    "textarea": "textarea",
    "warning-callout": "warningCallout",
}


PLAIN_ERRORS = {
    "Not a valid choice.": "Select one of the choices",
    "Invalid Choice: could not coerce.": "Select one of the choices",
    "This field is required.": "Fill this in",
    "Not a valid integer value.": "Enter a whole number",
    "Not a valid decimal value.": "Enter a number",
    "Not a valid date value.": "Enter a real date, for example 27 3 1985",
    "Not a valid time value.": "Enter a time, for example 18:30",
    "Invalid email address.": "Enter an email address, for example name@example.org",
    "Invalid input.": "Check this and try again",
}


def install_kit(app: Flask) -> None:
    """Give the app's templates the kit's macros (`nhs_button` …), the filters, `small_charts` and `static_url`.

    The kit's macros read names that were never given, so they get an environment of their own.
    """
    environment = app.jinja_env
    environment.undefined = StrictUndefined
    environment.trim_blocks = True
    environment.lstrip_blocks = True
    kit = environment.overlay(
        undefined=ChainableUndefined, loader=PackageLoader("nhsuk_frontend_jinja"), autoescape=True
    )
    for folder, macro in KIT_MACROS.items():
        module = kit.get_template(f"nhsuk/components/{folder}/macro.jinja").module
        environment.globals[f"nhs_{macro}"] = getattr(module, macro)
    manifest = hash_static_files(Path(app.static_folder or ""))

    def static_url(name: str) -> str:
        return url_for("static", filename=name, v=manifest[name])

    environment.globals.update(small_charts=small_charts, static_url=static_url, error_list=error_list)
    environment.filters.update(
        clock_time=clock_time,
        long_day=long_day,
        long_day_year=long_day_year,
        short_day=short_day,
        day_and_time=day_and_time,
        short_day_and_time=short_day_and_time,
        minutes_words=minutes_words,
        initials=initials,
        plain_error=plain_error,
    )


def hash_static_files(folder: Path) -> dict[str, str]:
    """The name of each file under `folder`, and the start of its content's hash."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in {".gz", ".br"}
    }


def render_standalone(app: Flask, template: str, **values: Any) -> str:
    """Render a page without context processors, so without session and database: for 500 and 503.

    Needs a request, or an app with SERVER_NAME, for the addresses of the static files.
    """
    return app.jinja_env.get_template(template).render(**values)


def error_list(form: Form) -> list[dict[str, str]]:
    """The form's errors in the order of its fields, each with a link to its control."""
    errors = []
    for field in form:
        if not field.errors:
            continue
        if isinstance(field, FormField):
            errors += error_list(field.form)
            continue
        errors.append({"text": plain_error(field.errors[0]), "href": f"#{first_control_id(field)}"})
    errors += [{"text": str(words), "href": "#main"} for words in form.form_errors]
    return errors


def plain_error(words: object) -> str:
    """What to do, where WTForms itself would only say that something is not valid."""
    return PLAIN_ERRORS.get(str(words), str(words))


def first_control_id(field: Field) -> str:
    """The id of the control that takes the focus when somebody follows an error to `field`."""
    if isinstance(field, DatePartsField):
        return f"{field.id}-day"
    if field.type in {"RadioField", "SelectMultipleField"}:
        return next((option.id for option in field), field.id)
    return field.id


class DatePartsField(Field):
    """A date as three boxes: day, month, year. `data` is a date or None; drawn by `forms.date_parts`."""

    data: date | None

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        super().process(None, data, extra_filters)
        default: object = self.data
        self.parts = (
            {"day": str(default.day), "month": str(default.month), "year": str(default.year)}
            if isinstance(default, date)
            else {"day": "", "month": "", "year": ""}
        )
        if formdata is None or f"{self.name}-day" not in formdata:
            return
        self.parts = {part: formdata.get(f"{self.name}-{part}", "").strip() for part in self.parts}
        self.raw_data = [" ".join(self.parts.values()).strip()]
        self.data = self._read_parts()

    def _read_parts(self) -> date | None:
        if not any(self.parts.values()):
            return None
        try:
            return date(int(self.parts["year"]), int(self.parts["month"]), int(self.parts["day"]))
        except (ValueError, OverflowError):
            self.process_errors = ["Enter a real date, for example 27 3 1985"]
            return None


def clock_time(moment: datetime | time) -> str:
    """6.30pm, 9am, 12pm, midnight. Give an instant that is already in the reader's zone."""
    if (moment.hour, moment.minute) == (0, 0):
        return "midnight"
    minutes = f".{moment.minute:02d}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes}{'am' if moment.hour < 12 else 'pm'}"


def long_day(day: date) -> str:
    """Thursday 26 November"""
    return f"{day:%A} {day.day} {day:%B}"


def long_day_year(day: date) -> str:
    """Thursday 26 November 2026"""
    return f"{long_day(day)} {day.year}"


def short_day(day: date) -> str:
    """Thu 26 Nov"""
    return f"{day:%a} {day.day} {day:%b}"


def day_and_time(moment: datetime) -> str:
    """Thursday 26 November, 6.30pm"""
    return f"{long_day(moment)}, {clock_time(moment)}"


def short_day_and_time(moment: datetime) -> str:
    """Thu 26 Nov, 6.30pm"""
    return f"{short_day(moment)}, {clock_time(moment)}"


def minutes_words(minutes: int) -> str:
    """about 10 minutes, about 1 minute, about 2 hours"""
    if minutes and minutes % 60 == 0:
        hours = minutes // 60
        return f"about {hours} hour{'' if hours == 1 else 's'}"
    return f"about {minutes} minute{'' if minutes == 1 else 's'}"


def initials(name: str) -> str:
    """The first letters of the first and last name, without a title: "Dr Hana Weiss" -> HW."""
    words = [
        word
        for word in name.split()
        if word.strip(".").lower() not in {"dr", "mr", "mrs", "ms", "miss", "mx"}
    ]
    if not words:
        return ""
    return "".join(word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words)).upper()
