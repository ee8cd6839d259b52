"""One owed review, decided by a clinician: a named colleague writes it, or a late one is closed with a reason."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from sqlalchemy.orm import joinedload
from werkzeug import Response
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Account, Role
from icbt_support.cadence import to_local
from icbt_support.hours.queries import cover_pool, is_absent
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText
from icbt_support.pages.guards import (
    allow,
    clinician_actor,
    current_account,
    note_staff_read,
    refuse_record,
    request_time,
)
from icbt_support.pages.kit import day_and_time, long_day
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.reviews.rules import ReviewAlreadySent, ReviewNotOwed
from icbt_support.rhythm.handover import AlreadyTheirs, NewOwnerIsAway, NotInThisRole, give_review
from icbt_support.rhythm.lateness import close_missed

blueprint = Blueprint("clinician_owed_review", __name__)
View = Response | str | tuple[str, int]


class WriterForm(FlaskForm):
    writer = SelectField("Who writes it", validators=[InputRequired("Select who writes it")])


class CloseForm(FlaskForm):
    reason = LongText("Why nobody writes it", missing="Write why nobody writes this review")


@blueprint.get("/clinical/reviews/<id:review_id>/decide")
@allow(Role.CLINICIAN)
def show(review_id: int) -> str:
    review = _clinical_review(review_id)
    return _page(review, _writers(WriterForm(formdata=None), review), CloseForm(formdata=None))


@blueprint.post("/clinical/reviews/<id:review_id>/decide/writer")
@allow(Role.CLINICIAN)
@commits
def ask(review_id: int) -> View:
    """A named colleague owes it from now on."""
    review = _clinical_review(review_id)
    form = _writers(WriterForm(), review)
    if not form.validate_on_submit():
        return _page(review, form, CloseForm(formdata=None)), 422
    writer = next((one for one in _pool(review) if str(one.id) == form.writer.data), None)
    try:
        if writer is None:
            raise NotInThisRole
        give_review(review, writer, by=clinician_actor(review.enrolment), now=request_time())
    except NewOwnerIsAway as refusal:
        form.writer.errors = [f"Away until {long_day(refusal.absence.until_on)}. Select somebody else"]
        return _page(review, form, CloseForm(formdata=None)), 409
    except (AlreadyTheirs, NotInThisRole, ReviewAlreadySent, ReviewNotOwed):
        flash("This review has changed meanwhile. Look again.", "information")
        return _back(review)
    told = (
        f"The patient reads the new day once {writer.called} has given one."
        if review.is_late(request_time())
        else f"The patient is told that {writer.called} writes. The day stays."
    )
    flash(f"{writer.full_name} owes this review now, and is told. {told}", "success")
    return _back(review)


@blueprint.post("/clinical/reviews/<id:review_id>/decide/close")
@allow(Role.CLINICIAN)
@commits
def close(review_id: int) -> View:
    """Nobody writes it; only a late one can be closed."""
    review, form = _clinical_review(review_id), CloseForm()
    if not review.is_late(request_time()):
        flash("Only a review that is late can be closed.", "information")
        return _back(review)
    if not form.validate_on_submit():
        return _page(review, _writers(WriterForm(formdata=None), review), form), 422
    try:
        close_missed(review, form.reason.data, by=clinician_actor(review.enrolment), now=request_time())
    except (ReviewAlreadySent, ReviewNotOwed):
        flash("This review has changed meanwhile. Look again.", "information")
    else:
        flash("The review is closed. The next one keeps its date, and the reason is kept.", "success")
    return _back(review)


def _back(review: Review) -> Response:
    return redirect(url_for("clinician_decisions.show", enrolment_id=review.enrolment_id))


def _pool(review: Review) -> list[Account]:
    """Who is there on the day on which it is to be written."""
    return cover_pool(review.service_id, review.written_on(review.enrolment.service.zone, request_time()))


def _writers(form: WriterForm, review: Review) -> WriterForm:
    form.writer.choices = [
        SelectChoice("", "Select a colleague"),
        *(
            SelectChoice(str(one.id), one.full_name)
            for one in _pool(review)
            if (one.id != review.owner_id or review.pooled_at is not None)
            and one.id != review.enrolment.patient_id
        ),
    ]
    return form


def _clinical_review(review_id: int) -> Review:
    """A review of a service where the signed-in person is a clinician; 404 otherwise. The read is audited."""
    scope = reviews.for_clinician(current_account()).options(joinedload(Review.owner))
    review = reviews.scoped_review(scope, review_id)
    if review is None:
        refuse_record("review", review_id, Role.CLINICIAN)
    note_staff_read(review.enrolment, Role.CLINICIAN)
    return review


def _page(review: Review, form: WriterForm, close_form: CloseForm) -> str:
    now, zone = request_time(), current_account().zone
    return render_template(
        "clinician/owed_review.html",
        review=review,
        patient=review.enrolment.patient,
        form=form,
        close_form=close_form,
        posted=next((one for one in (form, close_form) if one.errors), None),
        promised=day_and_time(to_local(review.promised_at, zone)),
        is_late=review.is_late(now),
        is_welcome=review.kind is ReviewKind.WELCOME,
        is_owner_away=is_absent(review.owner_id, review.written_on(review.owner.zone, now)) is not None,
    )
