"""What has changed about a course lately, in sentences for the patient: a new supporter, another pace, a return."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from icbt_support.accounts.models import Account
from icbt_support.activity.models import ActivityDay
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentChange, EnrolmentState
from icbt_support.enrolments.queries import local_today
from icbt_support.plan.words import day_words
from icbt_support.rhythm.course_changes import REASON as AGREED_IN_A_LETTER

NEWS_FOR_DAYS = 14
EVERY_TWO_WEEKS = "14"
IT_IS_FINE = "It is fine to come back. We start where you are."


def recent_changes(enrolment: Enrolment, *, now: datetime) -> tuple[str, ...]:
    """The newest change of each kind in the last two weeks, oldest first."""
    rows = db.session.scalars(
        select(EnrolmentChange)
        .where(
            EnrolmentChange.enrolment_id == enrolment.id,
            EnrolmentChange.what.in_(list(_WORDS)),
            EnrolmentChange.changed_at > now - timedelta(days=NEWS_FOR_DAYS),
        )
        .order_by(EnrolmentChange.changed_at, EnrolmentChange.id)
    )
    newest = {row.what: row for row in rows if row.from_value}
    return tuple(words for row in newest.values() if (words := _WORDS[row.what](row, enrolment)))


def _of_supporter(change: EnrolmentChange, enrolment: Enrolment) -> str:
    before = db.session.get(Account, int(change.from_value))
    told = f"{enrolment.supporter.called} is your supporter since {_day(change, enrolment)}"
    instead = f", in place of {before.called}" if before is not None else ""
    return f"{told}{instead}. The dates you have stay as they are."


def _of_cadence(change: EnrolmentChange, enrolment: Enrolment) -> str:
    pace = "every two weeks" if change.to_value == EVERY_TWO_WEEKS else "every week"
    since = "Now" if change.reason == AGREED_IN_A_LETTER else "From the next review on,"
    return f"{since} {enrolment.supporter.called} writes {pace}."


def _of_state(change: EnrolmentChange, enrolment: Enrolment) -> str:
    is_back = (change.from_value, change.to_value) == (EnrolmentState.PAUSED, EnrolmentState.ACTIVE)
    return f"Your course goes on since {_day(change, enrolment)}. {IT_IS_FINE}" if is_back else ""


_WORDS: dict[str, Callable[[EnrolmentChange, Enrolment], str]] = {
    "supporter": _of_supporter,
    "cadence": _of_cadence,
    "state": _of_state,
}


def _day(change: EnrolmentChange, enrolment: Enrolment) -> str:
    return day_words(local_day(change.changed_at, enrolment.patient.zone))


def days_since_last_visit(enrolment: Enrolment, *, now: datetime) -> int:
    """How many days lie between today and the day on which the person was last here, or the course last began."""
    today, zone = local_today(enrolment, now), enrolment.patient.zone
    last_on = db.session.scalar(
        select(ActivityDay.acted_on)
        .where(ActivityDay.enrolment_id == enrolment.id, ActivityDay.acted_on < today)
        .order_by(ActivityDay.acted_on.desc())
        .limit(1)
    )
    began = [local_day(at, zone) for at in (enrolment.started_at, enrolment.back_at) if at is not None]
    known = [on for on in (last_on, enrolment.starts_on, *began) if on is not None and on <= today]
    return (today - max(known)).days if known else 0
