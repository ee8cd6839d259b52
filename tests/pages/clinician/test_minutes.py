"""Time spent on reviews: totals of the team by week, and nothing that tells one person from another."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from icbt_support.db import db
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.visits import status_of

MINUTES = "/team/minutes"


def sent(cast: Cast, number: int, by: int, minutes: int | None, at: datetime) -> None:
    db.session.add(
        Review(
            service_id=cast.service.id,
            enrolment_id=cast.enrolment.id,
            kind=ReviewKind.WEEKLY,
            number=number,
            owner_id=by,
            due_on=at.date(),
            promised_at=at,
            first_promised_at=at,
            state=ReviewState.SENT,
            created_at=at,
            sent_at=at,
            sent_by=by,
            minutes=minutes,
        )
    )


def test_clinicians_and_administrators_find_it(app: Flask, cast: Cast) -> None:
    for account in (cast.patient, cast.supporter):
        assert status_of(app, account, MINUTES) == 404
    for account in (cast.clinician, cast.administrator):
        assert status_of(app, account, MINUTES) == 200


@pytest.mark.parametrize("role", ["clinician", "administrator"])
def test_a_week_is_one_total_and_one_writer_alone_is_not_shown(
    client: PageClient, cast: Cast, now: datetime, role: str
) -> None:
    pat, chris = cast.supporter.id, cast.colleague.id
    sent(cast, 11, pat, 20, now - timedelta(days=1))
    sent(cast, 12, chris, 17, now - timedelta(days=2))
    sent(cast, 13, chris, None, now - timedelta(days=2))
    sent(cast, 14, pat, 43, now - timedelta(days=9))
    sent(cast, 15, pat, 44, now - timedelta(days=80))
    db.session.commit()
    html = client.sign_in(getattr(cast, role)).get(MINUTES).get_data(as_text=True)
    assert "37 min" in html
    assert "2 of 3" in html
    assert "Not shown: fewer than two people" in html
    for hidden in ("Pat Lane", "Chris Moor", "43 min", "44 min", "Alex"):
        assert hidden not in html


def test_another_services_reviews_do_not_count(client: PageClient, cast: Cast, now: datetime) -> None:
    sent(cast, 11, cast.supporter.id, 20, now)
    db.session.commit()
    html = client.sign_in(cast.other_clinician).get(MINUTES).get_data(as_text=True)
    assert "No review was sent" in html
