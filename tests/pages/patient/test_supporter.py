"""About the supporter: days, what they see, what they cannot do."""

from datetime import date

from flask import Flask

from icbt_support.accounts.operations import describe_supporter
from icbt_support.db import db
from icbt_support.hours.models import AbsenceReason
from icbt_support.hours.transitions import record_absence_row
from icbt_support.reviews.queries import next_review
from icbt_support.rhythm.absence import FirstDayBack, record_absence
from icbt_support.rhythm.ending import change_cadence
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.beginnings import as_clinician, open_week_1
from tests.pages.patient.home_states import NOW, build
from tests.pages.visits import status_of


def words_of(client: PageClient, cast: Cast) -> str:
    return client.sign_in(cast.patient).get("/supporter").get_data(as_text=True)


def test_who_it_is_and_when_they_read(client: PageClient, cast: Cast) -> None:
    by = as_clinician(cast)
    describe_supporter(
        cast.supporter, job_title="Wellbeing practitioner", about="I like hills.", by=by, now=NOW
    )
    db.session.commit()
    words = words_of(client, cast)
    for part in (
        "Wellbeing practitioner, Northfield",
        "I like hills.",
        "Pat reads messages on Thursdays.",
        "They are read within 2 working days.",
        "not your private entries",
        "answer straight away, or in an emergency",
    ):
        assert part in words


def test_a_fortnightly_course_has_a_fortnightly_letter(client: PageClient, cast: Cast) -> None:
    assert "a review each week" in words_of(client, cast)
    change_cadence(cast.enrolment, 14, reason="", by=as_clinician(cast), now=NOW)
    db.session.commit()
    assert "a review every two weeks" in words_of(client, cast)


def test_an_absence_is_told_before_it_begins(client: PageClient, cast: Cast) -> None:
    record_absence_row(
        cast.supporter.id,
        service_id=cast.service.id,
        from_on=date(2026, 12, 7),
        until_on=date(2026, 12, 11),
        cover_id=None,
        by=as_clinician(cast),
        now=NOW,
    )
    db.session.commit()
    assert "Away from Monday 7 December to Friday 11 December." in words_of(client, cast)


def test_after_the_end_nothing_is_promised(client: PageClient, cast: Cast) -> None:
    build("ended by the patient", cast)
    words = words_of(client, cast)
    assert "new messages are not read here" in words
    assert "Write to Pat" not in words


def test_staff_have_no_supporter(app: Flask, cast: Cast) -> None:
    for account in (cast.supporter, cast.clinician, cast.administrator):
        assert status_of(app, account, "/supporter") == 404


def test_a_date_that_moved_says_why_here_and_at_home(client: PageClient, cast: Cast) -> None:
    open_week_1(cast, NOW)
    review = next_review(cast.enrolment)
    record_absence(
        cast.supporter,
        service=cast.service,
        from_on=date(2026, 11, 25),
        until_on=date(2026, 11, 27),
        cover_id=None,
        choices={review.id: FirstDayBack()},
        reason=AbsenceReason.COURSE,
        by=as_clinician(cast),
        now=NOW,
    )
    db.session.commit()
    moved = "Moved from Thursday 26 November to Thursday 3 December: Pat is on a course."
    assert "Your next review is on Thursday 3 December, by 5pm." in words_of(client, cast)
    assert moved in words_of(client, cast)
    assert moved in client.get("/week").get_data(as_text=True)
