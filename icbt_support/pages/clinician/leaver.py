"""Everything that hangs on one member of staff, on one page: each gets a new named owner, in one step."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug import Response

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import staff_member_of, staff_with_role
from icbt_support.audit.models import Actor
from icbt_support.boosters.models import Booster
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.queries import rooms_of_supporters
from icbt_support.hours.models import Absence
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import long_day
from icbt_support.pages.reads import note_read
from icbt_support.pages.room_words import room_words
from icbt_support.reviews.claims import end_claims_of
from icbt_support.reviews.models import Review
from icbt_support.reviews.rules import LetterRefused
from icbt_support.rhythm.booster import NoBooster, give_booster_to
from icbt_support.rhythm.handover import (
    AlreadyTheirs,
    Hanging,
    NewOwnerIsAway,
    NotInThisRole,
    give_cover,
    give_review,
    give_to_clinician,
    hand_over,
    what_hangs_on,
)
from icbt_support.rhythm.invite import welcome_due_on
from icbt_support.risk.handing_over import give_alert_to
from icbt_support.risk.models import RiskAlert
from icbt_support.service.models import Service

blueprint = Blueprint("clinician_leaver", __name__)
EVERYONE = "everyone"
POOL = "pool"
View = Response | str | tuple[str, int]


@dataclass(frozen=True)
class Part:
    """One thing with a choice of its new owner: its field, what it is, and what is done with the choice."""

    name: str
    words: str
    along: str
    choices: list[tuple[str, str]]
    give: Callable[[Account | None], None]
    is_patient: bool = False


@blueprint.get("/clinical/team/<id:account_id>/hand-over")
@allow(Role.CLINICIAN)
def show(account_id: int) -> str:
    return _page(_member(account_id), {})


@blueprint.post("/clinical/team/<id:account_id>/hand-over")
@allow(Role.CLINICIAN)
@commits
def give(account_id: int) -> View:
    """Gives every chosen thing to its new owner, all of them or none."""
    account, service = _member(account_id), current_service(Role.CLINICIAN)
    people = _people(service)
    errors: dict[str, str] = {}
    given = 0
    for part in _parts(account, service):
        value = _chosen(part)
        if not value:
            continue
        if value not in dict(part.choices):
            abort(400)
        error = _try(part, None if value == POOL else people[value])
        if error:
            errors[part.name] = error
        given += 1
    if errors:
        db.session.rollback()
        return _page(_member(account_id), errors), 409
    end_claims_of(account.id, service.id, now=request_time())
    left = not what_hangs_on(account, now=request_time()).in_service(service.id).is_nothing
    flash(_done_words(account, given, is_something_left=left), "success" if given else "information")
    return redirect(url_for("clinician_leaver.show", account_id=account.id))


def _try(part: Part, to: Account | None) -> str:
    try:
        part.give(to)
    except NewOwnerIsAway as refusal:
        name = to.called if to else "This colleague"
        return f"{name} is away until {long_day(refusal.absence.until_on)} and a review is owed. Select somebody else"
    except (AlreadyTheirs, NoBooster, NotInThisRole, LetterRefused):
        return "This has changed meanwhile. Look again"
    return ""


def _done_words(account: Account, given: int, *, is_something_left: bool) -> str:
    if not given:
        return "Nothing was selected, so nothing has changed."
    if is_something_left:
        return "Handed over. The rest is below."
    return f"Handed over. Nothing is left with {account.called}: an administrator can close the account."


def _chosen(part: Part) -> str:
    own = request.form.get(part.name, "")
    return own or (request.form.get(EVERYONE, "") if part.is_patient else "")


def _parts(account: Account, service: Service) -> list[Part]:
    """Everything of this service that hangs on the person, in the order in which it is shown and given.

    A reader who is a patient here does not hand themselves over: another clinician does.
    """
    me = current_account().id
    hanging = what_hangs_on(account, now=request_time()).in_service(service.id)
    supporters = _supporter_choices(account, service)
    clinicians = [
        (str(one.id), one.full_name)
        for one in staff_with_role(service.id, Role.CLINICIAN)
        if one.id != account.id
    ]
    return [
        *(
            Part(
                f"patient_{course.id}",
                course.patient.full_name,
                _goes_along(hanging, course),
                supporters,
                partial(_give_person, course),
                is_patient=True,
            )
            for course in hanging.patients
            if course.patient_id != me
        ),
        *(
            Part(
                f"review_{review.id}",
                f"Review for {review.enrolment.patient.full_name}, due {long_day(review.due_on)}",
                "With its draft" if review.draft is not None else "",
                supporters,
                partial(_give_review, review),
            )
            for review in hanging.reviews_of_others
            if review.enrolment.patient_id != me
        ),
        *(
            Part(
                f"cover_{absence.id}",
                f"Cover from {long_day(absence.from_on)} to {long_day(absence.until_on)}",
                "",
                [(POOL, "The pool"), *supporters],
                partial(_give_cover, absence),
            )
            for absence in hanging.covers
        ),
        *(
            Part(
                f"clinical_{course.id}",
                f"{course.patient.full_name}, as clinician",
                "",
                clinicians,
                partial(_give_to_clinician, course),
            )
            for course in hanging.clinical_patients
            if course.patient_id != me
        ),
        *(
            Part(
                f"alert_{alert.id}",
                f"Open alert about {alert.enrolment.patient.full_name}",
                "Stays open, with everything that was written",
                clinicians,
                partial(_give_alert, alert),
            )
            for alert in hanging.taken_alerts
            if alert.enrolment.patient_id != me
        ),
        *(
            Part(
                f"booster_{booster.id}",
                f"Check-in after the course of {booster.enrolment.patient.full_name}",
                "Its answers wait to be read",
                clinicians,
                partial(_give_booster, booster),
            )
            for booster in hanging.boosters
            if booster.enrolment.patient_id != me
        ),
    ]


def _give_person(course: Enrolment, to: Account | None) -> None:
    hand_over(course, _named(to), by=_actor(course.service), now=request_time())


def _give_review(review: Review, to: Account | None) -> None:
    give_review(review, _named(to), by=_actor(review.enrolment.service), now=request_time())


def _give_cover(absence: Absence, to: Account | None) -> None:
    give_cover(absence, to, by=_actor(current_service(Role.CLINICIAN)), now=request_time())


def _give_to_clinician(course: Enrolment, to: Account | None) -> None:
    give_to_clinician(course, _named(to), by=_actor(course.service), now=request_time())


def _give_alert(alert: RiskAlert, to: Account | None) -> None:
    give_alert_to(alert, _named(to).id, by=_actor(alert.enrolment.service), now=request_time())


def _give_booster(booster: Booster, to: Account | None) -> None:
    by = _actor(current_service(Role.CLINICIAN))
    give_booster_to(booster, _named(to).id, by=by, now=request_time())


def _named(to: Account | None) -> Account:
    """Only cover can go to the pool."""
    if to is None:
        abort(400)
    return to


def _goes_along(hanging: Hanging, course: Enrolment) -> str:
    reviews = [review for review in hanging.reviews if review.enrolment_id == course.id]
    counted = (
        (len(reviews), "owed review", "owed reviews"),
        (sum(review.draft is not None for review in reviews), "draft", "drafts"),
        (
            sum(message.enrolment_id == course.id for message in hanging.messages),
            "unread message",
            "unread messages",
        ),
        (sum(alert.enrolment_id == course.id for alert in hanging.alerts), "open alert", "open alerts"),
    )
    words = [f"{count} {one if count == 1 else many}" for count, one, many in counted if count]
    return f"Goes along: {', '.join(words)}" if words else ""


def _supporter_choices(account: Account, service: Service) -> list[tuple[str, str]]:
    now = request_time()
    rooms = rooms_of_supporters(service, welcome_on=welcome_due_on(service, now), now=now)
    people = {one.id: one for one in staff_with_role(service.id, Role.SUPPORTER) if one.id != account.id}
    with_slots = [room for room in rooms if room.supporter_id in people]
    named = {room.supporter_id for room in with_slots}
    return [
        *(
            (str(room.supporter_id), f"{people[room.supporter_id].full_name}: {room_words(room)}")
            for room in with_slots
        ),
        *(
            (str(one.id), f"{one.full_name}: no protected review times")
            for one in people.values()
            if one.id not in named
        ),
    ]


def _people(service: Service) -> dict[str, Account]:
    staff = (*staff_with_role(service.id, Role.SUPPORTER), *staff_with_role(service.id, Role.CLINICIAN))
    return {str(one.id): one for one in staff}


def _page(account: Account, errors: dict[str, str]) -> str:
    service, now = current_service(Role.CLINICIAN), request_time()
    note_read("read_what_hangs_on", by=_actor(service), now=now, object_kind="account", object_id=account.id)
    parts = _parts(account, service)
    hanging = what_hangs_on(account, now=now).in_service(service.id)
    return render_template(
        "clinician/leaver.html",
        account=account,
        patients=[part for part in parts if part.is_patient],
        others=[part for part in parts if not part.is_patient],
        supporters=_supporter_choices(account, service),
        chosen=request.form,
        errors=errors,
        duty=len(hanging.duty),
        is_nothing=hanging.is_nothing,
    )


def _member(account_id: int) -> Account:
    """Somebody who holds or held a staff role in the clinician's service; 404 otherwise."""
    account = staff_member_of(current_service(Role.CLINICIAN).id, account_id)
    if account is None:
        abort(404)
    return account


def _actor(service: Service) -> Actor:
    return current_actor(Role.CLINICIAN, service.id)
