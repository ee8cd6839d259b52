"""The audit as an administrator reads it: whose it is, filters, and never anything clinical."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from icbt_support import audit
from icbt_support.audit.models import Actor, ActorKind, AuditLine
from icbt_support.db import db
from tests.browsing import PageClient
from tests.cast import Cast

CANARY = "item 9 answered 3"


@pytest.fixture
def admin(client: PageClient, cast: Cast, now: datetime) -> PageClient:
    by = Actor(ActorKind.PERSON, cast.supporter.id, role="supporter", service_id=cast.service.id)
    audit.record("raised_item_9_alert", by=by, now=now, enrolment_id=cast.enrolment.id, detail=CANARY)
    audit.record("read_record", by=by, now=now - timedelta(days=1), enrolment_id=cast.enrolment.id)
    elsewhere = Actor(
        ActorKind.PERSON, cast.other_supporter.id, role="supporter", service_id=cast.elsewhere.id
    )
    audit.record("changed_service", by=elsewhere, now=now, detail="canary of Southfield")
    db.session.commit()
    client.sign_in(cast.administrator)
    return client


def test_acts_on_a_course_say_neither_what_nor_whose(admin: PageClient) -> None:
    text = admin.get("/admin/audit").text
    assert "Changed a patient&#39;s record" in text
    assert "Opened a patient&#39;s record" in text
    assert CANARY not in text
    assert "item" not in text.lower()
    assert "Alex Reed" not in text


def test_other_services_lines_are_not_there(admin: PageClient) -> None:
    text = admin.get("/admin/audit").text
    assert "Southfield" not in text
    assert "Lee Brook" not in text


def test_sign_ins_of_staff_and_failed_ones_are_there(admin: PageClient, now: datetime) -> None:
    audit.record("failed_sign_in", by=Actor(ActorKind.PERSON, address="203.0.113.7"), now=now)
    db.session.commit()
    text = admin.get("/admin/audit").text
    assert "Signed in" in text
    assert "203.0.113.7" in text
    assert "Not signed in" in text


def test_lines_are_filtered_by_person_act_and_day(admin: PageClient, cast: Cast) -> None:
    by_person = admin.get(f"/admin/audit?person={cast.supporter.id}").text
    assert "Opened a patient" in by_person
    assert "Created account" not in by_person.split("<table")[1]
    by_act = admin.get("/admin/audit?action=read_record").text.split("<table")[1]
    assert "Opened a patient" in by_act
    assert "Changed a patient" not in by_act
    by_day = admin.get("/admin/audit?on=2026-11-18").text.split("<table")[1]
    assert "Opened a patient" in by_day
    assert "Changed a patient" not in by_day


def test_an_act_on_a_course_cannot_be_filtered_for(admin: PageClient) -> None:
    text = admin.get("/admin/audit?action=raised_item_9_alert").text
    assert "Created account" in text


@pytest.mark.parametrize(
    "query",
    [
        "person=x",
        "person=-1",
        f"person={2**70}",
        "on=2026-13-45",
        "on=0001-01-01",
        "before=%00",
        "action=%00",
    ],
)
def test_odd_filters_are_left_out(admin: PageClient, query: str) -> None:
    assert admin.get(f"/admin/audit?{query}").status_code == 200


def test_long_audits_have_pages(admin: PageClient, cast: Cast, now: datetime) -> None:
    by = Actor(ActorKind.PERSON, cast.administrator.id, service_id=cast.service.id)
    for number in range(60):
        audit.record("changed_service", by=by, now=now, detail=f"number {number}")
    db.session.commit()
    text = admin.get("/admin/audit").text
    assert "number 59" in text
    assert "number 5<" not in text
    older = next(link for link in admin.page.links if "before=" in link)
    assert "number 5<" in admin.get(older).text


def test_reading_the_audit_changes_nothing(admin: PageClient) -> None:
    before = db.session.scalar(select(func.count(AuditLine.id)))
    admin.get("/admin/audit")
    db.session.rollback()
    assert db.session.scalar(select(func.count(AuditLine.id))) == before


def test_a_look_at_a_whole_caseload_is_about_the_caseload_and_no_number(
    admin: PageClient, cast: Cast
) -> None:
    admin.sign_in(cast.supporter).get("/supporting/today")
    text = admin.sign_in(cast.administrator).get("/admin/audit").text
    assert "Read caseload" in text
    assert "Caseload None" not in text
