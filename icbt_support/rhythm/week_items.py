"""What a person's next week holds: which sessions, which practice, and what is carried on."""

from datetime import date, datetime, time, timedelta

from icbt_support.cadence import to_local
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.queries import pages_read
from icbt_support.plan.models import ItemKind, ItemState, Week
from icbt_support.plan.queries import latest_week_of
from icbt_support.plan.rules import (
    CarriedItem,
    CheckInChoice,
    ChosenTime,
    PlannedItem,
    StepChoice,
    propose_week,
    with_its_minutes,
)
from icbt_support.programme.content import Module, Programme
from icbt_support.programme.library import find_programme

ONE_DAY = timedelta(days=1)


class UnknownModule(Exception):
    """The person's programme has no such module."""


def items_of_next_week(
    enrolment: Enrolment,
    module: str,
    *,
    review_on: date,
    step: StepChoice | None,
    now: datetime,
    sessions_a_week: int | None = None,
) -> tuple[PlannedItem, ...]:
    """What a week with this module would hold if it opened now, at the person's pace or at the given one; reads
    only.
    """
    content = _programme_of(enrolment).module(module)
    if content is None:
        raise UnknownModule(module)
    preferences = enrolment.patient.preferences
    opens = _first_moment(enrolment, now)
    return propose_week(
        content,
        opens_on=opens.date(),
        opens_after=opens.time(),
        review_on=review_on,
        session_times=[ChosenTime(one.weekday, one.at) for one in enrolment.session_times],
        session_email=preferences.session_email,
        check_in=check_in_choice(enrolment),
        step=with_its_minutes(step, _programme_of(enrolment)) if step is not None else None,
        sessions_a_week=enrolment.sessions_a_week if sessions_a_week is None else sessions_a_week or None,
        sessions_read=sessions_read(enrolment, content),
        carried=_undone_items(latest_week_of(enrolment)),
    )


def _first_moment(enrolment: Enrolment, now: datetime) -> datetime:
    """Now where the person is; for somebody who is away, the morning on which they are back."""
    here = to_local(now, enrolment.patient.zone)
    away_until_on = enrolment.away_until_on
    if away_until_on is None or away_until_on < here.date():
        return here
    return datetime.combine(away_until_on + ONE_DAY, time())


def check_in_choice(enrolment: Enrolment) -> CheckInChoice:
    """When this person's check-in opens and is asked, and how long it takes."""
    rhythm = enrolment.service.rhythm
    programme = _programme_of(enrolment)
    return CheckInChoice(
        opens_days=rhythm.check_in_opens_days,
        asked_days=rhythm.check_in_asked_days,
        at=enrolment.patient.preferences.check_in_time,
        minutes=sum(programme.measures[slug].minutes for slug in programme.check_in),
    )


def sessions_read(enrolment: Enrolment, module: Module) -> set[str]:
    """The sessions of a module of which every page was read."""
    read = {page for _, page in pages_read(enrolment, module.slug)}
    return {session.slug for session in module.sessions if read.issuperset(session.pages)}


def was_opened(enrolment: Enrolment, module: str) -> bool:
    """Whether the person read any page of the module."""
    return bool(pages_read(enrolment, module))


def is_worked_through(enrolment: Enrolment, module: str) -> bool:
    """Whether the next module may open: this one was opened or, at a slower pace, all its sessions were read."""
    content = _programme_of(enrolment).module(module)
    if enrolment.sessions_a_week is None or content is None:
        return was_opened(enrolment, module)
    return len(sessions_read(enrolment, content)) == len(content.sessions)


def _undone_items(week: Week | None) -> list[CarriedItem]:
    return [
        CarriedItem(
            item.id,
            item.kind,
            item.subject,
            item.title,
            item.why,
            item.planned_on,
            item.planned_time,
            item.minutes,
        )
        for item in (week.items if week else [])
        if item.state is ItemState.PLANNED and item.kind is not ItemKind.CHECK_IN
    ]


def _programme_of(enrolment: Enrolment) -> Programme:
    return find_programme(enrolment.programme_slug, enrolment.programme_version)
