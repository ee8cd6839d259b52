"""Whom to ask, training, the board and what colleagues ask: who may open them, and what they say of few and none."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

from icbt_support.accounts.models import Role
from icbt_support.accounts.operations import end_role
from icbt_support.audit import Actor
from icbt_support.db import db
from icbt_support.implementation.board import board_of
from icbt_support.implementation.models import TrainingCompletion
from icbt_support.implementation.queries import leads_of
from icbt_support.implementation.rules import Figure, LeadKind
from icbt_support.pages.staff.colleagues import QUESTIONS
from icbt_support.reviews.models import ReviewState
from tests.browsing import PageClient
from tests.cast import Cast, make_person
from tests.concepts.beginnings import open_week_1
from tests.concepts.service_of_many import at, review
from tests.pages.visits import status_of, words_for

BY = Actor.system("test")
EVIDENCE = Path(__file__).parents[3] / "docs" / "evidence.md"
STAFF_PAGES = ("/who-to-ask", "/training", "/what-colleagues-ask")


def name_leads(app: Flask, cast: Cast, **who: str) -> None:
    admin = PageClient(app).sign_in(cast.administrator)
    admin.get("/admin/leads")
    values = {kind.value: "" for kind in LeadKind} | who
    assert admin.post("/admin/leads", values).status_code == 200


def test_leads_are_named_by_an_administrator_and_shown_to_staff(
    app: Flask, cast: Cast, now: datetime
) -> None:
    vendor = make_person("Vic Trade", Role.VENDOR, cast.service, now)
    db.session.commit()
    assert "Nobody is named yet" in words_for(app, cast.supporter, "/who-to-ask")
    name_leads(app, cast, implementation_lead=str(cast.supporter.id), vendor_contact=str(vendor.id))
    seen = words_for(app, cast.colleague, "/who-to-ask")
    assert "Pat Lane" in seen
    assert "vic.trade@example.net" in seen
    assert "Pat Lane" not in words_for(app, cast.other_supporter, "/who-to-ask")
    for odd in (cast.patient, cast.other_supporter):
        assert status_of(app, cast.administrator, "/admin/leads", {"implementation_lead": str(odd.id)}) == 422
    end_role(cast.supporter, Role.SUPPORTER, service_id=cast.service.id, by=BY, now=now)
    db.session.commit()
    assert LeadKind.IMPLEMENTATION_LEAD not in leads_of(cast.service.id)


def test_a_training_is_listed_done_confirmed_by_somebody_else_and_expires(
    app: Flask, cast: Cast, now: datetime
) -> None:
    admin, pat = PageClient(app).sign_in(cast.administrator), PageClient(app).sign_in(cast.supporter)
    admin.get("/admin/trainings")
    form = {"title": "Writing reviews", "needed_by": "supporters", "posted_key": "t"}
    assert admin.post("/admin/trainings", {**form, "valid_months": "-1"}).status_code == 422
    for _ in range(2):
        admin.post("/admin/trainings", {**form, "valid_months": "12"})
    assert pat.get("/training").text.count("Not done") == 1
    assert "Writing reviews" not in words_for(app, cast.clinician, "/training")
    done = {"completed_on-day": "1", "completed_on-month": "12", "completed_on-year": "2026"}
    assert pat.post("/training/1/done", done).status_code == 422  # a day to come
    done["completed_on-month"] = "12"
    done["completed_on-year"] = "2025"
    assert "To be confirmed" in pat.post("/training/1/done", done).text
    [completion] = db.session.query(TrainingCompletion).all()
    path = f"/training/completions/{completion.id}/confirm"
    assert status_of(app, cast.colleague, path, {}) == 404
    assert status_of(app, cast.other_supporter, path, {}) == 404
    name_leads(app, cast, implementation_lead=str(cast.supporter.id))
    assert "Somebody else confirms" in pat.post(path, {}).text
    assert "Confirmed." in admin.post(path, {}).text
    page = pat.get("/training").text  # holds until 1 December 2026, and it is 19 November
    assert "Due soon" in page
    assert "Chris Moor" in page  # the lead sees the team
    assert "Chris Moor" not in words_for(app, cast.clinician, "/training")
    assert status_of(app, cast.other_supporter, "/training/1/done") == 404


def test_the_board_is_for_the_lead_clinicians_and_administrators(
    app: Flask, cast: Cast, now: datetime
) -> None:
    open_week_1(cast, now)
    db.session.commit()
    for who, status in ((cast.supporter, 404), (cast.clinician, 200), (cast.administrator, 200)):
        assert status_of(app, who, "/implementation") == status
    assert status_of(app, cast.clinician, "/implementation/targets") == 404
    assert status_of(app, cast.clinician, "/implementation/targets", {"invited": "1"}) == 404
    name_leads(app, cast, implementation_lead=str(cast.supporter.id))
    lead = PageClient(app).sign_in(cast.supporter)
    lead.get("/implementation/targets")
    assert lead.post("/implementation/targets", {"invited": "many"}).status_code == 422
    page = lead.post("/implementation/targets", {"invited": "2", "started": "50"}).text
    assert "2 or more" in page
    assert "50% or more" in page
    assert "1 of 1" in page
    assert "so far" in page
    assert "fewer than 5" in page  # what print shows
    assert "Alex" not in page


def test_the_board_counts_by_the_month_and_costs_the_same_however_many(
    app: Flask, cast: Cast, now: datetime
) -> None:
    open_week_1(cast, now)
    db.session.commit()
    assert len(board_of(cast.service, now=now).months) == 1  # the service is new
    cast.service.created_at = datetime(2026, 1, 1, tzinfo=UTC)
    board = board_of(cast.service, now=now)
    assert [month.period.first_on for month in board.months] == [date(2026, n, 1) for n in range(6, 12)]
    [*before, this] = [month.by_name for month in board.months]
    assert this["invited"] == Figure(1)
    assert this["started"] == Figure(1, 1)
    assert this["first_module"] == Figure(0, 1)
    assert this["supporters_active"] == Figure(0, 2)
    assert this["reviews_on_time"] == Figure(0, 0)
    assert all(month["invited"] == Figure(0) and month["supporters_active"].of == 0 for month in before)
    statements: list[str] = []
    count = lambda *args: statements.append(args[2])  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", count)
    board_of(cast.service, now=now)
    event.remove(db.engine, "before_cursor_execute", count)
    assert len(statements) <= 12


def test_the_board_prints_no_month_that_the_half_year_leaves_over(
    app: Flask, cast: Cast, now: datetime
) -> None:
    """All 20 of last month that came and the 9 that did not, and the 4 of this month that did not."""
    cast.service.created_at = datetime(2026, 10, 1, tzinfo=UTC)
    october, november = date(2026, 10, 8), date(2026, 11, 12)
    for number in range(20):
        review(cast.enrolment, 100 + number, october, sent_at=at(october, 12))
    for number, on in enumerate([october] * 9 + [november] * 4):
        review(cast.enrolment, 200 + number, on, state=ReviewState.MISSED, closed_at=at(on, 19))
    db.session.commit()
    colleagues = words_for(app, cast.supporter, "/what-colleagues-ask")
    assert colleagues.count("20 of 33 (61%)") == 2  # on the page and in print
    board = words_for(app, cast.clinician, "/implementation")
    assert board.count("20 of 29 (69%)") == 1  # not in print, or 13 less 9 would be the four of this month
    assert "it would give away a small group" in board


def test_what_colleagues_ask_is_for_staff_and_quotes_the_evidence_that_is_kept(
    app: Flask, cast: Cast
) -> None:
    page = words_for(app, cast.supporter, "/what-colleagues-ask")
    assert "RCT, 180 people" in page
    assert "cannot say why" in page
    kept = EVIDENCE.read_text()
    for found in (
        "82% against 57%",
        "58% against 35%",
        "RCT, 591",
        "RCT, 632",
        "0.33",
        "234,735",
        "490 emails",
    ):
        assert found in kept, found
        assert any(found.split(", ")[-1] in study for one in QUESTIONS for study in one.studies), found


@pytest.mark.parametrize("path", STAFF_PAGES)
def test_patients_and_vendors_do_not_find_the_pages_of_staff(
    app: Flask, cast: Cast, now: datetime, path: str
) -> None:
    vendor = make_person("Vic Trade", Role.VENDOR, cast.service, now)
    db.session.commit()
    assert status_of(app, cast.patient, path) == 404
    assert status_of(app, vendor, path) == 404
    assert status_of(app, cast.administrator, path) == 200
