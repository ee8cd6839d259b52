"""A person who has been here for a year: everything that a course leaves behind, week by week, in plain rows."""

from datetime import datetime, timedelta

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.activity.models import Act
from icbt_support.activity.operations import record_activity
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, Goal, SupporterNote
from icbt_support.journal.models import Entry, PageRead
from icbt_support.measures.models import Answer, FinishedCheckIn, Occasion, Questionnaire
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemKind, ItemState, OpenedBecause, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderClass, ReminderKind, ReminderState
from icbt_support.reviews.models import Review, ReviewKind, ReviewLetter, ReviewState
from icbt_support.rhythm.weeks import book_review, open_week
from icbt_support.risk.models import CallLog, CallOutcome
from tests.pages.supporter.course import REVIEW_SLOT, STARTED, Course, actor

WEEK = timedelta(days=7)
MODULE = "understanding-low-mood"
ITEMS = {"phq-9": 9, "gad-7": 7}


def live_through(enrolment: Enrolment, *, weeks: int, slot_after: timedelta = timedelta()) -> Course:
    """`weeks` weeks, each with a letter but the last one, whose review is owed today."""
    enrolment.invited_at = enrolment.started_at = REVIEW_SLOT - weeks * WEEK - timedelta(days=4)
    for number in range(1, weeks):
        _earlier_week(enrolment, number, STARTED - (weeks - 1 - number) * WEEK)
    by = actor(enrolment.patient, Role.PATIENT, enrolment.service_id)
    clock.stop_clock_at(STARTED)
    review = book_review(enrolment, REVIEW_SLOT + slot_after, number=weeks, by=by, now=STARTED)
    week = open_week(enrolment, MODULE, review=review, because=OpenedBecause.REVIEW_SENT, by=by, now=STARTED)
    _live_the_week(enrolment, week)
    db.session.commit()
    return Course(enrolment, review)


def _earlier_week(enrolment: Enrolment, number: int, review_at: datetime) -> None:
    opened_at = review_at - WEEK
    week = Week(
        enrolment_id=enrolment.id, number=number, module=MODULE, opened_on=opened_at.date(),
        review_on=review_at.date(), opened_at=opened_at, opened_because=OpenedBecause.REVIEW_SENT,
        closed_at=review_at,
    )  # fmt: skip
    db.session.add(week)
    db.session.flush()
    for kind in (ItemKind.SESSION, ItemKind.PRACTICE, ItemKind.AGREED_STEP, ItemKind.CHECK_IN):
        db.session.add(
            PlanItem(
                week_id=week.id, enrolment_id=enrolment.id, kind=kind, title=f"{kind} of week {number}",
                planned_on=opened_at.date() + timedelta(days=2), minutes=10, state=ItemState.DONE,
                settled_at=opened_at + timedelta(days=2),
            )
        )  # fmt: skip
    review = Review(
        service_id=enrolment.service_id, enrolment_id=enrolment.id, week_id=week.id, number=number,
        kind=ReviewKind.WEEKLY, owner_id=enrolment.supporter_id, due_on=review_at.date(),
        promised_at=review_at, first_promised_at=review_at, state=ReviewState.SENT, created_at=opened_at,
        sent_at=review_at, sent_by=enrolment.supporter_id, read_at=review_at + timedelta(hours=3),
    )  # fmt: skip
    db.session.add(review)
    db.session.flush()
    db.session.add(
        ReviewLetter(
            review_id=review.id, sections=[{"heading": "What I noticed", "words": f"Letter {number}"}],
            step_what="One walk", step_why="it helps", sent_at=review_at, author_id=enrolment.supporter_id,
        )
    )  # fmt: skip
    _live_the_week(enrolment, week)


def _live_the_week(enrolment: Enrolment, week: Week) -> None:
    """What a person does in one ordinary week."""
    at = week.opened_at + timedelta(days=2)
    for measure, count in ITEMS.items():
        asked = Questionnaire(
            enrolment_id=enrolment.id, measure=measure, occasion=Occasion.CHECK_IN, started_at=at,
            week_number=week.number, finished_at=at, total=count,
        )  # fmt: skip
        db.session.add(asked)
        db.session.flush()
        db.session.add_all(
            Answer(questionnaire_id=asked.id, item=item, version=1, value=1, answered_at=at)
            for item in range(1, count + 1)
        )
    db.session.add_all(
        [
            FinishedCheckIn(enrolment_id=enrolment.id, week_number=week.number, finished_at=at),
            Message(
                enrolment_id=enrolment.id, author_id=enrolment.patient_id, kind=MessageKind.QUESTION,
                words=f"Question of week {week.number}", posted_key=f"m{week.number}", sent_at=at,
                read_at=week.closed_at, answered_at=week.closed_at,
            ),
            Entry(
                enrolment_id=enrolment.id, tool="activity-plan", is_shared=True, posted_key=f"e{week.number}",
                fields={"what": f"Walk of week {week.number}", "mood-before": 3, "mood-after": 5},
                created_at=at, changed_at=at, finished_at=at,
            ),
            Entry(
                enrolment_id=enrolment.id, tool="activity-plan", is_shared=False,
                posted_key=f"p{week.number}", fields={"what": "Private canary"}, created_at=at, changed_at=at,
                finished_at=at,
            ),
            CallLog(
                enrolment_id=enrolment.id, outcome=CallOutcome.NO_ANSWER, note=f"Call {week.number}",
                called_at=at, called_by=enrolment.supporter_id,
            ),
            SupporterNote(
                enrolment_id=enrolment.id, words=f"Note {week.number}", written_by=enrolment.supporter_id,
                written_at=at,
            ),
            Reminder(
                key=f"session:{enrolment.id}:{week.number}:1", channel=Channel.EMAIL,
                kind=ReminderKind.SESSION, reminder_class=ReminderClass.PROMPT,
                recipient_id=enrolment.patient_id, service_id=enrolment.service_id, subject="plan_item:1",
                context=f"enrolment:{enrolment.id}", due_at=at, first_due_at=at, owed_at=at, nonce="n",
                state=ReminderState.HANDED_OVER, settled_at=at,
            ),
        ]
    )  # fmt: skip
    if week.number == 1:
        db.session.add(Goal(enrolment_id=enrolment.id, words="Draw again", written_at=at))
    page = PageRead(
        enrolment_id=enrolment.id,
        module=MODULE,
        page=f"page-{week.number}",
        first_read_at=at,
        last_read_at=at,
    )
    db.session.add(page)
    for act in (Act.SIGNED_IN, Act.READ_PAGE, Act.SAVED_ENTRY):
        record_activity(
            act, service_id=enrolment.service_id, enrolment_id=enrolment.id, on=at.date(),
            now=at + timedelta(hours=3),
        )  # fmt: skip
