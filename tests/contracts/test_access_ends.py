"""Whoever loses a person loses every form about them at once: what stood on their screen changes nothing any more."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support import clock
from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.operations import end_role
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours.transitions import record_absence_row
from icbt_support.rhythm.handover import hand_over
from icbt_support.tables import METADATA
from tests.browsing import PageClient
from tests.cast import OPERATOR, Cast
from tests.clean_slate import made_once
from tests.concepts.rhythm_steps import acting
from tests.contracts.full_house import House, furnish
from tests.contracts.walking import Form, forms_for

NOT_ABOUT_A_COURSE = ("/account", "/sign-out", "/supporting/me", "/supporting/hours", "/training")


@pytest.fixture
def house(app: Flask, cast: Cast, now: datetime) -> House:
    return made_once("house", lambda: furnish(cast, now))


def rows_about(enrolment_id: int) -> list[tuple[str, str]]:
    """Every row of one course, as text; who may open it, and the trace of those who tried, are not of it."""
    db.session.rollback()
    return [
        (table.name, repr(row))
        for table in METADATA.sorted_tables
        if table.name not in ("audit_lines", "colleague_access") and "enrolment_id" in table.c
        for row in db.session.execute(
            select(table).where(table.c.enrolment_id == enrolment_id).order_by(*table.primary_key)
        )
    ]


def forms_on_the_screen(app: Flask, account: Account, browser: PageClient) -> list[Form]:
    found = forms_for(app, account, browser).values()
    return [form for form in found if not form.action.startswith(NOT_ABOUT_A_COURSE)]


def press_all(browser: PageClient, forms: list[Form], token: str) -> dict[str, int]:
    """Presses the button of every form, with everything filled in; returns what each was answered."""
    answers = {}
    for form in forms:
        typed = {name: value or "late words" for name, value in form.values.items() if name in form.typed}
        values = {**form.values, **typed, "csrf_token": token}
        answers[form.action] = browser.http.post(form.action, data=values).status_code
    return answers


def end_by_hand_over(house: House, now: datetime) -> None:
    by = acting(house.cast.clinician, Role.CLINICIAN)
    hand_over(
        db.session.get_one(Enrolment, house.cast.enrolment.id),
        house.cast.colleague,
        reason="",
        by=by,
        now=now,
    )


def end_by_role(house: House, now: datetime) -> None:
    end_role(house.cast.supporter, Role.SUPPORTER, service_id=house.cast.service.id, by=OPERATOR, now=now)


@pytest.mark.parametrize("end", [end_by_hand_over, end_by_role])
def test_a_former_supporter_changes_nothing_in_the_same_second(
    app: Flask, house: House, now: datetime, end: Callable[[House, datetime], None]
) -> None:
    browser = PageClient(app).sign_in(house.cast.supporter)
    forms, token = forms_on_the_screen(app, house.cast.supporter, browser), browser.token()
    assert len(forms) > 10
    end(house, now)
    db.session.commit()
    before = rows_about(house.cast.enrolment.id)
    if end is end_by_role:  # It ended every sign-in: the person signs in again.
        browser = PageClient(app).sign_in(house.cast.supporter)
        token = browser.token()
    answers = press_all(browser, forms, token)
    about_a_person = {path: code for path, code in answers.items() if path.startswith("/supporting/")}
    assert set(about_a_person.values()) <= {302, 400, 404}
    assert rows_about(house.cast.enrolment.id) == before


def test_after_the_last_day_of_cover_nothing_is_open_any_more(
    app: Flask, house: House, now: datetime
) -> None:
    cast = house.cast
    record_absence_row(
        cast.supporter.id,
        service_id=cast.service.id,
        from_on=now.date(),
        until_on=now.date(),
        cover_id=cast.colleague.id,
        by=OPERATOR,
        now=now,
    )
    db.session.commit()
    browser = PageClient(app).sign_in(cast.colleague)
    forms, token = forms_on_the_screen(app, cast.colleague, browser), browser.token()
    of_alex = [form for form in forms if browser.http.get(form.page).get_data(as_text=True).count("Alex")]
    assert len(of_alex) > 5
    clock.stop_clock_at(now + timedelta(days=1))
    before = rows_about(cast.enrolment.id)
    press_all(browser, of_alex, token)
    assert rows_about(cast.enrolment.id) == before
    for form in of_alex:
        assert "Alex" not in browser.http.get(form.page).get_data(as_text=True)
