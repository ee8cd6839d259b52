"""What a patient does in a week: recorded, settled in the plan, and its reminders withdrawn, in one
transaction.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from icbt_support.activity.models import Act
from icbt_support.activity.operations import record_activity
from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import local_today
from icbt_support.journal.models import Entry, ExerciseAnswer
from icbt_support.journal.operations import answer_exercise, mark_page_read, save_entry
from icbt_support.journal.queries import entry_posted_as, exercise_answers, pages_opened
from icbt_support.measures.models import FinishedCheckIn
from icbt_support.measures.operations import finish_check_in_rows
from icbt_support.measures.queries import finished_check_in
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.plan.queries import open_week_of
from icbt_support.plan.rules import ItemIsSettled, practice_subject, session_subject
from icbt_support.plan.transitions import mark_told_ready, settle
from icbt_support.reminders.rules import Reason
from icbt_support.reviews.queries import review_of_week
from icbt_support.reviews.transitions import open_review
from icbt_support.rhythm.prompts import reconcile_prompts
from icbt_support.rhythm.week_items import UnknownModule, sessions_read
from icbt_support.rhythm.weeks import programme_of
from icbt_support.risk.operations import hold_course

TWICE_WITHIN = timedelta(minutes=1)
MAY_BE_SETTLED_AS = (ItemState.PLANNED, ItemState.DONE, ItemState.SKIPPED)


class NoOpenWeek(Exception):
    """There is no week now in which this could be done."""


def note_sign_in(enrolment: Enrolment, *, now: datetime) -> None:
    """A sign-in is activity, never treatment contact."""
    _note(Act.SIGNED_IN, enrolment, "", now)


def finish_page(enrolment: Enrolment, module: str, page: str, *, by: Actor, now: datetime) -> bool:
    """*Continue* was posted: the page is read, and its session is done when all its pages are.

    True if that finished a session of the open week. A double click is one act; raises `UnknownModule`.
    """
    content = programme_of(enrolment).module(module)
    if content is None or content.page(page) is None:
        raise UnknownModule(f"{module}/{page}")
    hold_course(enrolment.id)
    lately = pages_opened(enrolment, now - TWICE_WITHIN, now + TWICE_WITHIN)
    mark_page_read(enrolment, module, page, by=by, now=now)
    if not any((row.module, row.page) == (module, page) for row in lately):
        _note(Act.READ_PAGE, enrolment, f"page:{module}/{page}", now)
    session = content.session_of(page)
    is_finished = False
    if session.slug in sessions_read(enrolment, content):
        is_finished = _do_first(enrolment, {session_subject(module, session.slug)}, by=by, now=now)
    _do_first(enrolment, {f"page:{module}/{page}"}, by=by, now=now)
    if len(sessions_read(enrolment, content)) == len(content.sessions):
        _do_first(enrolment, {f"module:{module}"}, by=by, now=now)
    reconcile_prompts(enrolment, by=by, now=now, reason=Reason.ALREADY_DONE)
    return is_finished


def answer_page_exercise(
    enrolment: Enrolment, module: str, exercise: str, words: str, *, by: Actor, now: datetime
) -> ExerciseAnswer:
    """Saves what was written in a page's exercise; the same words again are the same answer."""
    hold_course(enrolment.id)
    before = exercise_answers(enrolment, module).get((module, exercise))
    answer = answer_exercise(enrolment, module, exercise, words, by=by, now=now)
    if before is None or before.id != answer.id:
        _note(Act.ANSWERED_EXERCISE, enrolment, f"exercise:{module}/{exercise}", now)
        reconcile_prompts(enrolment, by=by, now=now, reason=Reason.ALREADY_DONE)
    return answer


