"""What patients of the demo do: each act calls the same verbs that the pages call."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from icbt_support.accounts.models import AccountLink, LinkPurpose, Role, Wording
from icbt_support.accounts.operations import accept_invitation, change_preferences
from icbt_support.accounts.rules import PreferenceChoices
from icbt_support.accounts.sign_ins import open_sign_in
from icbt_support.cadence import to_local
from icbt_support.db import db
from icbt_support.demo import words
from icbt_support.demo.people import DR_WEISS, ZONE
from icbt_support.demo.world import Life, World, day_of
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.enrolments.operations import confirm_contact_sheet, set_goals
from icbt_support.hours.duty_rota import add_duty_minutes, is_duty_time
from icbt_support.hours.queries import free_review_times
from icbt_support.measures.models import Occasion
from icbt_support.measures.operations import answer_item, finish_check_in_rows, start_questionnaire
from icbt_support.measures.queries import finished_check_in
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import mark_thread_read, post_message
from icbt_support.plan.models import ItemState, PlanItem
from icbt_support.plan.queries import open_week_of
from icbt_support.plan.words import clock_words
from icbt_support.programme.content import Module, Session
from icbt_support.reviews.operations import mark_review_read
from icbt_support.reviews.queries import last_sent
from icbt_support.rhythm import acts, away, ending, moving, onboarding
from icbt_support.risk.models import CallOutcome, RiskAlert, SafetyAnswer
from icbt_support.risk.operations import (
    acknowledge_alert,
    answer_safety_question,
    log_call,
    record_assessment,
    resolve_alert,
)

VISIT = timedelta(minutes=45)
TAKES_IT = timedelta(minutes=14)
CALLS_AFTER = timedelta(minutes=76)
TOLD = "Called back and spoke for fifteen minutes"


# Coming in --------------------------------------------------------------------------------------------------


def visit(world: World, life: Life, now: datetime) -> Enrolment:
    """Signs in unless the person is here already."""
    enrolment = life.enrolment()
    if life.last_visit_at is None or now - life.last_visit_at > VISIT:
        open_sign_in(enrolment.patient, address="", real_now=now, by=world.as_patient(enrolment), now=now)
        acts.note_sign_in(enrolment, now=now)
    life.last_visit_at = now
    return enrolment


def take_up_invitation(world: World, life: Life, now: datetime) -> None:
    """The link in the mail, a password, the first screen."""
    enrolment = life.enrolment()
    link = db.session.scalars(
        select(AccountLink)
        .where(
            AccountLink.account_id == enrolment.patient_id,
            AccountLink.purpose == LinkPurpose.INVITATION,
            AccountLink.used_at.is_(None),
            AccountLink.withdrawn_at.is_(None),
            AccountLink.expires_at > now,
        )
        .order_by(AccountLink.id.desc())
    ).first()
    if link is None:
        return
    by = world.as_patient(enrolment)
    accept_invitation(link, world.password, by=by, now=now)
    visit(world, life, now)
    mark_thread_read(enrolment, by=by, now=now)
    onboarding.accept_consent(enrolment, onboarding.CONSENT_VERSION, by=by, now=now)


def answer_baseline(world: World, life: Life, now: datetime) -> None:
    enrolment = visit(world, life, now)
    answer_week(world, life, enrolment, 0, now)
    by = world.as_patient(enrolment)
    finish_check_in_rows(enrolment, 0, by=by, now=now)
    onboarding.finish_baseline(enrolment, by=by, now=now)


def begin_baseline(world: World, life: Life, now: datetime) -> None:
    """Answers five questions and leaves: the place is kept."""
    enrolment = visit(world, life, now)
    by = world.as_patient(enrolment)
    measure = world.programme.measures[world.programme.check_in[0]]
    questionnaire = start_questionnaire(
        enrolment, measure, occasion=Occasion.BASELINE, week_number=0, by=by, now=now
    )
    for item, value in enumerate((2, 2, 1, 2, 1), start=1):
        answer_item(questionnaire, item, value, by=by, now=now)


def choose_times(world: World, life: Life, now: datetime) -> None:
    """The last step of onboarding: days, times, the first review, how emails read."""
    plan, enrolment = life.plan, visit(world, life, now)
    by = world.as_patient(enrolment)
    confirm_contact_sheet(enrolment, by=by, now=now)
    chosen = PreferenceChoices(check_in_time=plan.check_in_time, quiet_from=plan.quiet_from)
    if chosen != PreferenceChoices():
        change_preferences(enrolment.patient, chosen, by=by, now=now)
    onboarding.choose_times_and_start(
        enrolment,
        session_times=plan.session_times,
        starts_on=max(plan.starts_on, day_of(now)),
        first_review_at=_first_review_at(life, now),
        session_email=plan.session_email,
        wording=Wording.DISCREET,
        by=by,
        now=now,
    )


def _first_review_at(life: Life, now: datetime) -> datetime:
    """The person's own place if it is free, else one of that day, else the first that the page offers."""
    wanted, enrolment = life.plan.first_review_at, life.enrolment()
    on = day_of(wanted)
    free = free_review_times(enrolment.supporter_id, on, on, service=enrolment.service, now=now)
    if any(one.starts_at == wanted for one in free):
        return wanted
    return (free or onboarding.first_review_times(enrolment, now=now))[0].starts_at


