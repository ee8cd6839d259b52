"""The team: limits, away from now for a colleague, and everything of a leaver on one page."""

import pytest

from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours.capacity import limit_of
from icbt_support.hours.queries import is_absent
from icbt_support.reviews.queries import next_review
from icbt_support.rhythm.absence import away_from_now
from icbt_support.rhythm.handover import what_hangs_on
from tests.browsing import PageClient
from tests.cast import make_person
from tests.concepts.beginnings import as_clinician, open_week_1
from tests.pages.supporter.test_hours import days
from tests.pages.visits import status_of


@pytest.fixture
def visitor(client, cast, now):
    open_week_1(cast, now)
    db.session.commit()
    return client.sign_in(cast.clinician)


def course(cast):
    db.session.rollback()
    return db.session.get_one(Enrolment, cast.enrolment.id)


def test_limits_are_set_by_a_clinician_and_seen_by_the_supporter(visitor, cast, app):
    assert "15 free review times a week, on Thursdays; 1 person" in visitor.get("/clinical/team").text
    path = f"/clinical/team/{cast.supporter.id}"
    visitor.get(path)
    page = visitor.post(f"{path}/limits", {"people": "25", "minutes_a_week": "180"}).text
    assert "1 of at most 25 people; about 15 of at most 180 minutes a week" in page
    theirs = PageClient(app).sign_in(cast.supporter).get("/supporting/hours?week=2026-11-26").text
    assert "1 of at most 25 people" in theirs
    assert "1 of 16 places taken, 15 of 240 minutes" in theirs
    assert "Alex Reed" in theirs
    refused = visitor.post(f"{path}/limits", {"people": "-1", "minutes_a_week": "9999999"})
    assert refused.status_code == 422
    assert "Enter a whole number from 1 to 500" in refused.text
    assert limit_of(cast.supporter.id, cast.service.id).people == 25


def test_a_colleague_who_has_called_in_is_away_in_one_step(visitor, cast, now):
    path = f"/clinical/team/{cast.supporter.id}"
    visitor.get(path)
    page = visitor.post(f"{path}/away-now", days(away_until=now.date())).text
    assert "With the pool now: 0 owed" in page
    db.session.rollback()
    assert is_absent(cast.supporter.id, now.date()) is not None
    assert next_review(course(cast)).pooled_at is None  # due next week, when Pat is there again
    refused = visitor.post(
        f"/clinical/team/{cast.colleague.id}/away-now", days(away_until=now.date().replace(year=2028))
    )
    assert refused.status_code == 422


def test_the_pool_takes_a_review_from_my_hours(visitor, cast, app, now):
    away_from_now(
        cast.supporter,
        service=cast.service,
        until_on=now.date().replace(day=27),
        by=as_clinician(cast),
        now=now,
    )
    db.session.commit()
    review_id = next_review(course(cast)).id
    colleague = PageClient(app).sign_in(cast.colleague)
    assert "for Pat Lane" in colleague.get("/supporting/hours").text
    page = colleague.post(f"/supporting/reviews/{review_id}/take").text
    assert "You write this review on Thursday 26 November. The patient is told." in page
    assert next_review(course(cast)).owner_id == cast.colleague.id
    again = colleague.post(f"/supporting/reviews/{review_id}/take").text
    assert "Somebody has taken this review meanwhile." in again
    assert status_of(app, cast.other_supporter, f"/supporting/reviews/{review_id}/take", {}) == 404


