"""Engagement: figures with what they are counted of, and headings that say no more, for clinicians only."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select

from icbt_support.activity.models import Act
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.hours.models import DutySession
from icbt_support.programme.library import LIBRARY, load_library
from tests.browsing import PageClient
from tests.cast import PROGRAMME, Cast
from tests.concepts.service_of_many import ManyPeople, open_week, read_module, review, visit
from tests.pages.visits import status_of

ENGAGEMENT, PEOPLE = "/clinical/engagement", "/clinical/engagement/people"


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


def test_small_numbers_are_not_printed(clinician: PageClient, cast: Cast, now: datetime) -> None:
    not_printed = "Engagement is not printed today"
    visit(cast.enrolment, now)
    db.session.commit()
    few = text_of(clinician)
    assert not_printed in few
    assert few.index(not_printed) < few.index('<div class="screen-only">') < few.index("In rhythm")
    cast.enrolment.service_id = cast.elsewhere.id
    db.session.commit()
    assert not_printed not in text_of(clinician)


def test_numbers_lead_to_the_people_behind_them(clinician: PageClient, cast: Cast, now: datetime) -> None:
    last_week = now - timedelta(days=7)
    cast.enrolment.started_at = now - timedelta(days=20)
    visit(cast.enrolment, last_week, Act.SAVED_ENTRY)
    open_week(cast.enrolment, 2, last_week.date())
    db.session.commit()
    text_of(clinician)
    links = [link for link in clinician.page.links if link.startswith(PEOPLE)]
    assert {figure for figure in ("used-a-tool", "had-time") for link in links if figure in link} == {
        "used-a-tool",
        "had-time",
    }
    for link in links:
        html = clinician.get(link).get_data(as_text=True)
        assert "Showing 1 to 1 of 1" in html, link
        assert cast.patient.full_name in html
    line = db.session.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
    assert line is not None
    assert line.action == "read_engagement"
    assert line.detail.startswith("people: ")


def test_reviews_behind_a_figure_are_counted_by_person(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    late_at = now - timedelta(days=7)
    for number in (91, 92):
        review(cast.enrolment, number, late_at.date(), told_late_at=late_at)
    db.session.commit()
    html = clinician.get(f"{PEOPLE}?figure=late&week={late_at.date()}").get_data(as_text=True)
    assert "Reviews late, in the week from Monday" in html
    assert "2 reviews, 1 person" in html
    assert "brought up to date every hour" in html  # the list is newer than its figure may be


def test_only_clinicians_of_the_service_see_the_people(app: Flask, cast: Cast, client: PageClient) -> None:
    address = f"{PEOPLE}?figure=did-not-visit&week=2026-11-16"
    for account in (cast.patient, cast.supporter, cast.administrator):
        assert status_of(app, account, address) == 404
    client.sign_in(cast.other_clinician)
    assert cast.patient.full_name not in client.get(address).get_data(as_text=True)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "figure=happiness",
        "figure=late",
        "figure=late&week=9999-12-31",
        "figure=fortnight&group=4",
        "figure=opened&programme=low-mood&module=x",
        "figure=opened&module=getting-started",
    ],
)
def test_a_figure_that_there_is_not_is_not_found(clinician: PageClient, cast: Cast, query: str) -> None:
    assert clinician.get(f"{PEOPLE}?{query}").status_code == 404


@pytest.fixture
def own_programme(tmp_path: Path) -> Iterator[str]:
    """A service's own programme beside ours."""
    shutil.copytree(LIBRARY / PROGRAMME, tmp_path / "worrying-less")
    file = tmp_path / "worrying-less" / "programme.yml"
    words = file.read_text(encoding="utf-8")
    words = words.replace("slug: low-mood", "slug: worrying-less", 1)
    file.write_text(words.replace("title: Low mood", "title: Worrying less", 1), encoding="utf-8")
    load_library(tmp_path)
    yield "worrying-less"
    load_library()


def test_the_reach_of_each_programme_is_shown_by_link(
    clinician: PageClient, cast: Cast, now: datetime, own_programme: str
) -> None:
    ours = text_of(clinician)
    assert f"{ENGAGEMENT}?programme={own_programme}" in clinician.page.links
    assert "Nobody&#39;s plan has had time for modules 1 to 8 yet." in ours
    cast.enrolment.programme_slug = own_programme
    open_week(cast.enrolment, 1, now.date())
    db.session.commit()
    theirs = clinician.get(f"{ENGAGEMENT}?programme={own_programme}").get_data(as_text=True)
    assert "Nobody&#39;s plan has had time for modules 2 to 8 yet." in theirs
    assert any(f"programme={own_programme}" in link and "had-time" in link for link in clinician.page.links)
