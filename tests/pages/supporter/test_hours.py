"""A supporter's own hours."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours.models import Absence, ReviewSlot
from icbt_support.hours.queries import is_absent, review_slots_of
from icbt_support.hours.transitions import book_slot, record_absence_row
from icbt_support.reviews.queries import next_review
from tests.concepts.beginnings import as_clinician, open_week_1


@pytest.fixture
def visitor(client, cast, now):
    open_week_1(cast, now)
    db.session.commit()
    return client.sign_in(cast.supporter)


def slots(cast):
    db.session.rollback()
    return review_slots_of(cast.supporter.id, cast.service.id)


def days(**parts):
    values = {}
    for name, on in parts.items():
        values |= {f"{name}-day": str(on.day), f"{name}-month": str(on.month), f"{name}-year": str(on.year)}
    return values


def review_again(cast):
    db.session.rollback()
    return next_review(db.session.get_one(Enrolment, cast.enrolment.id))


ABSENCE = "/supporting/hours/absence/2026-11-25/2026-11-27"


def test_the_page_shows_slots_with_their_places_and_bookings(visitor):
    page = visitor.get("/supporting/hours").get_data(as_text=True)
    assert "Thursdays, 9am to 1pm" in page
    assert "16 reviews of 15 minutes · 1 booked ahead" in page


def test_a_slot_is_added_and_ended(visitor, cast):
    visitor.get("/supporting/hours")
    visitor.post(
        "/supporting/hours/slots", {"weekday": "0", "starts": "13:00", "ends": "15:00", "minutes": "20"}
    )
    added = slots(cast)[0]
    assert (added.weekday, added.starts, added.minutes_per_review) == (0, time(13), 20)
    visitor.post(f"/supporting/hours/slots/{added.id}/end")
    assert [slot.weekday for slot in slots(cast)] == [3]


@pytest.mark.parametrize(
    ("starts", "ends", "words"),
    [("12:00", "14:00", "You have a slot at that time"), ("15:00", "14:00", "Select a later time")],
)
def test_a_slot_that_does_not_fit_is_refused_at_its_field(visitor, cast, starts, ends, words):
    visitor.get("/supporting/hours")
    page = visitor.post(
        "/supporting/hours/slots", {"weekday": "3", "starts": starts, "ends": ends, "minutes": "15"}
    ).get_data(as_text=True)
    assert words in page
    assert len(slots(cast)) == 1


def test_a_colleagues_slot_is_not_found(visitor, cast):
    (theirs,) = review_slots_of(cast.colleague.id, cast.service.id)
    visitor.get("/supporting/hours")
    assert visitor.post(f"/supporting/hours/slots/{theirs.id}/end").status_code == 404
    db.session.rollback()
    assert db.session.get_one(ReviewSlot, theirs.id).ended_at is None


def test_days_away_show_what_they_touch_before_anything_is_saved(visitor, cast):
    visitor.get("/supporting/hours")
    page = visitor.post(
        "/supporting/hours/absence",
        {**days(from_on=date(2026, 11, 25), until_on=date(2026, 11, 27)), "reason": "course"},
    ).get_data(as_text=True)
    assert "1 review falls into these days" in page
    assert "Chris Moor writes it on Thursday 26 November" in page
    assert "I write it on Thursday 3 December, and the patient is told" in page
    assert "from Thursday 26 November to Thursday 3 December: Pat is on a course." in page
    assert is_absent(cast.supporter.id, date(2026, 11, 25)) is None


def test_without_a_choice_nothing_is_saved(visitor, cast):
    visitor.get(ABSENCE)
    response = visitor.post(ABSENCE, {"cover": "pool"})
    assert response.status_code == 422
    assert "Select what happens to each review" in response.get_data(as_text=True)
    db.session.rollback()
    assert db.session.scalars(select(Absence)).all() == []


def test_the_first_day_back_moves_the_review(visitor, cast):
    review = next_review(cast.enrolment)
    visitor.get(ABSENCE)
    visitor.post(ABSENCE, {"cover": "pool", f"review_{review.id}": "back-2026-12-03"})
    assert review_again(cast).due_on == date(2026, 12, 3)
    assert is_absent(cast.supporter.id, date(2026, 11, 26)) is not None


def test_a_first_day_back_that_has_gone_meanwhile_is_asked_for_again(visitor, cast, now):
    review = next_review(cast.enrolment)
    visitor.get(ABSENCE)
    for quarter in range(16):
        book_slot(
            cast.supporter.id,
            datetime(2026, 12, 3, 9, tzinfo=UTC) + timedelta(minutes=15 * quarter),
            enrolment_id=cast.other_enrolment.id,
            by=as_clinician(cast),
            now=now,
        )
    db.session.commit()
    refused = visitor.post(ABSENCE, {"cover": "pool", f"review_{review.id}": "back-2026-12-03"})
    assert refused.status_code == 422
    assert "I write it on Thursday 10 December" in refused.get_data(as_text=True)
    assert review_again(cast).due_on == date(2026, 11, 26)


def test_a_colleague_covers(visitor, cast):
    review = next_review(cast.enrolment)
    visitor.get(ABSENCE)
    visitor.post(ABSENCE, {"cover": str(cast.colleague.id), f"review_{review.id}": str(cast.colleague.id)})
    moved = review_again(cast)
    assert (moved.owner_id, moved.due_on) == (cast.colleague.id, date(2026, 11, 26))
    assert "covered by Chris Moor" in visitor.get("/supporting/hours").get_data(as_text=True)


def test_a_person_outside_the_pool_cannot_be_named(visitor, cast):
    review = next_review(cast.enrolment)
    visitor.get(ABSENCE)
    response = visitor.post(ABSENCE, {"cover": "pool", f"review_{review.id}": str(cast.other_supporter.id)})
    assert response.status_code == 422
    assert visitor.post(ABSENCE, {"cover": str(cast.other_supporter.id)}).status_code == 400
    assert review_again(cast).owner_id == cast.supporter.id


def test_days_away_are_withdrawn_again(visitor, cast):
    quiet_days = "/supporting/hours/absence/2026-12-07/2026-12-08"
    visitor.get(quiet_days)
    visitor.post(quiet_days, {"cover": "pool"})
    absence = is_absent(cast.supporter.id, date(2026, 12, 7))
    visitor.post(f"/supporting/hours/absences/{absence.id}/withdraw")
    db.session.rollback()
    assert is_absent(cast.supporter.id, date(2026, 12, 7)) is None


def test_away_from_now_is_one_step_and_back_is_another(visitor, cast, now):
    visitor.get("/supporting/hours")
    page = visitor.post("/supporting/hours/away-now", days(back_until=date(2026, 11, 27))).get_data(
        as_text=True
    )
    assert "With the pool now: 1 review, 0 messages, 0 alerts. Told: Chris Moor." in page
    assert "You are away today" in page
    visitor.post("/supporting/hours/back")
    db.session.rollback()
    assert is_absent(cast.supporter.id, now.date()) is None


@pytest.mark.parametrize(
    ("from_on", "until_on", "words"),
    [
        (date(2026, 11, 27), date(2026, 11, 25), "Enter a last day that is not before the first"),
        (date(2026, 11, 2), date(2026, 11, 3), "Enter days that are still to come"),
        (date(2026, 11, 25), date(2028, 11, 25), "Enter a day within the next year"),
    ],
)
def test_days_that_do_not_fit_are_said_at_their_field(visitor, from_on, until_on, words):
    visitor.get("/supporting/hours")
    page = visitor.post(
        "/supporting/hours/absence", {**days(from_on=from_on, until_on=until_on), "reason": "leave"}
    )
    assert words in page.get_data(as_text=True)


@pytest.mark.parametrize(
    "path", ["/supporting/hours/absence/2026-11-31/2026-12-01", "/supporting/hours/absence/a/b"]
)
def test_days_that_do_not_exist_are_not_found(visitor, path):
    assert visitor.http.get(path).status_code == 404


@pytest.mark.parametrize("who", ["patient", "clinician", "administrator"])
def test_only_supporters_have_these_hours(client, cast, who):
    client.sign_in(getattr(cast, who))
    assert client.http.get("/supporting/hours").status_code == 404


def test_an_absence_is_changed_to_other_days_and_ended(visitor, cast):
    review = next_review(cast.enrolment)
    visitor.get(ABSENCE)
    visitor.post(ABSENCE, {"cover": "pool", f"review_{review.id}": "pool"})
    assert review_again(cast).pooled_at is not None
    absence = is_absent(cast.supporter.id, date(2026, 11, 25))
    change = f"/supporting/hours/absences/{absence.id}"
    visitor.get(change)
    page = visitor.post(
        f"{change}/days", days(from_on=date(2026, 11, 25), until_on=date(2026, 11, 30))
    ).get_data(as_text=True)
    assert "1 review falls into these days" in page
    assert visitor.page.fields[f"review_{review.id}"] == "pool"
    visitor.post(f"{change}/2026-11-27/2026-11-30", {"cover": str(cast.colleague.id)})
    assert review_again(cast).pooled_at is None
    changed = is_absent(cast.supporter.id, date(2026, 11, 30))
    assert (changed.id, changed.from_on, changed.cover_id) == (
        absence.id,
        date(2026, 11, 27),
        cast.colleague.id,
    )
    visitor.post(f"{change}/withdraw")
    db.session.rollback()
    assert is_absent(cast.supporter.id, date(2026, 11, 27)) is None
    assert visitor.http.get(change).status_code == 404


def test_what_crosses_the_days_has_its_sentence(visitor, cast, now):
    quiet_days = "/supporting/hours/absence/2026-12-21/2026-12-28"
    record_absence_row(
        cast.colleague.id,
        service_id=cast.service.id,
        from_on=date(2026, 12, 23),
        until_on=date(2026, 12, 24),
        cover_id=cast.supporter.id,
        by=as_clinician(cast),
        now=now,
    )
    db.session.commit()
    page = visitor.get(quiet_days).get_data(as_text=True)
    assert "Friday 25 December is a closed day for everybody" in page
    assert "You are to cover Chris Moor from Wednesday 23 December to Thursday 24 December." in page
    assert "Chris Moor is away from Wednesday 23 December to Thursday 24 December" in page
    visitor.post(quiet_days, {"cover": "pool"})
    again = visitor.get("/supporting/hours/absence/2026-12-22/2026-12-23").get_data(as_text=True)
    assert "You are already away from Monday 21 December to Monday 28 December." in again
    refused = visitor.post("/supporting/hours/absence/2026-12-22/2026-12-23", {"cover": "pool"})
    assert "Change that absence instead" in refused.get_data(as_text=True)


def test_a_colleagues_absence_is_not_found(visitor, cast, now):
    theirs = record_absence_row(
        cast.colleague.id,
        service_id=cast.service.id,
        from_on=date(2026, 12, 23),
        until_on=date(2026, 12, 24),
        cover_id=None,
        by=as_clinician(cast),
        now=now,
    )
    db.session.commit()
    visitor.get("/supporting/hours")
    path = f"/supporting/hours/absences/{theirs.id}"
    assert visitor.http.get(path).status_code == 404
    assert visitor.http.get(f"{path}/2026-12-23/2026-12-24").status_code == 404
    for act in ("withdraw", "days", "2026-12-23/2026-12-24"):
        assert visitor.post(f"{path}/{act}").status_code == 404


@pytest.mark.parametrize("week", ["2026-11-26", "x", "9999-12-31", "0001-01-01", "%00"])
def test_any_week_in_the_address_is_answered(visitor, week):
    assert "Week of Monday" in visitor.get(f"/supporting/hours?week={week}").get_data(as_text=True)