def test_nobody_with_room_is_said_with_what_to_do_and_a_reason_is_asked(visitor, cast):
    for who in (cast.supporter, cast.colleague):
        visitor.get(f"/clinical/team/{who.id}")
        visitor.post(f"/clinical/team/{who.id}/limits", {"people": "1", "minutes_a_week": "15"})
    visitor.post(f"/clinical/team/{cast.colleague.id}/limits", {"people": "1", "minutes_a_week": "10"})
    page = visitor.get("/clinical/invite").text
    assert "Nobody has room now" in page
    form = {
        "full_name": "Robin Dale",
        "called": "Robin",
        "email": "robin.dale@example.net",
        "phone": "01632 960555",
        "voicemail": "no",
        "programme": "low-mood",
        "supporter": str(cast.supporter.id),
    }
    refused = visitor.post("/clinical/invite", form)
    assert refused.status_code == 409
    assert "Pat has no room: at the limit of people, at the limit of minutes a week." in refused.text
    done = visitor.post("/clinical/invite", {**form, "over_limit_reason": "Knows Robin"}).text
    assert "The invitation is on its way" in done


def test_everything_of_a_leaver_goes_to_new_owners_in_one_step(visitor, cast, app, now):
    page_of = f"/clinical/team/{cast.supporter.id}/hand-over"
    admin = PageClient(app).sign_in(cast.administrator)
    leaving = f"/admin/people/{cast.supporter.id}/leaving"
    before = admin.get(leaving).text
    assert "1 owed review" in before
    assert "AR" in before
    assert "Alex" not in before
    assert "Close the account" not in before
    page = visitor.get(page_of).text
    assert "Alex Reed" in page
    assert "Goes along: 1 owed review" in page
    nothing = visitor.post(page_of, {}).text
    assert "Nothing was selected" in nothing
    done = visitor.post(page_of, {"everyone": str(cast.colleague.id)}).text
    assert "Nothing is left with Pat: an administrator can close the account." in done
    assert course(cast).supporter_id == cast.colleague.id
    assert what_hangs_on(cast.supporter, now=now).is_nothing
    assert "Nothing is left" in admin.get(leaving).text
    closed = admin.post(f"/admin/people/{cast.supporter.id}/disable").text
    assert "account is closed" in closed


def test_a_new_owner_who_is_away_is_said_at_the_line_and_nothing_is_handed_over(visitor, cast, now):
    make_person("Dr Eve Park", Role.CLINICIAN, cast.service, now)
    away_from_now(
        cast.colleague,
        service=cast.service,
        until_on=now.date().replace(day=27),
        by=as_clinician(cast),
        now=now,
    )
    db.session.commit()
    page_of = f"/clinical/team/{cast.supporter.id}/hand-over"
    visitor.get(page_of)
    refused = visitor.post(page_of, {f"patient_{cast.enrolment.id}": str(cast.colleague.id)})
    assert refused.status_code == 409
    assert "Chris is away until Friday 27 November and a review is owed" in refused.text
    assert course(cast).supporter_id == cast.supporter.id
    odd = visitor.post(page_of, {f"patient_{cast.enrolment.id}": str(cast.other_supporter.id)})
    assert odd.status_code == 400


def test_clinical_people_go_to_another_clinician(visitor, cast, now):
    other = make_person("Dr Eve Park", Role.CLINICIAN, cast.service, now)
    db.session.commit()
    page_of = f"/clinical/team/{cast.clinician.id}/hand-over"
    page = visitor.get(page_of).text
    assert "on the duty rota 5 times a week" in page
    visitor.post(page_of, {f"clinical_{cast.enrolment.id}": str(other.id)})
    assert course(cast).clinician_id == other.id


def test_only_clinicians_of_the_service_find_these_pages(app, cast):
    paths = (
        "/clinical/team",
        f"/clinical/team/{cast.supporter.id}",
        f"/clinical/team/{cast.supporter.id}/hand-over",
    )
    for path in paths:
        for who in (cast.patient, cast.supporter, cast.administrator):
            assert status_of(app, who, path) == 404
    for path in paths[1:]:
        assert status_of(app, cast.other_clinician, path) == 404
        assert status_of(app, cast.other_clinician, path, {}) in (404, 405)
    assert status_of(app, cast.clinician, f"/admin/people/{cast.supporter.id}/leaving") == 404
    assert status_of(app, cast.administrator, f"/admin/people/{cast.other_supporter.id}/leaving") == 404
