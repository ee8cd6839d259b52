"""Treatment contacts: a clinician confirms which reviews and calls count, and writes down the others."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import IntegerField, RadioField, SelectField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, InputRequired, NumberRange, Optional

from icbt_support.accounts.models import Role
from icbt_support.accounts.queries import names_of
from icbt_support.cadence import local_day, to_utc
from icbt_support.contacts.models import ContactKind, TreatmentContact
from icbt_support.contacts.operations import (
    WRITTEN_DOWN,
    NotYet,
    change_decision,
    confirm_contact,
    leave_out_contact,
    write_down_contact,
)
from icbt_support.contacts.queries import (
    WaitingContact,
    courses_with_waiting_contacts,
    decided_contacts,
    scoped_contact,
    waiting_among,
    waiting_contacts,
)
from icbt_support.enrolments.models import Enrolment, Purpose
from icbt_support.enrolments.queries import for_clinician
from icbt_support.measures.outcomes import CONTACTS_OF_COMPLETED_TREATMENT
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import OncePosted
from icbt_support.pages.guards import (
    allow,
    clinical_enrolment,
    clinician_actor,
    current_account,
    current_actor,
    current_service,
    refuse_record,
    request_time,
)
from icbt_support.pages.kit import DatePartsField, long_day_year
from icbt_support.pages.reads import note_read
from icbt_support.patient_groups.models import PatientGroup
from icbt_support.patient_groups.operations import set_group
from icbt_support.patient_groups.queries import group_of, groups_of
from icbt_support.service.models import Service

blueprint = Blueprint("clinician_contacts", __name__)
KIND_WORDS = {
    ContactKind.REVIEW_SENT: "Review sent",
    ContactKind.CALL_ANSWERED: "Call answered",
    ContactKind.ASSESSMENT: "Assessment",
    ContactKind.MESSAGES: "Exchange of messages",
}
CONFIRM, LEAVE_OUT = "confirm", "leave_out"
COURSES_ON_A_PAGE = 20
LONGEST_CONTACT_MINUTES = 240
NO_GROUP = "none"
_MIDNIGHT = datetime.min.time()
View = Response | str | tuple[str, int]


class DecideForm(FlaskForm):
    contacts = SelectMultipleField(
        "Contacts", validators=[InputRequired("Select at least one contact")], validate_choice=False
    )
    decision = RadioField(
        "Decision",
        choices=[SelectChoice(CONFIRM, "They count"), SelectChoice(LEAVE_OUT, "They do not count")],
        validators=[
            AnyOf([CONFIRM, LEAVE_OUT], "Select whether they count"),
        ],
        validate_choice=False,
    )


class WriteDownForm(OncePosted):
    kind = RadioField(
        "What was it?",
        choices=[SelectChoice(kind.value, KIND_WORDS[kind]) for kind in WRITTEN_DOWN],
        validators=[InputRequired("Select what it was")],
    )
    on = DatePartsField("On which day?", validators=[InputRequired("Enter the day")])
    minutes = IntegerField(
        "Minutes (optional)",
        validators=[
            Optional(),
            NumberRange(1, LONGEST_CONTACT_MINUTES, "Enter minutes as a whole number, 1 to 240"),
        ],
    )


class GroupForm(FlaskForm):
    group = SelectField("Patient group (optional)", validate_choice=True)


@dataclass(frozen=True)
class ContactLine:
    """One contact in words; `key` names it in a form."""

    key: str
    words: str


@dataclass(frozen=True)
class CourseLines:
    """A course with what waits in it, and how many contacts count already."""

    enrolment: Enrolment
    ended: str
    confirmed: int
    waiting: tuple[ContactLine, ...]


@blueprint.get("/clinical/contacts")
@allow(Role.CLINICIAN)
def index() -> str:
    return _index_page(current_service(Role.CLINICIAN), DecideForm(formdata=None))


@blueprint.post("/clinical/contacts")
@allow(Role.CLINICIAN)
@commits
def decide() -> View:
    service, form = current_service(Role.CLINICIAN), DecideForm()
    if not form.validate_on_submit():
        return _index_page(service, form), 400
    _decide(waiting_among(service, form.contacts.data, reader_id=current_account().id), form)
    return redirect(url_for("clinician_contacts.index"))


@blueprint.get("/clinical/patients/<id:enrolment_id>/contacts")
@allow(Role.CLINICIAN)
def show(enrolment_id: int) -> str:
    return _course_page(clinical_enrolment(enrolment_id))


@blueprint.post("/clinical/patients/<id:enrolment_id>/contacts")
@allow(Role.CLINICIAN)
@commits
def decide_for(enrolment_id: int) -> View:
    enrolment, form = clinical_enrolment(enrolment_id), DecideForm()
    if not form.validate_on_submit():
        return _course_page(enrolment, decide_form=form), 400
    chosen = set(form.contacts.data)
    _decide([one for one in waiting_contacts([enrolment.id]) if one.key in chosen], form)
    return _back_to(enrolment)


@blueprint.post("/clinical/patients/<id:enrolment_id>/contacts/write-down")
@allow(Role.CLINICIAN)
@commits
def write_down(enrolment_id: int) -> View:
    enrolment, form = clinical_enrolment(enrolment_id), WriteDownForm()
    if not form.validate_on_submit() or form.on.data is None:
        return _course_page(enrolment, write_form=form), 400
    try:
        write_down_contact(
            enrolment,
            ContactKind(form.kind.data),
            to_utc(form.on.data, _MIDNIGHT, enrolment.service.zone),
            form.minutes.data,
            posted_key=form.posted_key.data or "",
            by=clinician_actor(enrolment),
            now=request_time(),
        )
    except NotYet:
        form.on.errors = ["Enter a day that has begun"]
        return _course_page(enrolment, write_form=form), 409
    flash("The contact is written down, and counts.", "success")
    return _back_to(enrolment)


@blueprint.post("/clinical/contacts/<id:contact_id>/change")
@allow(Role.CLINICIAN)
@commits
def change(contact_id: int) -> Response:
    contact = scoped_contact(for_clinician(current_account()), contact_id)
    if contact is None:
        refuse_record("treatment_contact", contact_id, Role.CLINICIAN)
    change_decision(contact, by=clinician_actor(contact.enrolment), now=request_time())
    flash("It counts now." if contact.is_confirmed else "It does not count any more.", "success")
    return _back_to(contact.enrolment)


@blueprint.post("/clinical/patients/<id:enrolment_id>/group")
@allow(Role.CLINICIAN)
@commits
def choose_group(enrolment_id: int) -> View:
    enrolment = clinical_enrolment(enrolment_id)
    groups = _groups_to_choose(enrolment)
    form = _group_form(groups)
    if not form.validate_on_submit():
        return _course_page(enrolment, group_form=form), 400
    chosen = next((one for one in groups if str(one.id) == form.group.data), None)
    set_group(enrolment, chosen, by=clinician_actor(enrolment), now=request_time())
    flash("The patient group is kept.", "success")
    return _back_to(enrolment)


def _decide(waiting: Sequence[WaitingContact], form: DecideForm) -> None:
    now = request_time()
    counts = form.decision.data == CONFIRM
    for one in waiting:
        by = current_actor(Role.CLINICIAN, one.service_id)
        (confirm_contact if counts else leave_out_contact)(one, by=by, now=now)
    if not waiting:
        flash("These contacts were decided about before.", "information")
        return
    words = "1 contact" if len(waiting) == 1 else f"{len(waiting)} contacts"
    verb = ("counts" if len(waiting) == 1 else "count") if counts else "left out"
    flash(f"{words} {verb}." if counts else f"{words} left out.", "success")


def _back_to(enrolment: Enrolment) -> Response:
    return redirect(url_for("clinician_contacts.show", enrolment_id=enrolment.id))


def _index_page(service: Service, form: DecideForm) -> str:
    note_read("read_waiting_contacts", by=current_actor(Role.CLINICIAN, service.id), now=request_time())
    page = min(max(request.args.get("page", 1, type=int), 1), 1_000_000)
    offset = (page - 1) * COURSES_ON_A_PAGE
    found = courses_with_waiting_contacts(
        service, offset=offset, limit=COURSES_ON_A_PAGE + 1, reader_id=current_account().id
    )
    return render_template(
        "clinician/contacts.html",
        form=form,
        courses=_course_lines(found[:COURSES_ON_A_PAGE], service.zone),
        needed=CONTACTS_OF_COMPLETED_TREATMENT,
        previous_href=url_for("clinician_contacts.index", page=page - 1) if page > 1 else "",
        next_href=url_for("clinician_contacts.index", page=page + 1)
        if len(found) > COURSES_ON_A_PAGE
        else "",
    )


def _course_page(
    enrolment: Enrolment,
    *,
    decide_form: DecideForm | None = None,
    write_form: WriteDownForm | None = None,
    group_form: GroupForm | None = None,
) -> str:
    zone = enrolment.service.zone
    group = group_of(enrolment)
    decided = decided_contacts([enrolment.id])
    chosen_group = GroupForm(formdata=None, group=str(group.id) if group else NO_GROUP)
    chosen_group.group.choices = _group_choices(_groups_to_choose(enrolment))
    posted = next((form for form in (decide_form, write_form, group_form) if form is not None), None)
    return render_template(
        "clinician/contacts_of_person.html",
        enrolment=enrolment,
        course=_course_lines([enrolment], zone)[0],
        decided=[(contact, _words_of(contact, contact.recorder.full_name, zone)) for contact in decided],
        needed=CONTACTS_OF_COMPLETED_TREATMENT,
        is_training=enrolment.purpose is Purpose.TRAINING,
        write_form=write_form or WriteDownForm(formdata=None),
        group_form=group_form or chosen_group,
        has_groups=len(chosen_group.group.choices) > 1,
        posted=posted,
    )


def _course_lines(courses: Sequence[Enrolment], zone: str) -> list[CourseLines]:
    ids = [one.id for one in courses]
    waiting: dict[int, list[WaitingContact]] = defaultdict(list)
    for one in waiting_contacts(ids):
        waiting[one.enrolment_id].append(one)
    confirmed: dict[int, int] = defaultdict(int)
    for contact in decided_contacts(ids):
        confirmed[contact.enrolment_id] += contact.is_confirmed
    names = names_of({one.recorded_by for found in waiting.values() for one in found})
    return [
        CourseLines(
            course,
            long_day_year(local_day(course.ended_at, zone)) if course.ended_at else "",
            confirmed[course.id],
            tuple(
                ContactLine(one.key, _words_of(one, names.get(one.recorded_by, ""), zone))
                for one in waiting[course.id]
            ),
        )
        for course in courses
    ]


def _words_of(contact: WaitingContact | TreatmentContact, who: str, zone: str) -> str:
    """ "Review sent, Thursday 12 November 2026, 14 minutes, Priya Shah" """
    minutes = f"{contact.minutes} min" if contact.minutes else ""
    day = long_day_year(local_day(contact.contact_at, zone))
    return ", ".join(part for part in (KIND_WORDS[contact.kind], day, minutes, who) if part)


def _groups_to_choose(enrolment: Enrolment) -> list[PatientGroup]:
    """The groups that are kept up, and the one that this person is in."""
    now_in = group_of(enrolment)
    return [one for one in groups_of(enrolment.service) if one.removed_at is None or one is now_in]


def _group_form(groups: Sequence[PatientGroup]) -> GroupForm:
    form = GroupForm()
    form.group.choices = _group_choices(groups)
    return form


def _group_choices(groups: Sequence[PatientGroup]) -> list[SelectChoice]:
    return [SelectChoice(NO_GROUP, "Not recorded"), *(SelectChoice(str(one.id), one.name) for one in groups)]