def write_goal(world: World, life: Life, now: datetime) -> None:
    enrolment = visit(world, life, now)
    set_goals(enrolment, [life.plan.goal], by=world.as_patient(enrolment), now=now)


# In a week --------------------------------------------------------------------------------------------------


def is_here(life: Life, number: int) -> bool:
    """Whether the person's week `number` is still open and their course runs."""
    enrolment = life.enrolment()
    week = open_week_of(enrolment) if enrolment.state is EnrolmentState.ACTIVE else None
    return week is not None and week.number == number and not life.is_gone


def read_session(world: World, life: Life, item_id: int, now: datetime) -> None:
    """Reads a planned session from its first page to its last, and writes in some of its exercises."""
    item = db.session.get_one(PlanItem, item_id)
    if item.state is not ItemState.PLANNED or not item.week.is_open:
        return
    module, session = session_of(world, item)
    read_pages(world, life, module, session, session.pages, now)


def read_pages(
    world: World, life: Life, module: Module, session: Session, pages: tuple[str, ...], now: datetime
) -> None:
    enrolment = visit(world, life, now)
    by = world.as_patient(enrolment)
    for page in pages:
        content = module.page(page)
        exercise = content.exercise if content else None
        if exercise is not None and life.dice.random() < 0.35:
            typed = words.exercise_words(exercise, life.dice)
            acts.answer_page_exercise(enrolment, module.slug, exercise.key, typed, by=by, now=now)
        acts.finish_page(enrolment, module.slug, page, by=by, now=now)


def session_of(world: World, item: PlanItem) -> tuple[Module, Session]:
    module_slug, _, session_slug = item.subject.removeprefix("session:").partition("/")
    module = world.module(module_slug)
    return module, next(session for session in module.sessions if session.slug == session_slug)


def do_practice(world: World, life: Life, item_id: int, now: datetime) -> None:
    """Fills in the tool of a practice task, or ticks it off where it has none."""
    item = db.session.get_one(PlanItem, item_id)
    if item.state is not ItemState.PLANNED or not item.week.is_open:
        return
    module_slug, _, practice_slug = item.subject.removeprefix("practice:").partition("/")
    practice = world.module(module_slug).practice_task(practice_slug)
    if practice is not None and practice.tool:
        fill_in(world, life, practice.tool, now)
        return
    enrolment = visit(world, life, now)
    acts.settle_item(item, ItemState.DONE, by=world.as_patient(enrolment), now=now)


def fill_in(
    world: World,
    life: Life,
    tool_slug: str,
    now: datetime,
    fields: Mapping[str, Any] | None = None,
    *,
    is_private: bool = False,
) -> None:
    """Saves an entry: these fields, or such as the person's dice say."""
    enrolment = visit(world, life, now)
    tool = world.programme.tools[tool_slug]
    acts.keep_entry(
        enrolment,
        tool_slug,
        fields or words.entry_fields(tool, life.dice),
        is_shared=tool.shared_by_default and not is_private,
        posted_key=world.posted_key(),
        by=world.as_patient(enrolment),
        now=now,
    )


def settle_step(world: World, life: Life, item_id: int, now: datetime, said: str = "") -> None:
    item = db.session.get_one(PlanItem, item_id)
    if item.state is not ItemState.PLANNED or not item.week.is_open:
        return
    enrolment = visit(world, life, now)
    acts.settle_item(item, ItemState.DONE, said, by=world.as_patient(enrolment), now=now)


def move_one(world: World, life: Life, item_id: int, on: date, at: time | None, now: datetime) -> None:
    item = db.session.get_one(PlanItem, item_id)
    if (
        item.state is not ItemState.PLANNED
        or not item.week.is_open
        or not day_of(now) <= on <= item.week.review_on
    ):
        return
    enrolment = visit(world, life, now)
    moving.move_item(item, on, at, by=world.as_patient(enrolment), now=now)


