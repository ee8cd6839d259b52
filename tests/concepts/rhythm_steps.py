"""Steps that the tests of the rhythm share: a first week, a previewed letter, days that pass."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from sqlalchemy import select

from icbt_support.accounts.models import Account, Role
from icbt_support.audit.models import Actor, ActorKind
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.measures.models import Occasion
from icbt_support.measures.operations import answer_item, start_questionnaire
from icbt_support.plan.models import ItemKind, PlanItem, Week
from icbt_support.plan.rules import StepChoice
from icbt_support.programme.library import find_programme
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, ReminderState
from icbt_support.reviews.drafts import draft_content, letter_of_draft
from icbt_support.reviews.models import Review
from icbt_support.reviews.operations import mark_previewed, save_draft
from icbt_support.reviews.rules import LetterSection, LetterToSend
from icbt_support.rhythm.acts import finish_page
from icbt_support.rhythm.sending import Sent, send_review
from icbt_support.rhythm.weeks import book_review, due_openings, open_first_week, open_one_due_week

SYSTEM = Actor.system("tests")


def at(day: date | int, hour: int, minute: int = 0) -> datetime:
    """An instant of November 2026 (London is on UTC), or of another date."""
    on = date(2026, 11, day) if isinstance(day, int) else day
    return datetime.combine(on, time(hour, minute), UTC)


def acting(account: Account, role: Role) -> Actor:
    return Actor(ActorKind.PERSON, account_id=account.id, role=role.value)


def start_course(enrolment: Enrolment, *, review_at: datetime, now: datetime) -> Week:
    """Week 1 opens now, its review booked in the supporter's slot."""
    patient = acting(enrolment.patient, Role.PATIENT)
    book_review(enrolment, review_at, number=1, by=patient, now=now)
    week = open_first_week(enrolment, by=patient, now=now)
    db.session.commit()
    return week


def letter(
    *,
    opens: str = "module:understanding-low-mood",
    next_review_at: datetime | None = None,
    by_on: date | None = None,
    words: str = "You read the first pages, and wrote a goal.",
) -> LetterToSend:
    step = (
        StepChoice("One walk with Mo", "doing comes before feeling like it", by_on, time(18))
        if by_on
        else None
    )
    return LetterToSend((LetterSection("What I noticed", words),), step, opens, next_review_at)


def preview(review: Review, content: LetterToSend, *, by: Actor, now: datetime) -> int:
    """Saves and previews a letter; the version that may be sent."""
    draft = save_draft(review, draft_content(content), version=None, by=by, now=now)
    mark_previewed(review, version=draft.version, by=by, now=now)
    db.session.commit()
    return draft.version


def send(review: Review, content: LetterToSend, *, by: Actor, now: datetime) -> Sent:
    version = preview(review, content, by=by, now=now)
    sent = send_review(review, letter_of_draft(draft_content(content)), draft_version=version, by=by, now=now)
    db.session.commit()
    return sent


def read_session(enrolment: Enrolment, module: str, place: int, *, now: datetime) -> None:
    """Reads every page of the module's session number `place` (from 0)."""
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    content = programme.module(module)
    assert content is not None
    for page in content.sessions[place].pages:
        finish_page(enrolment, module, page, by=acting(enrolment.patient, Role.PATIENT), now=now)
    db.session.commit()


def item_of(week: Week, kind: ItemKind) -> PlanItem:
    return next(item for item in week.items if item.kind is kind)


def reminders(
    enrolment: Enrolment, states: Iterable[ReminderState] = (ReminderState.OWED,)
) -> list[tuple[str, datetime]]:
    """Kind and due time of the emails of a course, as they fall due."""
    rows = db.session.scalars(
        select(Reminder)
        .where(
            Reminder.context == f"enrolment:{enrolment.id}",
            Reminder.state.in_(list(states)),
            Reminder.channel == Channel.EMAIL,
        )
        .order_by(Reminder.due_at, Reminder.id)
        .execution_options(populate_existing=True)
    )
    return [(row.kind.value, row.due_at) for row in rows]


def answer_check_in(enrolment: Enrolment, week_number: int, *, value: int = 1, now: datetime) -> None:
    """Answers every item of every questionnaire of the check-in; item 9 with 0."""
    by = acting(enrolment.patient, Role.PATIENT)
    programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
    for slug in programme.check_in:
        measure = programme.measures[slug]
        questionnaire = start_questionnaire(
            enrolment, measure, occasion=Occasion.CHECK_IN, week_number=week_number, by=by, now=now
        )
        for item in range(1, len(measure.items) + 1):
            answer_item(questionnaire, item, 0 if item == measure.risk_item else value, by=by, now=now)
    db.session.commit()


def open_due_weeks(*, now: datetime, by: Actor = SYSTEM) -> int:
    """The weeks that open by themselves, as the job opens them; how many did."""
    opened = [open_one_due_week(enrolment_id, now=now, by=by) for enrolment_id in due_openings(now=now)]
    return sum(week is not None for week in opened)
