"""The reminders of a week follow its plan: owed when it opens, reconciled when anything of it moves."""

from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import select

from icbt_support.activity.models import Act, ActivityEvent
from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record
from icbt_support.cadence import to_utc
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.plan.models import ItemKind, Week
from icbt_support.plan.owed import (
    OwedReminder,
    PromptWishes,
    WeekItem,
    WeekToRemind,
    emailed_sessions,
    reminders_of_week,
)
from icbt_support.plan.queries import items_with_state, open_week_of
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.operations import owe_reminder, withdraw_reminders
from icbt_support.reminders.rules import Channel, ReminderKind, ReminderState
from icbt_support.reviews.queries import review_of_week

WEEK_KINDS = (ReminderKind.AGREED_STEP, ReminderKind.CHECK_IN, ReminderKind.SESSION, ReminderKind.NUDGE)
DOING = (
    Act.READ_PAGE,
    Act.ANSWERED_EXERCISE,
    Act.SAVED_ENTRY,
    Act.FINISHED_CHECK_IN,
    Act.DID_PLAN_ITEM,
)
PLAN_CHANGED = "the plan changed"


@dataclass(frozen=True)
class Reconciled:
    """How many reminders were newly owed and how many withdrawn."""

    owed: int
    withdrawn: int


def reconcile_prompts(
    enrolment: Enrolment, *, by: Actor, now: datetime, reason: str = PLAN_CHANGED
) -> Reconciled:
    """Owes what the open week owes now and withdraws what it no longer owes; every verb that moves a week
    ends here.

    Call it after a change of preferences, zone, state, times or dates. With no open week, or when the course
    is not in rhythm, everything of it is withdrawn. `reason` is kept with what is withdrawn.
    """
    week = open_week_of(enrolment)
    if week is None or not enrolment.is_in_rhythm:
        return Reconciled(0, withdraw_prompts(enrolment, reason=reason, now=now))
    wishes = wishes_of(enrolment)
    seen = _week_to_remind(enrolment, week)
    _mark_emailed(week, seen, wishes)
    standing = _standing(enrolment)
    wanted = reminders_of_week(seen, wishes, now=now, already_owed=frozenset(standing))
    for reminder in wanted:
        if _signature(reminder) != standing.get(reminder.key):
            _owe(enrolment, reminder, now)
    unwanted = standing.keys() - {reminder.key for reminder in wanted}
    for key in sorted(unwanted):
        withdraw_reminders(now=now, reason=reason, key=key)
    reconciled = Reconciled(sum(reminder.key not in standing for reminder in wanted), len(unwanted))
    if reconciled.owed or reconciled.withdrawn:
        record(
            "reconciled_reminders",
            by=by,
            now=now,
            object_kind="week",
            object_id=week.id,
            enrolment_id=enrolment.id,
            service_id=enrolment.service_id,
            detail=f"{reconciled.owed} owed, {reconciled.withdrawn} withdrawn: {reason}",
        )
    return reconciled


def withdraw_prompts(enrolment: Enrolment, *, reason: str, now: datetime) -> int:
    """Withdraws every prompt of the course (paused, away, ended); news from people stays."""
    return withdraw_reminders(now=now, reason=reason, context=f"enrolment:{enrolment.id}", kinds=WEEK_KINDS)


def wishes_of(enrolment: Enrolment) -> PromptWishes:
    """What the patient chose about prompts, and their zone."""
    chosen = enrolment.patient.preferences
    return PromptWishes(
        zone=enrolment.patient.zone,
        prompts=chosen.prompts,
        session_email=chosen.session_email,
        session_lead_minutes=chosen.session_lead_minutes,
        check_in_time=chosen.check_in_time,
        quiet_from=chosen.quiet_from,
        quiet_until=chosen.quiet_until,
    )


Signature = tuple[date | None, time | None, str | None, datetime | None]


def _standing(enrolment: Enrolment) -> dict[str, Signature]:
    rows = db.session.scalars(
        select(Reminder)
        .where(
            Reminder.context == f"enrolment:{enrolment.id}",
            Reminder.kind.in_(WEEK_KINDS),
            Reminder.channel == Channel.EMAIL,
            Reminder.state.in_([ReminderState.OWED, ReminderState.CLAIMED]),
        )
        .execution_options(populate_existing=True)
    )
    return {row.key: (row.wall_on, row.wall_at, row.wall_zone, row.expires_at) for row in rows}


def _signature(reminder: OwedReminder) -> Signature:
    return reminder.wall.on, reminder.wall.at, reminder.wall.zone, reminder.expires_at


def _owe(enrolment: Enrolment, reminder: OwedReminder, now: datetime) -> None:
    owe_reminder(
        key=reminder.key,
        kind=reminder.kind,
        recipient_id=enrolment.patient_id,
        service_id=enrolment.service_id,
        subject=reminder.subject,
        context=f"enrolment:{enrolment.id}",
        due_at=reminder.due_at,
        expires_at=reminder.expires_at,
        wall=reminder.wall,
        now=now,
    )


def _week_to_remind(enrolment: Enrolment, week: Week) -> WeekToRemind:
    review = review_of_week(enrolment, week.number)
    return WeekToRemind(
        enrolment_id=enrolment.id,
        number=week.number,
        opened_on=week.opened_on,
        promised_at=review.promised_at if review else _end_of_week(enrolment, week),
        items=[
            WeekItem(now.item.id, now.item.kind, now.item.planned_on, now.item.planned_time, now.is_planned)
            for now in items_with_state(week)
        ],
        is_anything_done=_is_anything_done(enrolment, week),
    )


def _end_of_week(enrolment: Enrolment, week: Week) -> datetime:
    return to_utc(week.review_on, enrolment.service.promised_time, enrolment.patient.zone)


def _is_anything_done(enrolment: Enrolment, week: Week) -> bool:
    return (
        db.session.scalar(
            select(ActivityEvent.id)
            .where(
                ActivityEvent.enrolment_id == enrolment.id,
                ActivityEvent.at >= week.opened_at,
                ActivityEvent.act.in_(DOING),
            )
            .limit(1)
        )
        is not None
    )


def _mark_emailed(week: Week, seen: WeekToRemind, wishes: PromptWishes) -> None:
    """The plan says about each session whether an email comes, as the reminders do."""
    emailed = emailed_sessions(seen, wishes)
    for item in week.items:
        if item.kind is ItemKind.SESSION and item.is_emailed != (item.id in emailed):
            item.is_emailed = item.id in emailed
    db.session.flush()
