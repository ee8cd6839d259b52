"""Walking the map: every address that a rule may have with the rows that exist, for whoever asks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import islice, product
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import Flask
from sqlalchemy import func, select
from werkzeug.routing import Rule

from icbt_support.accounts.models import Account
from icbt_support.db import db
from icbt_support.pages.guards import access_of
from icbt_support.tables import METADATA
from tests.browsing import PageClient

ID_TABLES = {
    "absence_id": "absences",
    "account_id": "accounts",
    "alert_id": "risk_alerts",
    "audit_id": "letter_audits",
    "completion_id": "training_completions",
    "contact_id": "treatment_contacts",
    "discussion_id": "supervision_discussions",
    "enrolment_id": "enrolments",
    "entry_id": "entries",
    "group_id": "patient_groups",
    "item_id": "plan_items",
    "kept_id": "kept_texts",
    "phrase_id": "phrases",
    "mail_id": "mailbox_mails",
    "meeting_id": "supervision_meetings",
    "report_id": "problem_reports",
    "review_id": "reviews",
    "session_id": "duty_sessions",
    "slot_id": "review_slots",
    "training_id": "trainings",
}
WORDS = {
    "day": ["2026-11-26"],
    "filename": ["css/app.css"],
    "from_day": ["2026-12-01"],
    "item": ["1", "9"],
    "key": ["situation"],
    "measure_slug": ["phq-9"],
    "module": ["getting-started", "understanding-low-mood"],
    "page": ["meet-robin", "the-message"],
    "programme": ["low-mood"],
    "table": [
        "enrolments",
        "minutes",
        "questionnaires",
        "reminders",
        "reviews",
        "sending",
        "therapy-log",
        "treatment-contacts",
        "weeks",
    ],
    "token": ["1-" + "a" * 32],
    "tool": ["mood-diary", "thought-record"],
    "until": ["2026-11-25"],
    "until_day": ["2026-12-03"],
}
BEYOND = 2
MOST_ADDRESSES = 24


def rules(app: Flask, method: str) -> list[Rule]:
    found = (
        rule for rule in app.url_map.iter_rules() if method in rule.methods and rule.endpoint != "static"
    )
    return sorted(found, key=lambda rule: (rule.rule, rule.endpoint))


def highest_ids() -> dict[str, int]:
    """The highest id that is there for every kind of id that stands in an address."""
    return {
        name: db.session.scalar(select(func.max(METADATA.tables[table].c.id))) or 0
        for name, table in ID_TABLES.items()
    }


def all_ids() -> dict[str, Iterable[int]]:
    """From 1 to beyond the last row, for every kind."""
    return {name: range(1, highest + 1 + BEYOND) for name, highest in highest_ids().items()}


def addresses(app: Flask, rule: Rule, ids: dict[str, Iterable[int]]) -> Iterator[str]:
    """Every address of the rule with these ids. A new kind of argument has to be named above."""
    names = sorted(rule.arguments)
    values = [[str(one) for one in ids[name]] if name in ID_TABLES else WORDS[name] for name in names]
    adapter = app.url_map.bind("localhost")
    for chosen in product(*values):
        arguments: dict[str, Any] = dict(zip(names, chosen, strict=True))
        yield adapter.build(rule.endpoint, _as_numbers(rule, arguments), method=method_of(rule))


def _as_numbers(rule: Rule, arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        name: int(value)
        if type(rule._converters[name]).__name__ in ("IdConverter", "IntegerConverter")
        else value
        for name, value in arguments.items()
    }


def method_of(rule: Rule) -> str:
    return "GET" if "GET" in rule.methods else "POST"


def is_for(app: Flask, rule: Rule, account: Account | None) -> bool:
    """Whether this person comes past the door of the view."""
    access = access_of(app.view_functions[rule.endpoint])
    if access is None or access.is_for_anyone:
        return access is not None
    held = {membership.role for membership in account.memberships} if account else set()
    return account is not None and (not access.roles or bool(access.roles & held))


# Forms -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Form:
    """A posting form as it stood on a page: where it goes, and what a press on its button would send."""

    page: str
    action: str
    values: dict[str, str]
    typed: frozenset[str]


class _FormReader(HTMLParser):
    """The posting forms of a page."""

    def __init__(self, page: str, html: str) -> None:
        super().__init__()
        self.page = page
        self.forms: list[Form] = []
        self._action: str | None = None
        self._values: dict[str, str] = {}
        self._typed: set[str] = set()
        self._select = self._textarea = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post":
            self._action = given.get("action") or self.page
            self._values, self._typed = {}, set()
        if self._action is None:
            return
        name = given.get("name", "")
        if tag == "option" and self._select and ("selected" in given or not self._values.get(self._select)):
            self._values[self._select] = given.get("value", "")
        if not name:
            return
        if tag == "select":
            self._select = name
            self._values.setdefault(name, "")
        elif tag == "textarea":
            self._textarea = name
            self._values[name] = ""
            self._typed.add(name)
        elif given.get("type") in ("radio", "checkbox"):
            if "checked" in given or name not in self._values:
                self._values[name] = given.get("value", "on")
        elif tag in ("input", "button"):
            self._values.setdefault(name, given.get("value", ""))
            if given.get("type", "text") in ("text", "email", "tel", "password", "search", "number"):
                self._typed.add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._textarea = ""
        if tag == "form" and self._action is not None:
            path = urlsplit(urljoin(f"http://localhost{self.page}", self._action)).path
            self.forms.append(Form(self.page, path, self._values, frozenset(self._typed)))
            self._action = None

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._values[self._textarea] += data


def forms_for(app: Flask, account: Account | None, browser: PageClient) -> dict[str, Form]:
    """The first form met for every posting endpoint, on a walk over all pages of this person."""
    found: dict[str, Form] = {}
    adapter = app.url_map.bind("localhost")
    ids = {name: range(1, highest + 1) for name, highest in highest_ids().items()}
    for rule in rules(app, "GET"):
        if not is_for(app, rule, account):
            continue
        for address in islice(addresses(app, rule, ids), MOST_ADDRESSES):
            response = browser.http.get(address)
            if response.status_code != 200 or response.mimetype != "text/html":
                continue
            for form in _FormReader(address, response.get_data(as_text=True)).forms:
                endpoint, _ = adapter.match(form.action, method="POST")
                found.setdefault(str(endpoint), form)
    return found
