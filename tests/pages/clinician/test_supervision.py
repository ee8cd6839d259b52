"""Supervision for clinicians: the list, a meeting that is gone on with, and a letter that is read in words."""

import pytest
from sqlalchemy import func, select

from icbt_support import clock
from icbt_support.db import db
from icbt_support.reviews.behaviours import TherapistBehaviour
from icbt_support.supervision.models import LetterAudit, SupervisionDiscussion, SupervisionMeeting
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.slow_course import TUESDAY, live_slowly
from tests.pages.visits import status_of


@pytest.fixture
def jo(client: PageClient, cast: Cast) -> PageClient:
    """The clinician on Tuesday, with Alex's slow course in Pat's caseload."""
    live_slowly(cast)
    db.session.commit()
    clock.stop_clock_at(TUESDAY)
    return client.sign_in(cast.clinician)


def start(jo: PageClient, cast: Cast) -> SupervisionMeeting:
    jo.get("/clinical/supervision")
    jo.post(f"/clinical/supervision/{cast.supporter.id}/start")
    return db.session.scalars(select(SupervisionMeeting).order_by(SupervisionMeeting.id.desc())).first()


def discussion() -> SupervisionDiscussion:
    return db.session.scalars(select(SupervisionDiscussion)).one()


def drawn() -> LetterAudit:
    return db.session.scalars(select(LetterAudit)).first()


def test_the_list_says_why_and_a_meeting_can_be_gone_on_with(jo: PageClient, cast: Cast) -> None:
    assert "Pat Lane" in jo.get("/clinical/supervision").get_data(as_text=True)
    page = jo.get(f"/clinical/supervision/{cast.supporter.id}").get_data(as_text=True)
    assert "1 to talk about, of 1 person" in page
    assert "no visit and no talk for 19 days" in page
    meeting = start(jo, cast)
    path = f"/clinical/supervision/meetings/{meeting.id}"
    page = jo.post(f"/clinical/supervision/people/{discussion().id}", {"note": "x"})
    assert page.status_code == 400
    assert "Select what you decide together" in page.get_data(as_text=True)
    jo.post(
        f"/clinical/supervision/people/{discussion().id}", {"decision": "step_up", "note": "Refer to step 3"}
    )
    page = jo.get(path).get_data(as_text=True)
    assert "Refer to step 3" in page
    assert f"/clinical/patients/{cast.enrolment.id}/decide" in page
    assert "Go on with the meeting" in jo.get("/clinical/supervision").get_data(as_text=True)
    assert start(jo, cast).id == meeting.id
    jo.post(f"{path}/end")
    again = jo.post(f"/clinical/supervision/people/{discussion().id}", {"decision": "continue", "note": ""})
    assert again.status_code == 409
    assert discussion().note == "Refer to step 3"

    record = jo.get(f"/clinical/patients/{cast.enrolment.id}?kind=decisions").get_data(as_text=True)
    assert "Supervision: step up" in record
    second = start(jo, cast)
    page = jo.get(f"/clinical/supervision/meetings/{second.id}").get_data(as_text=True)
    assert "Since then: no review, and no change of the course." in page
    first = db.session.scalars(select(SupervisionDiscussion).order_by(SupervisionDiscussion.id)).first()
    assert jo.post(f"/clinical/supervision/people/{first.id}/follow-up", {}).status_code == 400
    page = jo.post(f"/clinical/supervision/people/{first.id}/follow-up", {"follow_up": "not_yet"})
    assert "Not yet" in page.get_data(as_text=True)


def test_a_letter_is_read_with_nine_behaviours_and_filled_in_once(jo: PageClient, cast: Cast) -> None:
    start(jo, cast)
    path = f"/clinical/supervision/letters/{drawn().id}"
    page = jo.get(path).get_data(as_text=True)
    assert "You read the first pages, and wrote a goal." in page
    assert page.count("Not seen this time") == 9
    assert "Select what you saw: builds rapport" in jo.post(path, {"overall": "Warm"}).get_data(as_text=True)
    values = {f"mark_{one}": "partly" for one in TherapistBehaviour} | {"comment_rapport": "The dog's name"}
    jo.post(path, {**values, "overall": "Warm and clear"})
    page = jo.get(path).get_data(as_text=True)
    assert "The dog&#39;s name" in page
    assert jo.post(path, {**values, "overall": "Again"}).status_code == 409
    assert drawn().comment == "Warm and clear"


def test_others_find_nothing_and_looking_changes_nothing(jo: PageClient, cast: Cast) -> None:
    meeting = start(jo, cast)
    paths = [
        f"/clinical/supervision/{cast.supporter.id}",
        f"/clinical/supervision/meetings/{meeting.id}",
        f"/clinical/supervision/letters/{drawn().id}",
    ]
    before = db.session.scalar(select(func.count()).select_from(SupervisionDiscussion))
    for path in paths:
        assert status_of(jo.app, cast.clinician, path) == 200
        assert status_of(jo.app, cast.other_clinician, path) == 404
        assert status_of(jo.app, cast.supporter, path) == 404
    number = discussion().id
    decide = f"/clinical/supervision/people/{number}"
    assert status_of(jo.app, cast.other_clinician, decide, {"decision": "continue"}) == 404
    assert status_of(jo.app, cast.other_clinician, f"{paths[1]}/end", {}) == 404
    assert status_of(jo.app, cast.clinician, f"/clinical/supervision/{cast.other_supporter.id}") == 404
    assert discussion().decision is None
    assert db.session.scalar(select(func.count()).select_from(SupervisionDiscussion)) == before
