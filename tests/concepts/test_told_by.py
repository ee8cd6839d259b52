"""By when a late review gets its date: true on the eve of bank holidays, where the patient is, on page and in mail."""

from datetime import date

import pytest

from icbt_support import clock
from icbt_support.db import db
from icbt_support.jobs import runner
from icbt_support.reviews.queries import review_owed
from icbt_support.rhythm.lateness import lateness_of
from tests.concepts.rhythm_steps import at, start_course
from tests.journeys.test_quiet_month import mails_to

CHRISTMAS_EVE = date(2026, 12, 24)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/London", "12pm on Tuesday 29 December"),
        ("America/New_York", "7am on Tuesday 29 December"),
        ("Pacific/Auckland", "1am on Wednesday 30 December"),
    ],
)
def test_on_the_eve_of_bank_holidays(app, cast, zone, words):
    cast.patient.zone = zone
    start_course(cast.enrolment, review_at=at(CHRISTMAS_EVE, 9), now=at(date(2026, 12, 17), 10))
    late = at(CHRISTMAS_EVE, 17)
    clock.stop_clock_at(late)
    runner.tick(app, names=["reviews"])
    clock.stop_clock_at(at(date(2026, 12, 25), 20))
    runner.tick(app, names=["deliver"])
    db.session.rollback()
    for seen_at in (late, at(date(2026, 12, 25), 12), at(date(2026, 12, 28), 23)):
        sentences = lateness_of(review_owed(cast.enrolment), now=seen_at)
        assert sentences[-1] == f"By {words} we will tell you who writes, and when."
    (mail,) = mails_to(cast.patient.email)
    day = words.rpartition(" on ")[2].split()[0]
    assert (
        f"By {words.partition(' on ')[0]} on {day} we will tell you who writes"
        in mail.get_body(("plain",)).get_content()
    )
