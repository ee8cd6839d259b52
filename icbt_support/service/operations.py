"""Making and changing a service; every change is in the audit, with the names of what changed."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from urllib.parse import urlsplit

from icbt_support import audit
from icbt_support.audit import Actor
from icbt_support.db import db
from icbt_support.service.models import HelpLine, RhythmSettings, Service
from icbt_support.service.queries import find_service_by_name
from icbt_support.service.rules import (
    ENGLAND_HELP_LINES,
    HelpLineChoice,
    ServiceDetails,
    rhythm_problems,
)

HELP_LINE_SCHEMES = ("", "tel", "sms", "https")


class NameTaken(Exception):
    """Another service has this name."""


class NotAHelpLine(Exception):
    """A help line leads somewhere else than to a phone, a text message or an https page."""


class NumbersOutOfBounds(Exception):
    """`problems` maps the name of each number to what to enter instead."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


def create_service(
    name: str, *, by: Actor, now: datetime, zone: str = "Europe/London", country: str = "GB-ENG"
) -> Service:
    """A new service with England's help lines, which nobody has checked yet. Raises `NameTaken`."""
    if find_service_by_name(name) is not None:
        raise NameTaken(name)
    service = Service(name=name, zone=zone, country=country, created_at=now)
    service.help_lines = _lines(ENGLAND_HELP_LINES, None)
    db.session.add(service)
    db.session.flush()
    _record("created_service", service, by, now)
    return service


def change_service(service: Service, details: ServiceDetails, *, by: Actor, now: datetime) -> list[str]:
    """Takes over the details; returns the names of what changed. Raises `NameTaken`."""
    holder = find_service_by_name(details.name)
    if holder is not None and holder.id != service.id:
        raise NameTaken(details.name)
    names = [field.name for field in fields(details)]
    changed = [name for name in names if getattr(service, name) != getattr(details, name)]
    for name in changed:
        setattr(service, name, getattr(details, name))
    if changed:
        db.session.flush()
        _record("changed_service", service, by, now, ", ".join(changed))
    return changed


def change_rhythm(service: Service, numbers: RhythmSettings, *, by: Actor, now: datetime) -> list[str]:
    """Takes over the numbers of the rhythm; returns what changed. Raises `NumbersOutOfBounds`."""
    problems = rhythm_problems(numbers)
    if problems:
        raise NumbersOutOfBounds(problems)
    before, after = service.rhythm.to_json(), numbers.to_json()
    changed = [f"{name} {before[name]} to {after[name]}" for name in after if after[name] != before[name]]
    if changed:
        service.rhythm_settings = after
        db.session.flush()
        _record("changed_rhythm", service, by, now, ", ".join(changed))
    return changed


def set_help_lines(
    service: Service, choices: Sequence[HelpLineChoice], *, checked_on: date, by: Actor, now: datetime
) -> None:
    """Replaces the help lines; the caller vouches that a person tried each of them on `checked_on`."""
    if any(urlsplit(choice.href).scheme not in HELP_LINE_SCHEMES for choice in choices):
        raise NotAHelpLine
    service.help_lines = []
    db.session.flush()
    service.help_lines = _lines(choices, checked_on)
    db.session.flush()
    _record(
        "checked_help_lines", service, by, now, f"{len(choices)} lines, tried on {checked_on.isoformat()}"
    )


def set_read_first_phrases(service: Service, phrases: Sequence[str], *, by: Actor, now: datetime) -> None:
    """The plain phrases that move a shared text to the top of *Today*; none means the product's own list."""
    service.read_first_phrases = list(phrases)
    db.session.flush()
    _record("changed_read_first_phrases", service, by, now, f"{len(phrases)} phrases")


def _lines(choices: Sequence[HelpLineChoice], checked_on: date | None) -> list[HelpLine]:
    return [
        HelpLine(
            position=position,
            kind=choice.kind,
            title=choice.title,
            href=choice.href,
            words=choice.words,
            checked_on=checked_on,
        )
        for position, choice in enumerate(choices, start=1)
    ]


def _record(action: str, service: Service, by: Actor, now: datetime, detail: str = "") -> None:
    audit.record(
        action,
        by=by,
        now=now,
        object_kind="service",
        object_id=service.id,
        service_id=service.id,
        detail=detail,
    )
