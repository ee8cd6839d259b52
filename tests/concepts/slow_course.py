"""Alex's slow course: week 3 on Tuesday 24 November, PHQ-9 16 at the start, two letters sent, nothing done since."""

from datetime import datetime, timedelta

from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.measures.models import Occasion, Questionnaire
from icbt_support.reviews.models import Review, ReviewState
from tests.cast import Cast
from tests.concepts.rhythm_steps import acting, at, letter, send, start_course

TUESDAY = at(24, 10)
MODULE = "module:understanding-low-mood"


def live_slowly(cast: Cast) -> Enrolment:
    """Alex with Pat, since Thursday 5 November."""
    enrolment = cast.enrolment
    enrolment.started_at = enrolment.invited_at = at(5, 9)
    answer_baseline(enrolment, 16, at(5, 9))
    start_course(enrolment, review_at=at(12, 9), now=at(5, 9))
    for day in (12, 19):
        _send_owed(enrolment, at(day, 9), next_at=at(day + 7, 9))
    return enrolment


def answer_baseline(enrolment: Enrolment, total: int, now: datetime) -> None:
    """A finished PHQ-9 before the first week."""
    db.session.add(
        Questionnaire(
            enrolment_id=enrolment.id,
            measure="phq-9",
            occasion=Occasion.BASELINE,
            week_number=0,
            started_at=now,
            finished_at=now,
            total=total,
        )
    )
    db.session.flush()


def _send_owed(enrolment: Enrolment, now: datetime, *, next_at: datetime) -> None:
    owed = db.session.scalars(
        select(Review).where(
            Review.enrolment_id == enrolment.id,
            Review.state.in_([ReviewState.SCHEDULED, ReviewState.OPEN, ReviewState.DRAFTED]),
        )
    ).one()
    content = letter(opens=MODULE, next_review_at=next_at, by_on=(now + timedelta(days=3)).date())
    send(owed, content, by=acting(enrolment.supporter, Role.SUPPORTER), now=now)
