"""Every route says who may use it; strangers and other audiences are turned away from all of them."""

from datetime import datetime

import pytest
from flask import Flask
from werkzeug.routing import Rule

from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.pages.guards import access_of
from tests.browsing import PageClient
from tests.cast import Cast, make_person

AUDIENCE_ROLES = {
    "patient": Role.PATIENT,
    "supporter": Role.SUPPORTER,
    "clinician": Role.CLINICIAN,
    "admin": Role.ADMINISTRATOR,
    "vendor": Role.VENDOR,
}


def rules(app: Flask) -> list[Rule]:
    return sorted(
        (rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"), key=lambda r: r.rule
    )


def address(app: Flask, rule: Rule) -> str:
    values = {name: 1 if is_number(rule, name) else "x" for name in rule.arguments}
    with app.test_request_context():
        return app.url_map.bind("localhost").build(
            rule.endpoint, values, method=next(iter(rule.methods - {"HEAD", "OPTIONS"}))
        )


def is_number(rule: Rule, name: str) -> bool:
    return type(rule._converters[name]).__name__ in ("IdConverter", "IntegerConverter")


def is_id(rule: Rule, name: str) -> bool:
    return type(rule._converters[name]).__name__ == "IdConverter"


def test_every_view_declares_access_and_audience_pages_name_their_role(app: Flask) -> None:
    wrong = []
    for rule in rules(app):
        access = access_of(app.view_functions[rule.endpoint])
        role = AUDIENCE_ROLES.get(rule.endpoint.split("_", 1)[0])
        if access is None or (role is not None and role not in access.roles):
            wrong.append(rule.endpoint)
    assert wrong == []


def test_strangers_are_sent_to_sign_in(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    let_in = []
    for rule in rules(app):
        access = access_of(app.view_functions[rule.endpoint])
        if access is None or access.is_for_anyone or "GET" not in rule.methods:
            continue
        response = client.get(address(app, rule))
        if response.status_code != 302 or "/sign-in" not in response.location:
            let_in.append((rule.rule, response.status_code))
    assert let_in == []


@pytest.mark.parametrize("person", ["patient", "supporter", "clinician", "administrator", "vendor"])
def test_other_audiences_pages_are_not_found(app: Flask, cast: Cast, now: datetime, person: str) -> None:
    vendor = make_person("Vic Trade", Role.VENDOR, cast.service, now)
    db.session.commit()
    account = vendor if person == "vendor" else getattr(cast, person)
    held = {membership.role for membership in account.memberships}
    client = PageClient(app).sign_in(account)
    let_in = []
    for rule in rules(app):
        access = access_of(app.view_functions[rule.endpoint])
        if access is None or not access.roles or access.roles & held or "GET" not in rule.methods:
            continue
        response = client.http.get(address(app, rule))
        if response.status_code != 404:
            let_in.append((rule.rule, response.status_code))
    assert let_in == []


ODD_IDS = ["0", "-1", "9223372036854775808", "99999999999999999999999", "abc", "%00", "1%00", "1.5", "１"]


@pytest.mark.parametrize("odd", ODD_IDS)
def test_odd_ids_are_not_found_and_never_an_error(app: Flask, cast: Cast, odd: str) -> None:
    clients = [
        PageClient(app).sign_in(person)
        for person in (cast.patient, cast.supporter, cast.clinician, cast.administrator)
    ]
    wrong = []
    for rule in rules(app):
        if not any(is_id(rule, name) for name in rule.arguments) or "GET" not in rule.methods:
            continue
        path = address(app, rule)
        for client in clients:
            response = client.http.get(path.replace("/1", f"/{odd}"))
            if response.status_code not in (302, 404):
                wrong.append((path, odd, response.status_code))
    assert wrong == []


def test_posting_without_a_token_is_refused_everywhere(app: Flask, cast: Cast) -> None:
    let_in = []
    for person in (cast.patient, cast.supporter, cast.clinician, cast.administrator):
        client = PageClient(app).sign_in(person)
        for rule in rules(app):
            if "POST" not in rule.methods:
                continue
            response = client.http.post(address(app, rule), data={"words": "x"})
            if response.status_code not in (400, 404):
                let_in.append((rule.rule, response.status_code))
    assert let_in == []
