"""A form counts only with the token of the browser that it was shown in, and only as a form."""

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.feedback.models import ProblemReport
from tests.browsing import PageClient
from tests.cast import Cast
from tests.clean_slate import made_once
from tests.contracts.full_house import House, furnish, shows_a_patient
from tests.contracts.test_get_changes_nothing import digests
from tests.contracts.walking import addresses, forms_for, highest_ids, is_for, rules

ROLES = ("alex", "pat", "jo", "toni")
SAID = {"words": "x", "posted_key": "a" * 24, "answer": "1", "person": "patient@example.org"}


@pytest.fixture
def house(app: Flask, cast: Cast, now: datetime) -> House:
    return made_once("house", lambda: furnish(cast, now))


def test_the_token_of_another_person_is_refused_by_every_posting_view(app: Flask, house: House) -> None:
    ids = {name: [highest] for name, highest in highest_ids().items()}
    stranger = PageClient(app).sign_in(house.people["kim"])
    token, let_in = stranger.token(), []
    browsers = {who: PageClient(app).sign_in(house.people[who]) for who in ROLES}
    before = digests()
    for who, browser in browsers.items():
        for rule in rules(app, "POST"):
            address = next(iter(addresses(app, rule, ids)), None)
            if address is None or not is_for(app, rule, house.people[who]):
                continue
            for sent in (token, token[:-1] + "x", "", "undefined"):
                status = browser.http.post(address, data={**SAID, "csrf_token": sent}).status_code
                if status not in (400, 404):
                    let_in.append((who, rule.rule, sent, status))
    assert let_in == []
    assert digests() == before


