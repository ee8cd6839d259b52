"""Mails say what is so: no week after the last review, no review where a welcome is owed, one hour as one."""

from datetime import datetime, timedelta

import pytest

from icbt_support.accounts.models import Wording
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.jobs.deliver import Deliverer
from icbt_support.jobs.mail_words import waited_words
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import Channel
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from tests.cast import Cast
from tests.jobs.owing import K, ListeningServer, opened, owe, owe_session, plan_a_session, said


def review_of(cast: Cast, kind: ReviewKind, now: datetime, **more: object) -> Review:
    review = Review(
        service_id=cast.service.id,
        enrolment_id=cast.enrolment.id,
        kind=kind,
        number=1,
        owner_id=cast.supporter.id,
        due_on=now.date(),
        promised_at=now,
        first_promised_at=now,
        created_at=now,
        **more,
    )
    db.session.add(review)
    db.session.commit()
    return review


@pytest.mark.parametrize("wording", list(Wording))
def test_after_the_last_review_no_mail_speaks_of_a_week(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer, wording: Wording
) -> None:
    assert cast.patient.preferences is not None
    cast.patient.preferences.wording = wording
    review = review_of(cast, ReviewKind.LAST, now, state=ReviewState.SENT, sent_at=now)
    cast.enrolment.state = EnrolmentState.ENDED
    owe(cast, "ready", K.REVIEW_READY, f"review:{review.id}", now)
    assert deliverer.deliver_due().sent == 1
    assert "week" not in opened(server.mails[0])["Subject"].lower()
    assert "week" not in said(server.mails[0]).lower()


def test_a_late_welcome_is_called_a_welcome(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    review = review_of(cast, ReviewKind.WELCOME, now)
    for kind in (K.STAFF_REVIEW_LATE, K.STAFF_REVIEW_WARNING):
        owe_reminder(
            key=f"late:{kind}",
            kind=kind,
            recipient_id=cast.supporter.id,
            service_id=cast.service.id,
            subject=f"review:{review.id}",
            context=f"enrolment:{cast.enrolment.id}",
            due_at=now,
            now=now,
            channels=[Channel.EMAIL],
        )
    db.session.commit()
    assert deliverer.deliver_due().sent == 1
    words = said(server.mails[0])
    assert "welcome" in opened(server.mails[0])["Subject"]
    assert "The patient has been told" not in words
    assert "next week opens" not in words


def test_a_session_at_no_time_reads_as_a_sentence(
    cast: Cast, now: datetime, deliverer: Deliverer, server: ListeningServer
) -> None:
    assert cast.patient.preferences is not None
    cast.patient.preferences.wording = Wording.WITH_DETAIL
    item = plan_a_session(cast, now)
    item.planned_time = None
    owe_session(cast, item, now)
    deliverer.deliver_due()
    day = f"{item.planned_on:%A}"
    assert opened(server.mails[0])["Subject"] == f"{day}, at any time: Planning for low days"


def test_a_long_wait_is_said_in_hours() -> None:
    assert waited_words(timedelta(seconds=10)) == "about 1 minute"
    assert waited_words(timedelta(minutes=119)) == "about 119 minutes"
    assert waited_words(timedelta(hours=26, minutes=5)) == "about 26 hours"
