"""The caseload: filters and orders are links, and only own people stand in it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.engagement.caseload_list import Sort
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.hours.models import Absence
from icbt_support.plan.models import ItemKind, PlanItem
from tests.browsing import PageClient
from tests.cast import Cast, enrol, make_person
from tests.concepts.service_of_many import open_week
from tests.conftest import THURSDAY
from tests.pages.supporter.course import start_course, visit

CASELOAD = "/supporting/caseload"


@pytest.fixture
def visitor(cast: Cast, client: PageClient) -> PageClient:
    for name, state in (("Zed Away", EnrolmentState.AWAY), ("Bea Start", EnrolmentState.INVITED)):
        patient = make_person(name, Role.PATIENT, cast.service, THURSDAY)
        enrol(patient, cast.supporter, cast.clinician, cast.service, THURSDAY).state = state
    db.session.commit()
    start_course(cast.enrolment)
    visit(cast.enrolment, at=THURSDAY - timedelta(days=8))
    clock.stop_clock_at(THURSDAY)
    return client.sign_in(cast.supporter)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Alex Reed", "Bea Start", "Zed Away"]),
        ("?show=now", ["Alex Reed"]),
        ("?show=quiet", ["Alex Reed"]),
        ("?show=starting", ["Bea Start"]),
        ("?show=away", ["Zed Away"]),
        ("?show=cover", []),
        ("?show=late", []),
        ("?show=rising", []),
        ("?show=nonsense&sort=nonsense", ["Alex Reed", "Bea Start", "Zed Away"]),
        ("?sort=last-visit", ["Bea Start", "Zed Away", "Alex Reed"]),
        ("?sort=review", ["Alex Reed", "Bea Start", "Zed Away"]),
    ],
)
def test_filters_and_orders(visitor: PageClient, query: str, names: list[str]) -> None:
    html = visitor.get(CASELOAD + query).get_data(as_text=True)
    found = sorted(
        (html.index(f">{name}</a>"), name)
        for name in ("Alex Reed", "Bea Start", "Zed Away")
        if f">{name}</a>" in html
    )
    assert [name for _, name in found] == names
    assert "Kim Hill" not in html


@pytest.mark.parametrize("sort", list(Sort))
def test_every_order_answers(visitor: PageClient, sort: Sort) -> None:
    assert visitor.get(f"{CASELOAD}?show=everybody&sort={sort.value}").status_code == 200


def test_people_under_cover_stand_in_the_caseload_for_those_days(cast: Cast, visitor: PageClient) -> None:
    visitor.sign_in(cast.colleague)
    assert "Alex Reed" not in visitor.get(CASELOAD).get_data(as_text=True)
    db.session.add(
        Absence(
            account_id=cast.supporter.id,
            service_id=cast.service.id,
            from_on=date(2026, 11, 19),
            until_on=date(2026, 11, 19),
            cover_id=cast.colleague.id,
            recorded_at=THURSDAY,
        )
    )
    db.session.commit()
    html = visitor.get(f"{CASELOAD}?show=cover").get_data(as_text=True)
    assert "Alex Reed" in html
    assert "For Pat Lane" in html


def test_other_roles_do_not_find_it(cast: Cast, client: PageClient) -> None:
    for account in (cast.patient, cast.clinician, cast.administrator):
        client.sign_in(account)
        assert client.http.get(CASELOAD).status_code == 404


def test_a_caseload_costs_the_same_statements_however_many_agreed_a_step(
    cast: Cast, visitor: PageClient
) -> None:
    with_agreed_step(cast, "Ada One")
    few = statements_of(visitor)
    for name in ("Ben Two", "Cleo Three", "Dan Four"):
        with_agreed_step(cast, name)
    assert statements_of(visitor) == few


def with_agreed_step(cast: Cast, name: str) -> None:
    patient = make_person(name, Role.PATIENT, cast.service, THURSDAY)
    enrolment = enrol(patient, cast.supporter, cast.clinician, cast.service, THURSDAY)
    week = open_week(enrolment, 1, THURSDAY.date())
    step = PlanItem(
        week_id=week.id, enrolment_id=enrolment.id, kind=ItemKind.AGREED_STEP, title="A walk", minutes=20
    )
    step.planned_on = THURSDAY.date() + timedelta(days=2)
    db.session.add(step)
    db.session.commit()


def statements_of(visitor: PageClient) -> int:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert "Agreed step is due" in visitor.get(CASELOAD).text
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)