def test_json_and_plain_text_with_the_right_token_are_refused(app: Flask, house: House) -> None:
    browser = PageClient(app).sign_in(house.people["alex"])
    token = browser.token()
    before = digests()
    said = {**SAID, "csrf_token": token}
    answers = [
        browser.http.post("/messages", json=said),
        browser.http.post(
            "/messages", data="&".join(f"{k}={v}" for k, v in said.items()), content_type="text/plain"
        ),
        browser.http.post(f"/messages?csrf_token={token}", json=SAID),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert digests() == before


def test_somebody_elses_rows_are_not_reached_with_ones_own_token(app: Flask, house: House) -> None:
    """Those of Southfield post to the rows of Northfield (the first are Alex's) with tokens of their own."""
    ids = {name: sorted({1, 2, (highest + 1) // 2}) for name, highest in highest_ids().items()}
    browsers = {who: PageClient(app).sign_in(house.people[who]) for who in ("kim", "lee", "max", "vendor")}
    tokens = {who: browser.token() for who, browser in browsers.items()}
    theirs = house_of_northfield(house)
    for who, browser in browsers.items():
        for rule in rules(app, "POST"):
            if not rule.arguments or not is_for(app, rule, house.people[who]):
                continue
            for address in addresses(app, rule, ids):
                data = {**SAID, "csrf_token": tokens[who], "enrolment_id": str(house.cast.enrolment.id)}
                assert browser.http.post(address, data=data).status_code < 500
    assert house_of_northfield(house) == theirs


def house_of_northfield(house: House) -> list[tuple[str, str]]:
    """Every row of Northfield's patients, as text."""
    db.session.rollback()
    own = {house.cast.enrolment.id, house.sashas.id}
    tables = [table for table in AuditLine.metadata.sorted_tables if "enrolment_id" in table.c]
    return [
        (table.name, repr(row))
        for table in tables
        if table.name != "audit_lines"
        for row in db.session.execute(
            select(table).where(table.c.enrolment_id.in_(own)).order_by(*table.primary_key)
        )
    ]


def test_a_refused_form_is_kept_on_the_page_that_refuses_it(app: Flask, house: House) -> None:
    words = "A long thought that took the whole evening to write down."
    browser = PageClient(app).sign_in(house.people["alex"])
    response = browser.http.post(
        "/messages", data={"csrf_token": "old", "words": words, "posted_key": "a" * 24}
    )
    assert response.status_code == 400
    assert words in response.get_data(as_text=True)


# Who looked --------------------------------------------------------------------------------------------------


def lines() -> list[AuditLine]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditLine).order_by(AuditLine.id)))


LOOKS = (
    ("pat", "/supporting/patients/{}"),
    ("pat", "/supporting/patients/{}/contact"),
    ("pat", "/supporting/patients/{}/messages"),
    ("pat", "/supporting/patients/{}/concern"),
    ("jo", "/clinical/patients/{}"),
    ("jo", "/clinical/patients/{}/contact"),
    ("jo", "/clinical/patients/{}/decide"),
)


def test_a_look_at_a_patient_is_one_line_and_so_is_a_refused_one(
    app: Flask, house: House, now: datetime
) -> None:
    own, other = house.cast.enrolment.id, house.cast.other_enrolment.id
    browsers = {who: PageClient(app).sign_in(house.people[who]) for who in ("pat", "jo")}
    for who, path in LOOKS:
        account_id, seen = house.people[who].id, len(lines())
        assert browsers[who].http.get(path.format(own)).status_code == 200
        (line,) = lines()[seen:]
        assert (line.action, line.actor_account_id, line.enrolment_id) == ("read_record", account_id, own)
        assert (line.at, line.address) == (now, "127.0.0.1")
        assert line.detail.startswith(("supporter_", "clinician_"))
        assert browsers[who].http.get(path.format(other)).status_code == 404
        (refused,) = lines()[seen + 1 :]
        assert (refused.action, refused.actor_account_id) == ("refused_record", account_id)
        assert (refused.object_id, refused.enrolment_id) == (other, None)


def test_every_staff_page_about_one_patient_leaves_a_line(app: Flask, house: House) -> None:
    """Whatever its shape, an address with a patient's row in it is a look at a record."""
    silent = []
    for who in ("pat", "jo"):
        browser = PageClient(app).sign_in(house.people[who])
        ids = {name: range(1, highest + 1) for name, highest in highest_ids().items()}
        for rule in rules(app, "GET"):
            if not rule.arguments & {"enrolment_id", "review_id", "alert_id"} or not rule.rule.startswith(
                ("/supporting", "/clinical")
            ):
                continue
            for address in addresses(app, rule, ids):
                seen = line_count()
                status = browser.http.get(address).status_code
                if line_count() == seen:
                    silent.append((who, address, status))
    assert silent == []


@pytest.mark.parametrize("who", ["pat", "jo"])
def test_a_form_that_comes_back_with_mistakes_leaves_a_line_too(app: Flask, house: House, who: str) -> None:
    """An empty form is refused and shows the record again: nobody reads that way without a trace."""
    browser = PageClient(app).sign_in(house.people[who])
    forms, token = forms_for(app, house.people[who], browser), browser.token()
    silent, shown = [], 0
    for form in forms.values():
        if "sign-out" in form.action:
            continue
        seen = line_count()
        response = browser.http.post(form.action, data={"csrf_token": token})
        words = response.get_data(as_text=True)
        if shows_a_patient(words):
            shown += 1
            silent += [form.action] if line_count() == seen else []
    assert shown >= 8
    assert silent == []


def test_a_form_about_a_report_that_comes_back_leaves_a_line(app: Flask, house: House) -> None:
    """What somebody typed about the product may be about their health."""
    alex, toni = (PageClient(app).sign_in(house.people[who]) for who in ("alex", "toni"))
    alex.post("/report-a-problem", {"kind": "problem", "words": "canary-alex-report", "posted_key": "r"})
    number = db.session.scalar(select(func.max(ProblemReport.id)))
    token, seen = toni.token(), line_count()
    response = toni.http.post(f"/admin/feedback/{number}/triage", data={"csrf_token": token})
    assert response.status_code == 422
    assert shows_a_patient(response.get_data(as_text=True))
    (line,) = lines()[seen:]
    assert (line.action, line.object_id) == ("read_report", number)


def test_a_form_that_comes_back_is_not_shown_where_the_look_cannot_be_written(
    app: Flask, house: House
) -> None:
    browser = PageClient(app).sign_in(house.people["pat"])
    token = browser.token()
    address = f"/supporting/patients/{house.cast.enrolment.id}/messages"
    rename("audit_lines", "audit_lines_away")
    try:
        response = browser.http.post(address, data={"csrf_token": token})
    finally:
        rename("audit_lines_away", "audit_lines")
    assert response.status_code == 503
    assert not shows_a_patient(response.get_data(as_text=True))
    assert response.headers["X-Frame-Options"] == "DENY"


def rename(table: str, name: str) -> None:
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")


def line_count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(AuditLine)) or 0