def keep_entry(
    enrolment: Enrolment,
    tool: str,
    fields: Mapping[str, Any],
    *,
    is_shared: bool,
    posted_key: str,
    by: Actor,
    now: datetime,
    entry: Entry | None = None,
    version: int | None = None,
) -> Entry:
    """Saves a tool's entry; the first time, it also does the first planned practice of the open week with
    this tool.

    A practice that is not done yet after all can be set back to planned (`settle_item`). Raises
    `journal.operations.EntryChangedMeanwhile`.
    """
    hold_course(enrolment.id)
    is_first_time = (
        entry_posted_as(enrolment, posted_key) is None if entry is None else entry.finished_at is None
    )
    saved = save_entry(
        enrolment,
        tool,
        fields,
        is_shared=is_shared,
        posted_key=posted_key,
        by=by,
        now=now,
        entry=entry,
        version=version,
    )
    if is_first_time:
        _note(Act.SAVED_ENTRY, enrolment, f"tool:{tool}", now)
        _do_first(enrolment, {f"tool:{tool}", *_practice_with(enrolment, tool)}, by=by, now=now)
        reconcile_prompts(enrolment, by=by, now=now, reason=Reason.ALREADY_DONE)
    return saved


def finish_check_in(enrolment: Enrolment, *, by: Actor, now: datetime) -> FinishedCheckIn:
    """Every questionnaire of the open week is answered: the check-in is in, its reminder goes, its review
    opens.

    Raises `NoOpenWeek` or `measures.operations.CheckInIncomplete(missing)`. Done twice, it changes nothing.
    """
    hold_course(enrolment.id)
    week = open_week_of(enrolment)
    if week is None:
        raise NoOpenWeek
    known = finished_check_in(enrolment, week.number)
    if known is not None:
        return known
    finished = finish_check_in_rows(enrolment, week.number, by=by, now=now)
    _note(Act.FINISHED_CHECK_IN, enrolment, f"check_in:{enrolment.id}:{week.number}", now)
    reconcile_prompts(enrolment, by=by, now=now, reason=Reason.ALREADY_DONE)
    review = review_of_week(enrolment, week.number)
    if review is not None:
        open_review(review, by=by, now=now)
    return finished


def settle_item(item: PlanItem, state: ItemState, words: str = "", *, by: Actor, now: datetime) -> None:
    """Done, not this time (skipped), or planned again; raises `ItemIsSettled` when its week is closed.

    A check-in is done by answering it, never by hand. The same state with the same words changes nothing.
    """
    enrolment = db.session.get_one(Enrolment, item.enrolment_id)
    hold_course(enrolment.id)
    db.session.refresh(item)
    is_open = item.week.is_open and item.state is not ItemState.CARRIED_OVER
    if not is_open or item.kind is ItemKind.CHECK_IN or state not in MAY_BE_SETTLED_AS:
        raise ItemIsSettled
    if (item.state, item.patient_words) == (state, words):
        return
    _settle(enrolment, item, state, words, by=by, now=now)
    reconcile_prompts(enrolment, by=by, now=now, reason=Reason.ALREADY_DONE)


def tell_ready(enrolment: Enrolment, *, by: Actor, now: datetime) -> None:
    """*Tell Priya I'm ready*: a chip in *Today* that promises nothing; once a week, again is nothing."""
    week = open_week_of(enrolment)
    if week is None:
        raise NoOpenWeek
    if week.told_ready_at is None:
        mark_told_ready(week, by=by, now=now)


def _do_first(enrolment: Enrolment, subjects: set[str], *, by: Actor, now: datetime) -> bool:
    """Marks the first planned item about one of these subjects as done."""
    week: Week | None = open_week_of(enrolment)
    item = next(
        (
            one
            for one in (week.items if week else [])
            if one.subject in subjects and one.state is ItemState.PLANNED
        ),
        None,
    )
    if item is None:
        return False
    _settle(enrolment, item, ItemState.DONE, item.patient_words, by=by, now=now)
    return True


def _settle(
    enrolment: Enrolment, item: PlanItem, state: ItemState, words: str, *, by: Actor, now: datetime
) -> None:
    was_done = item.state is ItemState.DONE
    settle(item, state, words=words, by=by, now=now)
    if state is ItemState.DONE and not was_done:
        _note(Act.DID_PLAN_ITEM, enrolment, f"plan_item:{item.id}", now)


def _practice_with(enrolment: Enrolment, tool: str) -> set[str]:
    return {
        practice_subject(module.slug, practice.slug)
        for module in programme_of(enrolment).modules
        for practice in module.practice
        if practice.tool == tool
    }


def _note(act: Act, enrolment: Enrolment, subject: str, now: datetime) -> None:
    record_activity(
        act,
        service_id=enrolment.service_id,
        enrolment_id=enrolment.id,
        on=local_today(enrolment, now),
        now=now,
        subject=subject,
    )
