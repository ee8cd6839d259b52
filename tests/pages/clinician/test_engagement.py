"""Engagement: figures with denominators, people with a reason and one action, for clinicians only."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from icbt_support.activity.models import ActivityDay
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.hours.models import DutySession
from icbt_support.risk.operations import raise_stated_risk
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.beginnings import as_patient
from tests.concepts.service_of_many import ManyPeople, open_week, read_module, review, visit
from tests.pages.visits import status_of

ENGAGEMENT = "/clinical/engagement"


@pytest.fixture
def clinician(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.clinician)


def text_of(clinician: PageClient, query: str = "") -> str:
    return clinician.get(ENGAGEMENT + query).get_data(as_text=True)


def test_only_clinicians_find_it(app: Flask, cast: Cast) -> None:
    for account in (cast.patient, cast.supporter, cast.administrator):
        assert status_of(app, account, ENGAGEMENT) == 404
    assert status_of(app, cast.clinician, ENGAGEMENT) == 200


def test_a_stranger_is_sent_to_sign_in(client: PageClient, cast: Cast) -> None:
    assert client.http.get(ENGAGEMENT).headers["Location"].startswith("/sign-in")


def test_another_services_people_are_nowhere(clinician: PageClient, cast: Cast) -> None:
    html = text_of(clinician, "?people=everyone")
    assert "Alex Reed" in html
    assert "Kim Hill" not in html


def test_reading_it_leaves_one_audit_line(clinician: PageClient, cast: Cast) -> None:
    text_of(clinician)
    line = db.session.scalars(select(AuditLine).where(AuditLine.action == "read_engagement")).one()
    assert (line.actor_account_id, line.service_id) == (cast.clinician.id, cast.service.id)


def test_an_empty_service_says_so_and_shows_no_figure(clinician: PageClient, cast: Cast) -> None:
    cast.enrolment.service_id = cast.elsewhere.id
    html = text_of(clinician)
    assert html.count("No figure") == 4
    assert "Nobody yet" in html
    assert "Nobody&#39;s plan has had time for modules 1 to 8 yet." in html
    assert "of 0" not in html


def test_every_tile_says_what_it_is_counted_of(clinician: PageClient, cast: Cast, now: datetime) -> None:
    visit(cast.enrolment, now)
    html = text_of(clinician)
    assert "0<small> of 1</small>" in html
    assert "of of" not in html


def test_each_action_leads_to_its_page(clinician: PageClient, cast: Cast, now: datetime) -> None:
    many = ManyPeople(cast, now)
    call = many.person("Call Bob", state=EnrolmentState.INVITED)
    call.invited_at = now - timedelta(days=8)
    decide = many.person("Decide Cy", state=EnrolmentState.ONBOARDING)
    decide.invited_at = now - timedelta(days=21)
    late = many.person("Late Liv")
    review(late, 1, now.date() - timedelta(days=1))
    alert = raise_stated_risk(cast.enrolment, "Canary words", by=as_patient(cast), now=now)
    db.session.commit()
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


def test_everybody_who_needs_a_look_is_shown_and_the_rest_one_step_away(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    many = ManyPeople(cast, now)
    for number in range(14):
        quiet = many.person(f"Quiet {number:02}")
        db.session.execute(delete(ActivityDay).where(ActivityDay.enrolment_id == quiet.id))
    for number in range(3):
        many.person(f"Well {number}")
    db.session.commit()
    html = text_of(clinician)
    assert all(f"Quiet {number:02}" in html for number in range(14))
    assert "Well 0" not in html
    assert "Showing 14 of 18." in html
    assert "Well 0" in text_of(clinician, "?people=everyone")


def test_nobody_on_duty_today_stands_above_the_page(clinician: PageClient, cast: Cast) -> None:
    assert "Nobody is on duty today" not in text_of(clinician)
    db.session.execute(delete(DutySession).where(DutySession.service_id == cast.service.id))
    db.session.commit()
    assert "Nobody is on duty today" in text_of(clinician)


def test_headings_stay_neutral_until_enough_people_stand_behind_them(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    many = ManyPeople(cast, now)
    for _ in range(4):
        one = many.person()
        open_week(one, 2, now.date())
        read_module(one, "getting-started", now)
    db.session.commit()
    html = text_of(clinician)
    assert "Module reach" in html
    assert "Fewer people open" not in html
    assert "A pale bar rests on fewer than 20 people" in html
    assert "Nobody&#39;s plan has had time for modules 3 to 8 yet." in html
