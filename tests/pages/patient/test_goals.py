"""Goals in the person's own words."""

import pytest
from flask import Flask

from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.operations import set_goals
from icbt_support.enrolments.queries import current_goals, replaced_goals
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.patient.home_states import NOW, patient
from tests.pages.visits import status_of


@pytest.fixture
def visitor(client: PageClient, cast: Cast) -> PageClient:
    set_goals(cast.enrolment, ["Draw again", "See Mo"], by=patient(cast.enrolment), now=NOW)
    db.session.commit()
    return client.sign_in(cast.patient)


def goals(cast: Cast) -> tuple[list[str], list[str]]:
    db.session.rollback()
    enrolment = db.session.get_one(Enrolment, cast.enrolment.id)
    return [one.words for one in current_goals(enrolment)], [one.words for one in replaced_goals(enrolment)]


def test_the_page_shows_what_was_written_and_who_reads_it(visitor: PageClient) -> None:
    words = visitor.get("/goals").get_data(as_text=True)
    assert "Pat reads these with your next review, not straight away." in words
    assert ">Draw again</textarea>" in words
    assert ">See Mo</textarea>" in words
    assert "What you wrote before" not in words


def test_one_is_changed_and_the_earlier_one_is_kept(visitor: PageClient, cast: Cast) -> None:
    visitor.get("/goals")
    response = visitor.post("/goals", {"first": "Draw each week", "second": "See Mo", "third": ""})
    assert response.request.path == "/progress"
    assert sorted(goals(cast)[0]) == ["Draw each week", "See Mo"]
    assert goals(cast)[1] == ["Draw again"]
    assert "Draw again" in visitor.get("/goals").get_data(as_text=True)


def test_the_same_again_changes_nothing(visitor: PageClient, cast: Cast) -> None:
    visitor.get("/goals")
    visitor.post("/goals", {"first": "Draw again", "second": "See Mo"})
    assert goals(cast) == (["Draw again", "See Mo"], [])


@pytest.mark.parametrize(
    ("wishes", "error"),
    [
        ({"first": " ", "second": ""}, "Write one thing that you want"),
        ({"first": "Draw", "second": "w" * 301}, "300 characters or fewer"),
    ],
)
def test_what_cannot_be_kept_is_said_and_stays_in_the_box(
    visitor: PageClient, cast: Cast, wishes: dict[str, str], error: str
) -> None:
    visitor.get("/goals")
    response = visitor.post("/goals", wishes)
    assert response.status_code == 400
    assert error in response.get_data(as_text=True)
    assert f">{wishes['second']}</textarea>" in response.get_data(as_text=True)
    assert goals(cast) == (["Draw again", "See Mo"], [])


def test_words_about_dying_lead_to_help(visitor: PageClient, cast: Cast) -> None:
    visitor.get("/goals")
    assert visitor.post("/goals", {"first": "I want to die"}).request.path == "/safety"
    assert goals(cast)[0] == ["I want to die"]


def test_staff_and_other_patients_do_not_see_them(
    app: Flask, client: PageClient, visitor: PageClient, cast: Cast
) -> None:
    for account in (cast.supporter, cast.clinician):
        assert status_of(app, account, "/goals") == 404
        assert status_of(app, account, "/goals", {"first": "x"}) == 404
    other = PageClient(app).sign_in(cast.other_patient)
    assert "Draw again" not in other.get("/goals").get_data(as_text=True)


def test_looking_changes_nothing(visitor: PageClient, cast: Cast) -> None:
    visitor.get("/goals?first=Else")
    assert goals(cast) == (["Draw again", "See Mo"], [])