def check_in(world: World, life: Life, number: int, now: datetime) -> None:
    """Answers both questionnaires of the open week."""
    if not is_here(life, number):
        return
    enrolment = visit(world, life, now)
    if finished_check_in(enrolment, number) is not None:
        return
    answer_week(world, life, enrolment, number, now)
    acts.finish_check_in(enrolment, by=world.as_patient(enrolment), now=now)


def answer_week(world: World, life: Life, enrolment: Enrolment, number: int, now: datetime) -> None:
    by = world.as_patient(enrolment)
    occasion = Occasion.CHECK_IN if number else Occasion.BASELINE
    for slug in world.programme.check_in:
        measure = world.programme.measures[slug]
        scores = life.plan.phq if measure.risk_item else life.plan.gad
        total = scores[min(number, len(scores) - 1)]
        risk = life.plan.item_9.get(number, 0) if measure.risk_item else 0
        questionnaire = start_questionnaire(
            enrolment, measure, occasion=occasion, week_number=number, by=by, now=now
        )
        answers = words.answers_for(total, len(measure.items), measure.risk_item, risk, life.dice)
        for item, value in enumerate(answers, start=1):
            alert = answer_item(questionnaire, item, value, by=by, now=now)
            if alert is not None:
                answer_safety_question(alert, SafetyAnswer.YES, posted_key="", by=by, now=now)
                _clinician_looks(world, life, alert.id, now)


def say(world: World, life: Life, said: str, kind: MessageKind, now: datetime) -> None:
    enrolment = life.enrolment()
    if enrolment.state is EnrolmentState.ENDED:
        return
    visit(world, life, now)
    by = world.as_patient(enrolment)
    mark_thread_read(enrolment, by=by, now=now)
    post_message(enrolment, said, kind=kind, posted_key=world.posted_key(), by=by, now=now)


def read_letter(world: World, life: Life, now: datetime) -> None:
    enrolment = visit(world, life, now)
    review = last_sent(enrolment)
    by = world.as_patient(enrolment)
    if review is not None:
        mark_review_read(review, by=by, now=now)
    mark_thread_read(enrolment, by=by, now=now)


def say_enough(world: World, life: Life, now: datetime) -> None:
    """*I have what I need*: a good ending."""
    enrolment = visit(world, life, now)
    if enrolment.state is not EnrolmentState.ACTIVE:
        return
    said = "I have what I needed for now. Thank you for the letters."
    ending.finish_with_what_i_needed(enrolment, said, by=world.as_patient(enrolment), now=now)
    life.is_gone = True


def go_away(world: World, life: Life, days: int, now: datetime) -> None:
    enrolment = visit(world, life, now)
    if enrolment.state is EnrolmentState.ACTIVE:
        until_on = day_of(now) + timedelta(days=days)
        away.go_away(enrolment, until_on, by=world.as_patient(enrolment), now=now)


# What a positive answer to item 9 sets off ------------------------------------------------------------------


def _clinician_looks(world: World, life: Life, alert_id: int, now: datetime) -> None:
    """The clinician on duty takes it soon, calls later, and closes it; today's alert is still open."""
    service = world.service()
    minutes = int(TAKES_IT.total_seconds() // 60)
    takes_at = now + TAKES_IT if is_duty_time(service, now) else add_duty_minutes(service, now, minutes)
    if takes_at is None:
        return
    world.at(takes_at, lambda at: _take_alert(world, life, alert_id, at))
    world.at(takes_at + CALLS_AFTER, lambda at: _call_about(world, life, alert_id, at))


def _take_alert(world: World, life: Life, alert_id: int, now: datetime) -> None:
    alert = db.session.get_one(RiskAlert, alert_id)
    if alert.is_taken:
        return
    calls_at = to_local(now + CALLS_AFTER, ZONE)
    note = f"I have read the answers and am calling {life.plan.called} at {clock_words(calls_at)}."
    acknowledge_alert(alert, note, by=world.as_staff(DR_WEISS, Role.CLINICIAN), now=now)


def _call_about(world: World, life: Life, alert_id: int, now: datetime) -> None:
    alert = db.session.get_one(RiskAlert, alert_id)
    if not alert.is_open:
        return
    by, enrolment = world.as_staff(DR_WEISS, Role.CLINICIAN), life.enrolment()
    log_call(enrolment, CallOutcome.SPOKE, TOLD, 15, by=by, now=now, alert=alert)
    record_assessment(
        enrolment,
        alert.answer or 0,
        "Passing thoughts, no plan, no intent. Feels able to keep safe.",
        "Safety plan gone through together. Rings us or 111 if it gets stronger.",
        by=by,
        now=now,
    )
    resolve_alert(
        alert, life.plan.called, "Safety plan in Tools, and a call next week", "The supporter", by=by, now=now
    )
