"""A supporter's own hours: the protected week, its slots, and reviews of the pool that can be taken."""

from flask import Blueprint, abort, flash, redirect, url_for
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.hours.operations import SlotOverlaps, SlotTooShort, add_review_slot, end_review_slot
from icbt_support.hours.queries import review_slots_of
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import parse_time
from icbt_support.pages.guards import allow, current_account, current_service, request_time, supporter_actor
from icbt_support.pages.kit import long_day
from icbt_support.pages.supporter.hours_page import SlotForm, hours_actor, render_hours
from icbt_support.pages.supporter.review_scope import caseload_review
from icbt_support.reviews.rules import ReviewAlreadySent, ReviewNotOwed
from icbt_support.rhythm.handover import AlreadyTheirs, NewOwnerIsAway, NotInThisRole, take_from_pool

blueprint = Blueprint("supporter_hours", __name__)
View = Response | str | tuple[str, int]


@blueprint.get("/supporting/hours")
@allow(Role.SUPPORTER)
def show() -> str:
    return render_hours()


@blueprint.post("/supporting/hours/slots")
@allow(Role.SUPPORTER)
@commits
def add_slot() -> View:
    form, service = SlotForm(), current_service(Role.SUPPORTER)
    if not form.validate_on_submit():
        return render_hours(slot_form=form)
    try:
        add_review_slot(
            current_account().id,
            service_id=service.id,
            weekday=int(form.weekday.data),
            starts=parse_time(form.starts.data),
            ends=parse_time(form.ends.data),
            minutes_per_review=int(form.minutes.data),
            by=hours_actor(service),
            now=request_time(),
        )
    except SlotTooShort:
        form.ends.errors = ["Select a later time, so that one review fits"]
        return render_hours(slot_form=form), 422
    except SlotOverlaps:
        form.starts.errors = ["You have a slot at that time. Select another time"]
        return render_hours(slot_form=form), 422
    flash("The slot is yours. Patients can choose it from now on.", "success")
    return redirect(url_for("supporter_hours.show"))


@blueprint.post("/supporting/hours/slots/<id:slot_id>/end")
@allow(Role.SUPPORTER)
@commits
def end_slot(slot_id: int) -> Response:
    service = current_service(Role.SUPPORTER)
    slot = next((s for s in review_slots_of(current_account().id, service.id) if s.id == slot_id), None)
    if slot is None:
        abort(404)
    end_review_slot(slot, by=hours_actor(service), now=request_time())
    flash("No new reviews are booked there. The ones that are booked stay.", "success")
    return redirect(url_for("supporter_hours.show"))


@blueprint.post("/supporting/reviews/<id:review_id>/take")
@allow(Role.SUPPORTER)
@commits
def take(review_id: int) -> Response:
    """A colleague who was told of it writes this review, on the day that the patient was told."""
    review = caseload_review(review_id)
    is_taken = review.pooled_at is None and review.owner_id != review.enrolment.supporter_id
    if is_taken:
        flash("Somebody has taken this review meanwhile.", "information")
        return redirect(url_for("supporter_hours.show"))
    if review.is_late(request_time()):
        return redirect(url_for("supporter_late_review.show", review_id=review.id))
    try:
        take_from_pool(review, current_account(), by=supporter_actor(review.enrolment), now=request_time())
    except NewOwnerIsAway as refusal:
        flash(
            f"You are away until {long_day(refusal.absence.until_on)}, so it stays with the pool.", "problem"
        )
    except (AlreadyTheirs, NotInThisRole, ReviewAlreadySent, ReviewNotOwed):
        flash("Somebody has taken this review meanwhile.", "information")
    else:
        flash(
            f"You write this review on {long_day(review.due_on)}. The patient is told.",
            "success",
        )
    return redirect(url_for("supporter_hours.show"))
