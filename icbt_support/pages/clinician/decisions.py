"""What a clinician decides about one course: invite again, close, hand over, pause, resume, cadence, end."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.cadence import to_local
from icbt_support.enrolments.models import END_CODE_WORDS, EndCode, Enrolment, EnrolmentState
from icbt_support.enrolments.queries import changes_of, local_today
from icbt_support.enrolments.refusals import NotPossibleNow
from icbt_support.enrolments.rules import day_of_invitation
from icbt_support.hours.queries import next_free_times
from icbt_support.hours.refusals import TimeNotFree
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import LongText
from icbt_support.pages.guards import allow, clinical_enrolment, clinician_actor, request_time
from icbt_support.pages.kit import day_and_time, long_day
from icbt_support.plan.queries import latest_week_of
from icbt_support.programme.library import find_programme
from icbt_support.reviews.queries import reviews_of
from icbt_support.reviews.rules import LetterRefused
from icbt_support.rhythm.away import pause_course, resume_course
from icbt_support.rhythm.ending import CodeDoesNotFit, change_cadence_and_tell, codes_that_fit, end_course
from icbt_support.rhythm.handover import AlreadyTheirs, NewOwnerIsAway, NotInThisRole, hand_over
from icbt_support.rhythm.invite import AlreadyStarted, can_be_invited_again, reinvite

blueprint = Blueprint("clinician_decisions", __name__)

OFFERED_TIMES = 8
View = Response | str | tuple[str, int]


class EndForm(FlaskForm):
    end_code = RadioField(
        "Why does this course end?", validators=[InputRequired("Select why the course ends")]
    )
    end_reason = LongText("The reason, in words", missing="Write the reason in a sentence")


class HandOverForm(FlaskForm):
    to_supporter = SelectField("New supporter", validators=[InputRequired("Select the new supporter")])
    hand_over_reason = LongText("Why (optional)")


class PauseForm(FlaskForm):
    pause_reason = LongText("Why", missing="Write why the course pauses")


class ResumeForm(FlaskForm):
    module = SelectField("What opens")
    review_at = SelectField("Next review")


class CadenceForm(FlaskForm):
    cadence = RadioField(
        "How often is a review written?",
        choices=[SelectChoice("7", "Every week"), SelectChoice("14", "Every two weeks")],
    )


class Decisions:
    """The forms that fit a course now; the one that was posted shows its errors."""

    def __init__(self, enrolment: Enrolment, now: datetime) -> None:
        self.end = EndForm(formdata=None)
        self.hand_over = HandOverForm(formdata=None)
        self.pause = PauseForm(formdata=None)
        self.resume = ResumeForm(formdata=None)
        self.cadence = CadenceForm(formdata=None, cadence=str(enrolment.cadence_days))
        self._offer(enrolment, now)

    def bind(self, name: str, form: FlaskForm, enrolment: Enrolment, now: datetime) -> FlaskForm:
        setattr(self, name, form)
        self._offer(enrolment, now)
        return form

    def _offer(self, enrolment: Enrolment, now: datetime) -> None:
        self.end.end_code.choices = [
            SelectChoice(code.value, END_CODE_WORDS[code]) for code in codes_that_fit(enrolment)
        ]
        self.hand_over.to_supporter.choices = [
            SelectChoice(str(account.id), account.full_name)
            for account in staff_with_role(enrolment.service_id, Role.SUPPORTER)
            if account.id not in (enrolment.supporter_id, enrolment.patient_id)
        ]
        programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
        self.resume.module.choices = [
            SelectChoice(module.slug, f"Module {module.number}: {module.title}")
            for module in programme.modules
        ]
        self.resume.review_at.choices = _review_times(enrolment, now)


@blueprint.get("/clinical/patients/<id:enrolment_id>/decide")
@allow(Role.CLINICIAN)
def show(enrolment_id: int) -> str:
    enrolment = clinical_enrolment(enrolment_id)
    decisions = Decisions(enrolment, request_time())
    last = latest_week_of(enrolment)
    if last is not None:
        decisions.resume.module.data = last.module
    return _page(enrolment, decisions)


@blueprint.post("/clinical/patients/<id:enrolment_id>/decide/end")
@allow(Role.CLINICIAN)
@commits
def end(enrolment_id: int) -> View:
    def decide(enrolment: Enrolment, form: EndForm) -> str:
        code = EndCode(form.end_code.data)
        end_course(
            enrolment, code, reason=form.end_reason.data, by=clinician_actor(enrolment), now=request_time()
        )
        return "The course has ended. Open alerts stay open until a person resolves them."

    return _decide(enrolment_id, "end", EndForm(), decide)


@blueprint.post("/clinical/patients/<id:enrolment_id>/decide/hand-over")
@allow(Role.CLINICIAN)
@commits
def give(enrolment_id: int) -> View:
    def decide(enrolment: Enrolment, form: HandOverForm) -> str:
        people = {str(one.id): one for one in staff_with_role(enrolment.service_id, Role.SUPPORTER)}
        supporter = people[form.to_supporter.data]
        done = hand_over(
            enrolment,
            supporter,
            reason=form.hand_over_reason.data,
            by=clinician_actor(enrolment),
            now=request_time(),
        )
        return (
            f"{supporter.full_name} is the supporter now. Went along: {_count(done.reviews, 'owed review')}, "
            f"{_count(done.messages, 'unread message')}, {_count(done.alerts, 'open alert')}."
        )

    return _decide(enrolment_id, "hand_over", HandOverForm(), decide)


@blueprint.post("/clinical/patients/<id:enrolment_id>/decide/pause")
@allow(Role.CLINICIAN)
@commits
def pause(enrolment_id: int) -> View:
    def decide(enrolment: Enrolment, form: PauseForm) -> str:
        pause_course(
            enrolment, reason=form.pause_reason.data, by=clinician_actor(enrolment), now=request_time()
        )
        return "The course is paused. No reminders go out and no review is owed."

    return _decide(enrolment_id, "pause", PauseForm(), decide)


@blueprint.post("/clinical/patients/<id:enrolment_id>/decide/resume")
@allow(Role.CLINICIAN)
@commits
def resume(enrolment_id: int) -> View:
    def decide(enrolment: Enrolment, form: ResumeForm) -> str:
        week = resume_course(
            enrolment,
            module=form.module.data,
            review_at=datetime.fromisoformat(form.review_at.data),
            by=clinician_actor(enrolment),
            now=request_time(),
        )
        return f"Week {week.number} is open. Its review is promised for {long_day(week.review_on)}."

    return _decide(enrolment_id, "resume", ResumeForm(), decide)


@blueprint.post("/clinical/patients/<id:enrolment_id>/decide/cadence")
@allow(Role.CLINICIAN)
@commits
def set_cadence(enrolment_id: int) -> View:
    def decide(enrolment: Enrolment, form: CadenceForm) -> str:
        change_cadence_and_tell(
            enrolment, int(form.cadence.data), by=clinician_actor(enrolment), now=request_time()
        )
        return "From the next review on, the new rhythm holds. The promised date stays."

    return _decide(enrolment_id, "cadence", CadenceForm(), decide)


@blueprint.post("/clinical/patients/<id:enrolment_id>/decide/invite-again")
@allow(Role.CLINICIAN)
@commits
def invite_again(enrolment_id: int) -> Response:
    enrolment = clinical_enrolment(enrolment_id)
    try:
        reinvite(enrolment, by=clinician_actor(enrolment), now=request_time())
    except AlreadyStarted:
        flash("This person has started, so there is nothing to send again.", "information")
    else:
        flash("A new invitation is on its way.", "success")
    return redirect(url_for("clinician_decisions.show", enrolment_id=enrolment.id))


def _decide(
    enrolment_id: int, name: str, form: FlaskForm, decide: Callable[[Enrolment, FlaskForm], str]
) -> View:
    enrolment = clinical_enrolment(enrolment_id)
    decisions = Decisions(enrolment, request_time())
    decisions.bind(name, form, enrolment, request_time())
    if not form.validate_on_submit():
        return _page(enrolment, decisions)
    try:
        words = decide(enrolment, form)
    except (NotPossibleNow, CodeDoesNotFit, AlreadyTheirs, NotInThisRole):
        form.form_errors.append("This course has changed meanwhile. Look again and decide")
    except NewOwnerIsAway as refusal:
        until = long_day(refusal.absence.until_on)
        form.form_errors.append(
            f"This supporter is away until {until} and a review is owed. Select somebody else"
        )
    except (TimeNotFree, LetterRefused):
        form.form_errors.append("That time has just gone. Select one of the next free times")
    else:
        flash(words, "success")
        return redirect(url_for("clinician_decisions.show", enrolment_id=enrolment.id))
    return _page(enrolment, decisions), 409


def _page(enrolment: Enrolment, decisions: Decisions) -> str:
    now = request_time()
    forms = (decisions.end, decisions.hand_over, decisions.pause, decisions.resume, decisions.cadence)
    return render_template(
        "clinician/decisions.html",
        enrolment=enrolment,
        decisions=decisions,
        posted=next((form for form in forms if form.errors), None),
        EnrolmentState=EnrolmentState,
        can_be_invited_again=can_be_invited_again(enrolment),
        day=day_of_invitation(
            to_local(enrolment.invited_at, enrolment.patient.zone).date(), local_today(enrolment, now)
        ),
        code_words=END_CODE_WORDS,
        owed=[
            (
                review,
                long_day(to_local(review.promised_at, enrolment.service.zone).date()),
                review.is_late(now),
            )
            for review in reviews_of(enrolment)
            if review.is_owed
        ],
        changes=[
            (day_and_time(to_local(change.changed_at, enrolment.service.zone)), change)
            for change in changes_of(enrolment)
        ],
    )


def _review_times(enrolment: Enrolment, now: datetime) -> list[SelectChoice]:
    from_on = local_today(enrolment, now)
    free = next_free_times(enrolment.supporter_id, from_on, service=enrolment.service, now=now, count=200)
    first_of_day = {place.on: place for place in reversed(free)}
    days = sorted(first_of_day)[:OFFERED_TIMES]
    return [SelectChoice(first_of_day[on].starts_at.isoformat(), long_day(on)) for on in days]


def _count(number: int, words: str) -> str:
    return f"{number} {words}" if number == 1 else f"{number} {words}s"
