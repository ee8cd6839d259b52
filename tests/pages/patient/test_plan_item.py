"""One thing in the plan: done, not this time, another day."""

from datetime import date, time

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support.db import db
from icbt_support.plan.models import ItemKind, ItemState, PlanItem
from icbt_support.rhythm.acts import tell_ready
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.rhythm_steps import item_of, start_course
from tests.pages.patient.home_states import NOW, REVIEW_AT, build, patient
from tests.pages.visits import status_of


@pytest.fixture
def item(cast: Cast) -> PlanItem:
    build("open", cast)
    return db.session.scalars(select(PlanItem).where(PlanItem.kind == ItemKind.PRACTICE)).first()


@pytest.fixture
def visitor(client: PageClient, cast: Cast, item: PlanItem) -> PageClient:
    return client.sign_in(cast.patient)


def again(item: PlanItem) -> PlanItem:
    db.session.rollback()
    return db.session.get_one(PlanItem, item.id)


def test_what_it_is_and_why_and_who_sees_the_words(visitor: PageClient, item: PlanItem) -> None:
    words = visitor.get(f"/week/plan/{item.id}").get_data(as_text=True)
    assert visitor.page.headings == [f"In your plan {item.title}"]
    assert item.why in words
    assert "Your supporter sees them with your plan before the next review." in words
    assert "If this is about staying safe" in words


def test_a_session_begins_on_its_next_page(visitor: PageClient, cast: Cast) -> None:
    session = db.session.scalars(select(PlanItem).where(PlanItem.kind == ItemKind.SESSION)).first()
    visitor.get(f"/week/plan/{session.id}")
    assert any(link.startswith("/programme/getting-started/") for link in visitor.page.links)


@pytest.mark.parametrize(("act", "state"), [("done", ItemState.DONE), ("not-this-time", ItemState.SKIPPED)])
def test_it_is_settled_with_words(visitor: PageClient, item: PlanItem, act: str, state: ItemState) -> None:
    visitor.get(f"/week/plan/{item.id}")
    response = visitor.post(f"/week/plan/{item.id}/{act}", {"words": "Rain, but <b>good</b>"})
    assert response.request.path == "/week"
    assert (again(item).state, again(item).patient_words) == (state, "Rain, but <b>good</b>")


def test_words_that_are_too_long_are_said_and_kept(visitor: PageClient, item: PlanItem) -> None:
    visitor.get(f"/week/plan/{item.id}")
    response = visitor.post(f"/week/plan/{item.id}/done", {"words": "y" * 5001})
    html = response.get_data(as_text=True)
    assert response.status_code == 400
    assert visitor.page.title.startswith("Error: ")
    assert "5,000 characters or fewer" in html
    assert "y" * 5001 in html
    assert again(item).state is ItemState.PLANNED


def test_words_about_dying_lead_to_help(visitor: PageClient, item: PlanItem) -> None:
    visitor.get(f"/week/plan/{item.id}")
    response = visitor.post(f"/week/plan/{item.id}/done", {"words": "I want to die"})
    assert response.request.path == "/safety"
    assert again(item).patient_words == "I want to die"


def test_it_moves_within_the_week(visitor: PageClient, item: PlanItem) -> None:
    visitor.get(f"/week/plan/{item.id}")
    html = visitor.post(f"/week/plan/{item.id}/move", {"on": "2026-11-25", "at": "07:30"}).get_data(
        as_text=True
    )
    assert "Moved to Wednesday 25 November, 7.30am." in html
    assert (again(item).planned_on, again(item).planned_time) == (date(2026, 11, 25), time(7, 30))
    visitor.post(f"/week/plan/{item.id}/move", {"on": "2026-11-25", "at": "any"})
    assert again(item).planned_time is None


@pytest.mark.parametrize(
    "choice", [{"on": "2026-11-27", "at": "any"}, {"on": "2026-11-18", "at": "any"}, {"on": "2026-11-20"}]
)
def test_a_day_or_time_that_is_not_offered_is_refused(
    visitor: PageClient, item: PlanItem, choice: dict[str, str]
) -> None:
    visitor.get(f"/week/plan/{item.id}")
    before = again(item).planned_on
    response = visitor.post(f"/week/plan/{item.id}/move", {"at": "25:99"} | choice)
    assert response.status_code == 400
    assert visitor.page.title.startswith("Error: ")
    assert again(item).planned_on == before


def test_the_list_says_that_the_check_in_moves_with_the_review(visitor: PageClient) -> None:
    assert "Moves with your review" in visitor.get("/week/plan").get_data(as_text=True)


def test_a_closed_week_stays_as_it_was(client: PageClient, cast: Cast) -> None:
    build("paused", cast)
    item = db.session.scalars(select(PlanItem).where(PlanItem.kind == ItemKind.PRACTICE)).first()
    client.sign_in(cast.patient).get(f"/week/plan/{item.id}")
    assert "That week is closed." in client.post(f"/week/plan/{item.id}/done", {}).get_data(as_text=True)
    assert again(item).state is ItemState.PLANNED


def test_being_ready_is_told_once_and_never_without_a_week(
    visitor: PageClient, cast: Cast, item: PlanItem
) -> None:
    visitor.get("/week")
    for _ in range(2):
        assert "Pat will see that you are ready" in visitor.post("/week/ready").get_data(as_text=True)
    assert again(item).week.told_ready_at is not None


def test_without_a_week_nobody_is_told(client: PageClient, cast: Cast) -> None:
    build("paused", cast)
    client.sign_in(cast.patient).get("/week")
    assert "No week is open now" in client.post("/week/ready").get_data(as_text=True)


def test_the_check_in_and_other_peoples_items_are_not_found(app: Flask, cast: Cast, item: PlanItem) -> None:
    other = start_course(cast.other_enrolment, review_at=REVIEW_AT, now=NOW)
    for number in (item_of(item.week, ItemKind.CHECK_IN).id, other.items[0].id, 999_999):
        assert status_of(app, cast.patient, f"/week/plan/{number}") == 404
        for act in ("move", "done", "not-this-time"):
            assert status_of(app, cast.patient, f"/week/plan/{number}/{act}", {}) == 404
    for account in (cast.supporter, cast.clinician):
        assert status_of(app, account, f"/week/plan/{item.id}") == 404
        assert status_of(app, account, "/week/ready", {}) == 404


def test_looking_changes_nothing(visitor: PageClient, cast: Cast, item: PlanItem) -> None:
    tell_ready(cast.enrolment, by=patient(cast.enrolment), now=NOW)
    for path in ("/week/plan", f"/week/plan/{item.id}"):
        visitor.get(path)
    assert again(item).state is ItemState.PLANNED
    for act in ("move", "done", "not-this-time"):
        assert visitor.http.get(f"/week/plan/{item.id}/{act}").status_code == 405
