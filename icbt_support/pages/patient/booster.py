"""The check-in after the course, as the patient sees it: what comes, when, who reads it, and a way to say no."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, url_for
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.boosters.models import Booster, BoosterState
from icbt_support.boosters.queries import booster_of
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time
from icbt_support.pages.kit import long_day
from icbt_support.rhythm.booster import (
    NoBooster,
    decline_booster,
    is_booster_open,
    reader_words,
    reading_is_late,
)
from icbt_support.rhythm.week_items import check_in_choice

blueprint = Blueprint("patient_booster", __name__)


@dataclass(frozen=True)
class BoosterPanel:
    """What the home page says about it; `is_open` while it can be answered."""

    is_open: bool
    can_be_declined: bool
    until: str
    minutes: int
    sentences: tuple[str, ...]


@blueprint.post("/after-course/no")
@allow(Role.PATIENT)
@commits
def decline() -> Response:
    enrolment = my_enrolment()
    try:
        decline_booster(enrolment, by=patient_actor(enrolment), now=request_time())
    except NoBooster:
        flash("There is nothing to say no to. No questions are planned.", "information")
    else:
        flash("That is fine. We will not ask.", "success")
    return redirect(url_for("patient_week.show"))


def booster_panel(enrolment: Enrolment, *, now: datetime) -> BoosterPanel | None:
    """None where no check-in follows this course, or no longer."""
    booster = booster_of(enrolment)
    if booster is None:
        return None
    is_open = is_booster_open(enrolment, booster, now=now)
    if not is_open and booster.state in (BoosterState.DECLINED, BoosterState.LAPSED):
        return None
    return BoosterPanel(
        is_open=is_open,
        can_be_declined=booster.can_be_declined,
        until=long_day(booster.open_until_on),
        minutes=check_in_choice(enrolment).minutes,
        sentences=_sentences(enrolment, booster, is_open, now),
    )


def _sentences(enrolment: Enrolment, booster: Booster, is_open: bool, now: datetime) -> tuple[str, ...]:
    if is_open:
        return ("A few questions. We ask only this once.", reader_words(enrolment, now=now))
    if booster.can_be_declined:
        minutes = check_in_choice(enrolment).minutes
        return (
            f"On {long_day(booster.due_on)} we ask you once how you are. It takes about {minutes} minutes.",
            f"{enrolment.supporter.called} reads your answers. You can say no, and nothing happens.",
        )
    late = reading_is_late(booster, now=now)
    return ("Thank you. Your answers are in.", *(late or (reader_words(enrolment, now=now),)))
