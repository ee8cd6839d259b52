"""The duty rota."""

from datetime import date

import pytest

from icbt_support.db import db
from icbt_support.hours.closed_days import closures_of
from icbt_support.hours.duty_rota import duty_sessions
from icbt_support.reviews.queries import next_review
from icbt_support.service.models import Service
from tests.concepts.beginnings import open_week_1
from tests.pages.visits import status_of

SATURDAY = {"weekdays": ["5"], "starts": "09:00", "ends": "12:00", "position": "1"}


@pytest.fixture
def visitor(client, cast):
    return client.sign_in(cast.administrator)


def rota(cast):
    db.session.rollback()
    return duty_sessions(db.session.get_one(Service, cast.service.id))


def test_the_rota_shows_who_is_on_duty_now(visitor):
    page = visitor.get("/admin/duty").get_data(as_text=True)
    assert "On duty now: Dr Jo Field." in page
    assert "Monday, 9am to 5pm" in page
    assert "Somebody is on duty on every working day" in page
    assert "Max Wood" not in page


def test_working_days_without_anybody_are_named(visitor, cast):
    monday = rota(cast)[0]
    visitor.get("/admin/duty")
    page = visitor.post(f"/admin/duty/{monday.id}/remove").get_data(as_text=True)
    assert "Working days without anybody on duty" in page
    assert "Monday 23 November" in page


def test_duty_is_added_for_several_days_at_once(visitor, cast):
    visitor.get("/admin/duty")
    visitor.post(
        "/admin/duty",
        {**SATURDAY, "weekdays": ["5", "6"], "clinician": str(cast.clinician.id)},
    )
    assert [session.weekday for session in rota(cast)][-2:] == [5, 6]


def test_a_night_ends_on_the_next_day(visitor, cast):
    visitor.get("/admin/duty")
    page = visitor.post(
        "/admin/duty",
        {**SATURDAY, "starts": "22:00", "ends": "06:00", "clinician": str(cast.clinician.id)},
    ).get_data(as_text=True)
    assert "Saturday, 10pm to 6am the next day" in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weekdays": []}, "Select at least one day"),
        ({"weekdays": ["3"], "ends": "17:00"}, "Somebody has this place then"),
        ({"weekdays": ["3"], "ends": "17:00", "position": "2"}, "This clinician has duty then"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(visitor, cast, changes, words):
    visitor.get("/admin/duty")
    values = {**SATURDAY, "clinician": str(cast.clinician.id), **changes}
    assert words in visitor.post("/admin/duty", values).get_data(as_text=True)
    assert len(rota(cast)) == 5


def test_only_clinicians_of_the_service_stand_on_duty(visitor, cast):
    visitor.get("/admin/duty")
    for person in (cast.other_clinician, cast.supporter):
        visitor.post("/admin/duty", {**SATURDAY, "clinician": str(person.id)})
    assert len(rota(cast)) == 5


def test_another_services_duty_is_not_found(visitor, cast):
    theirs = duty_sessions(cast.elsewhere)[0]
    visitor.get("/admin/duty")
    assert visitor.post(f"/admin/duty/{theirs.id}/remove").status_code == 404
    db.session.rollback()
    assert len(duty_sessions(db.session.get_one(Service, cast.elsewhere.id))) == 5


def test_a_closed_day_first_shows_where_its_reviews_go_and_then_moves_them(visitor, cast, now):
    open_week_1(cast, now)
    db.session.commit()
    visitor.get("/admin/duty")
    closed = {"closed_on-day": "26", "closed_on-month": "11", "closed_on-year": "2026", "reason": "Training"}
    page = visitor.post("/admin/duty/closures", closed).get_data(as_text=True)
    assert "Nothing is saved yet" in page
    assert "1 review was to be written on this day" in page
    assert cast.supporter.full_name in page
    assert "Thursday 3 December" in page
    assert cast.patient.full_name not in page
    db.session.rollback()
    assert closures_of(cast.service, date(2026, 11, 19)) == []
    page = visitor.post("/admin/duty/closures/2026-11-26?reason=Training").get_data(as_text=True)
    assert "Thursday 26 November: Training" in page
    assert "1 review moves, and those concerned are told." in page
    db.session.rollback()
    assert [one.closed_on for one in closures_of(cast.service, date(2026, 11, 19))] == [date(2026, 11, 26)]
    again = visitor.get("/admin/duty/closures/2026-11-26").get_data(as_text=True)
    assert "closed on this day already" in again
    assert "Close this day" not in again
    assert next_review(db.session.merge(cast.enrolment)).due_on == date(2026, 12, 3)


def test_only_an_administrator_finds_a_closure_of_a_day_to_come(visitor, app, cast):
    for day in ("2026-11-02", "nonsense"):
        assert visitor.http.get(f"/admin/duty/closures/{day}").status_code == 404
    for account in (cast.clinician, cast.supporter, cast.patient):
        assert status_of(app, account, "/admin/duty/closures/2026-11-26") == 404


def test_a_day_that_has_passed_cannot_be_closed(visitor, cast):
    visitor.get("/admin/duty")
    past = {"closed_on-day": "2", "closed_on-month": "11", "closed_on-year": "2026", "reason": ""}
    assert "Enter today or a day to come" in visitor.post("/admin/duty/closures", past).get_data(as_text=True)


@pytest.mark.parametrize("who", ["patient", "supporter", "clinician"])
def test_only_administrators_set_duty(client, cast, who):
    client.sign_in(getattr(cast, who))
    assert client.http.get("/admin/duty").status_code == 404


def test_looking_changes_nothing(visitor, cast):
    visitor.get("/admin/duty")
    assert len(rota(cast)) == 5
