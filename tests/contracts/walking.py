"""Walking the map: every address that a rule may have with the rows that exist, for whoever asks."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from werkzeug.routing import Rule

from icbt_support.accounts.models import Account
from icbt_support.db import db
from icbt_support.pages.guards import access_of
from icbt_support.tables import METADATA

ID_TABLES = {
    "absence_id": "absences",
    "account_id": "accounts",
    "alert_id": "risk_alerts",
    "enrolment_id": "enrolments",
    "entry_id": "entries",
    "item_id": "plan_items",
    "mail_id": "mailbox_mails",
    "review_id": "reviews",
    "session_id": "duty_sessions",
    "slot_id": "review_slots",
}
WORDS = {
    "filename": ["css/app.css"],
    "from_day": ["2026-12-01"],
    "item": ["1", "9"],
    "key": ["situation"],
    "measure_slug": ["phq-9"],
    "module": ["getting-started", "understanding-low-mood"],
    "page": ["meet-robin", "the-message"],
    "programme": ["low-mood"],
    "token": ["1-" + "a" * 32],
    "tool": ["mood-diary", "thought-record"],
    "until": ["2026-11-25"],
    "until_day": ["2026-12-03"],
}
BEYOND = 2


def rules(app: Flask, method: str) -> list[Rule]:
    found = (rule for rule in app.url_map.iter_rules() if method in rule.methods and rule.endpoint != "static")
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
        name: int(value) if type(rule._converters[name]).__name__ in ("IdConverter", "IntegerConverter") else value
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
