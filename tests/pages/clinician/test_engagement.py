"""Engagement: figures with what they are counted of, and headings that say no more, for clinicians only."""

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import delete, select

from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.hours.models import DutySession
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.service_of_many import ManyPeople, open_week, read_module, visit
from tests.pages.visits import status_of

ENGAGEMENT = "/clinical/engagement"


@pytest.fixture
def clinician(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.clinician)


def text_of(clinician: PageClient) -> str:
    return clinician.get(ENGAGEMENT).get_data(as_text=True)


def test_only_clinicians_find_it(app: Flask, cast: Cast) -> None:
    for account in (cast.patient, cast.supporter, cast.administrator):
        assert status_of(app, account, ENGAGEMENT) == 404
    assert status_of(app, cast.clinician, ENGAGEMENT) == 200


def test_a_stranger_is_sent_to_sign_in(client: PageClient, cast: Cast) -> None:
    assert client.http.get(ENGAGEMENT).headers["Location"].startswith("/sign-in")


def test_reading_it_leaves_one_audit_line(clinician: PageClient, cast: Cast) -> None:
    text_of(clinician)
    line = db.session.scalars(select(AuditLine).where(AuditLine.action == "read_engagement")).one()
    assert (line.actor_account_id, line.service_id) == (cast.clinician.id, cast.service.id)


def test_an_empty_service_says_so_and_shows_no_figure(clinician: PageClient, cast: Cast) -> None:
    cast.enrolment.service_id = cast.elsewhere.id
    db.session.commit()
    html = text_of(clinician)
    assert html.count("No figure") == 4
    assert "Nobody yet" in html
    assert "Who is in rhythm?" in html
    assert "Nobody&#39;s plan has had time for modules 1 to 8 yet." in html
    assert "of 0" not in html


def test_every_figure_says_what_it_is_counted_of_and_leads_to_the_people(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    visit(cast.enrolment, now)
    db.session.commit()
    html = text_of(clinician)
    assert "1<small> of 1</small>" in html
    assert "here in the last 7 days" in html
    assert "of of" not in html
    assert [link for link in clinician.page.links if "group=" in link] == [
        "/clinical/caseload?group=in-rhythm"
    ]


def test_nobody_on_duty_today_stands_above_the_page(clinician: PageClient, cast: Cast) -> None:
    assert "Nobody is on duty today" not in text_of(clinician)
    db.session.execute(delete(DutySession).where(DutySession.service_id == cast.service.id))
    db.session.commit()
    assert "Nobody is on duty today" in text_of(clinician)


def test_headings_state_a_finding_only_when_enough_people_stand_behind_it(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    many = ManyPeople(cast, now)

    def add(people: int) -> str:
        for _ in range(people):
            one = many.person()
            open_week(one, 2, now.date())
            read_module(one, "getting-started", now)
        db.session.commit()
        return text_of(clinician)

    few = add(4)
    assert "Module reach" in few
    assert "Who is in rhythm?" in few
    assert "A pale bar rests on fewer than 20 people" in few
    assert "Nobody&#39;s plan has had time for modules 3 to 8 yet." in few
    enough = add(16)
    assert "21 of 21 people are in rhythm" in enough
    assert "Fewer people open" in enough
