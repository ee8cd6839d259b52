"""The clinician's caseload: people with a reason and one action; groups, supporters and orders are links."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select

from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.engagement import caseloads
from icbt_support.enrolments.models import EnrolmentState, Purpose
from icbt_support.plan.models import ItemState
from icbt_support.risk.operations import raise_stated_risk
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.beginnings import as_patient
from tests.concepts.service_of_many import ManyPeople, open_week, review, score, session_on, visit
from tests.pages.visits import status_of

CASELOAD = "/clinical/caseload"


@pytest.fixture
def clinician(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.clinician)


def text_of(clinician: PageClient, query: str = "") -> str:
    db.session.commit()
    return clinician.get(CASELOAD + query).get_data(as_text=True)


def test_only_clinicians_find_it(app: Flask, cast: Cast) -> None:
    for account in (cast.patient, cast.supporter, cast.administrator):
        assert status_of(app, account, CASELOAD) == 404
    assert status_of(app, cast.clinician, CASELOAD) == 200


def test_only_the_services_own_people_stand_in_it_and_the_look_is_in_the_audit(
    clinician: PageClient, cast: Cast
) -> None:
    html = text_of(clinician)
    assert "Alex Reed" in html
    assert "Kim Hill" not in html
    assert "Kim Hill" not in text_of(clinician, f"?supporter={cast.other_supporter.id}")
    lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "read_caseload")).all()
    assert {(line.actor_account_id, line.service_id) for line in lines} == {
        (cast.clinician.id, cast.service.id)
    }


def test_each_action_leads_to_its_page(clinician: PageClient, cast: Cast, now: datetime) -> None:
    many = ManyPeople(cast, now)
    call = many.person("Call Bob", state=EnrolmentState.INVITED)
    call.invited_at = now - timedelta(days=8)
    decide = many.person("Decide Cy", state=EnrolmentState.ONBOARDING)
    decide.invited_at = now - timedelta(days=21)
    late = many.person("Late Liv")
    review(late, 1, now.date() - timedelta(days=1))
    alert = raise_stated_risk(cast.enrolment, "Canary words", by=as_patient(cast), now=now)
    for one in (call, decide):
        one.starts_on = None
    html = text_of(clinician)
    for path, words in (
        (f"/clinical/risk/{alert.id}", "Open the alert"),
        (f"/clinical/patients/{call.id}/contact", "Log a call"),
        (f"/clinical/patients/{decide.id}/decide", "Decide: close or invite again"),
        (f"/clinical/patients/{late.id}/decide", "Hand over to a colleague"),
    ):
        assert f'">{words}<span' in html
        assert any(link.endswith(path.rsplit("/clinical", 1)[1]) for link in clinician.page.links), path
    assert "invited 8 days ago, no call yet" in html
    assert "since Wednesday 5pm" in html
    assert "Canary words" not in html


def test_groups_and_orders_are_links_that_keep_each_other(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    many = ManyPeople(cast, now)
    many.person("Away Ada", state=EnrolmentState.AWAY)
    visit(cast.enrolment, now)
    other = many.person("Other Oz")
    other.supporter_id = cast.colleague.id
    assert "Away Ada" in text_of(clinician, "?group=away&sort=name")
    assert "/clinical/caseload?group=away" in clinician.page.links
    assert "/clinical/caseload?group=quiet&sort=name" in clinician.page.links
    html = text_of(clinician, f"?supporter={cast.colleague.id}")
    assert "Other Oz" in html
    assert "Away Ada" not in html
    assert "Nobody here" in text_of(clinician, "?group=not-benefiting")
    assert "Alex Reed" in text_of(clinician, "?group=nonsense&sort=nonsense&supporter=x")


def test_a_heading_counts_from_twenty_people_on(clinician: PageClient, cast: Cast, now: datetime) -> None:
    many = ManyPeople(cast, now)
    assert "Who needs a look?" in text_of(clinician)
    for _ in range(19):
        many.person()
    late = many.person("Late Liv")
    review(late, 1, now.date() - timedelta(days=1))
    assert "1 of 21 people need a look" in text_of(clinician)
    assert "Who needs a look?" in text_of(clinician, "?group=in-rhythm")


def test_each_person_has_a_strip_and_twenty_stand_on_a_page(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    """The key names what the strips draw; the pages keep the group and the order."""
    many = ManyPeople(cast, now)
    cast.enrolment.purpose = Purpose.TRAINING
    for number in range(21):
        week = open_week(many.person(f"Person{number:02} Reed"), 1, now.date() - timedelta(days=3))
        session_on(week, now.date() + timedelta(days=1), ItemState.PLANNED)
    html = text_of(clinician, "?sort=name")
    assert html.count('class="strip strip--mini') == 20
    assert html.count('aria-label="Week 1, day by day"') == 20
    assert "</svg> session</li>" in html
    assert "</svg> agreed step</li>" not in html
    assert "Showing 1 to 20 of 21" in html
    assert "/clinical/caseload?sort=name&page=2" in clinician.page.links
    rest = text_of(clinician, "?sort=name&page=2")
    assert "Person20 Reed" in rest
    assert "Person19 Reed" not in rest
    assert "/clinical/caseload?sort=name" in clinician.page.links
    assert "Showing" not in text_of(clinician, "?group=need-a-look")
    assert "Nobody here" in text_of(clinician, "?page=9")


def test_the_page_takes_ten_statements_for_one_supporters_people(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    many = ManyPeople(cast, now)
    for _ in range(60):
        open_week(many.person(), 1, now.date())
    assert statements_of(clinician, f"?supporter={cast.supporter.id}") <= 10


@pytest.fixture
def most_shown_is_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caseloads, "MOST_SHOWN", 3)


@pytest.mark.usefixtures("most_shown_is_three")
def test_nobody_who_needs_a_look_falls_out_of_the_list_of_a_big_service(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    """Those who have not been here for longest are shown of everybody; the two were here today, the others before."""
    many = ManyPeople(cast, now)
    cast.enrolment.purpose = Purpose.TRAINING
    for _ in range(4):
        many.person(state=EnrolmentState.PAUSED)
    late, still = many.person("Late Liv"), many.person("Still Sid")
    for one in (late, still):
        visit(one, now + timedelta(minutes=1))
    review(late, 1, now.date() - timedelta(days=1))
    open_week(still, 3, now.date())
    score(still, 0, 15, now - timedelta(days=50))
    score(still, 2, 15, now - timedelta(days=2))

    everybody = text_of(clinician)
    assert "These are 3 of 6" in everybody
    assert "Late Liv" not in everybody
    for group, name in (("need-a-look", "Late Liv"), ("not-benefiting", "Still Sid")):
        html = text_of(clinician, f"?group={group}")
        assert name in html, group
        assert "1 person<" in html
        assert "These are" not in html
    assert "Still Sid" not in text_of(clinician, f"?group=not-benefiting&supporter={cast.colleague.id}")


def test_a_list_that_has_not_looked_at_everybody_says_so(
    clinician: PageClient, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = ManyPeople(cast, now)
    for _ in range(3):
        many.person()
    for group in ("need-a-look", "not-benefiting"):
        assert "not looked at" not in text_of(clinician, f"?group={group}")
    monkeypatch.setattr(caseloads, "MOST_LOOKED_AT", 2)
    for group in ("need-a-look", "not-benefiting"):
        assert "2 people were not looked at" in text_of(clinician, f"?group={group}")


@pytest.mark.parametrize("group", ["need-a-look", "not-benefiting"])
def test_a_filtered_list_takes_as_many_statements_for_many_as_for_few(
    clinician: PageClient, cast: Cast, now: datetime, group: str
) -> None:
    many = ManyPeople(cast, now)

    def add(people: int) -> None:
        for _ in range(people):
            one = many.person()
            open_week(one, 3, now.date())
            review(one, 2, now.date() - timedelta(days=1))
            score(one, 0, 15, now - timedelta(days=50))
            score(one, 2, 15, now - timedelta(days=2))

    add(3)
    few = statements_of(clinician, f"?group={group}")
    add(40)
    assert statements_of(clinician, f"?group={group}") == few


def statements_of(clinician: PageClient, path: str) -> int:
    text_of(clinician, path)
    seen: list[str] = []

    def note(connection, cursor, statement, *rest):  # type: ignore[no-untyped-def]
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        text_of(clinician, path)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len([one for one in seen if not one.startswith("BEGIN")])
