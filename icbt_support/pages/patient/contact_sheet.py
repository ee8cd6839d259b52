"""How to reach the patient when it matters: seen, confirmed as right, or changed."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Role
from icbt_support.cadence import to_local
from icbt_support.enrolments.models import ContactSheet, Enrolment
from icbt_support.enrolments.operations import ContactDetails, confirm_contact_sheet, save_contact_sheet
from icbt_support.enrolments.queries import contact_sheet_of, is_contact_sheet_due
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line, LongText, PhoneLine
from icbt_support.pages.guards import allow, my_enrolment, patient_actor, request_time

blueprint = Blueprint("patient_contact_sheet", __name__)
SAVED = "Thank you. This is how we will reach you."
NOT_GIVEN = "Nothing yet"
VOICEMAIL_WORDS = {True: "Yes", False: "No", None: "Not said yet"}


class ContactSheetForm(FlaskForm):
    phone = PhoneLine("Phone number", missing="Enter a phone number, so that we can reach you")
    voicemail = RadioField(
        "May we leave a voicemail?",
        choices=[SelectChoice("yes", "Yes"), SelectChoice("no", "No")],
        validators=[InputRequired("Select whether we may leave a voicemail")],
    )
    safe_times = Line("When is a good time to call? (optional)")
    gp = Line("Your GP and practice (optional)")
    emergency_contact = LongText(
        "Someone we may call in an emergency (optional)", description="Name, phone, and who they are to you."
    )
    usually_at = LongText(
        "Where you usually are (optional)",
        description="An address, so that help can find you if you need it.",
    )

    @property
    def details(self) -> ContactDetails:
        return ContactDetails(
            phone=self.phone.data,
            voicemail_ok=self.voicemail.data == "yes",
            safe_times=self.safe_times.data,
            gp=self.gp.data,
            emergency_contact=self.emergency_contact.data,
            usually_at=self.usually_at.data,
        )


@blueprint.get("/contact-sheet")
@allow(Role.PATIENT)
def show() -> str:
    enrolment = my_enrolment()
    sheet = contact_sheet_of(enrolment)
    confirmed_at = sheet.confirmed_at if sheet else None
    return render_template(
        "patient/contact_sheet.html",
        rows=_rows(sheet),
        is_due=is_contact_sheet_due(enrolment, now=request_time()),
        can_confirm=_can_confirm(sheet),
        confirmed_at=to_local(confirmed_at, enrolment.patient.zone) if confirmed_at else None,
    )


@blueprint.post("/contact-sheet/confirm")
@allow(Role.PATIENT)
@commits
def confirm() -> Response:
    enrolment = my_enrolment()
    if not _can_confirm(contact_sheet_of(enrolment)):
        return redirect(url_for("patient_contact_sheet.edit"))
    confirm_contact_sheet(enrolment, by=patient_actor(enrolment), now=request_time())
    return _thank()


@blueprint.get("/contact-sheet/change")
@allow(Role.PATIENT)
def edit() -> str:
    enrolment = my_enrolment()
    return _form_page(enrolment, _filled_form(contact_sheet_of(enrolment)))


@blueprint.post("/contact-sheet/change")
@allow(Role.PATIENT)
@commits
def change() -> Response | tuple[str, int]:
    enrolment, form = my_enrolment(), ContactSheetForm()
    if not form.validate_on_submit():
        return _form_page(enrolment, form), 400
    by, now = patient_actor(enrolment), request_time()
    save_contact_sheet(enrolment, form.details, by=by, now=now)
    confirm_contact_sheet(enrolment, by=by, now=now)
    return _thank()


def _can_confirm(sheet: ContactSheet | None) -> bool:
    """A sheet without a number, or without a word on voicemail, is completed first."""
    return sheet is not None and bool(sheet.phone) and sheet.voicemail_ok is not None


def _thank() -> Response:
    flash(SAVED, "success")
    return redirect(url_for("patient_week.show"))


def _rows(sheet: ContactSheet | None) -> list[dict[str, str]]:
    values = [
        ("Phone number", sheet.phone if sheet else ""),
        ("Voicemail", VOICEMAIL_WORDS[sheet.voicemail_ok if sheet else None]),
        ("Good times to call", sheet.safe_times if sheet else ""),
        ("GP and practice", sheet.gp if sheet else ""),
        ("In an emergency", sheet.emergency_contact if sheet else ""),
        ("Where you usually are", sheet.usually_at if sheet else ""),
    ]
    return [{"key": key, "value": value or NOT_GIVEN} for key, value in values]


def _filled_form(sheet: ContactSheet | None) -> ContactSheetForm:
    if sheet is None:
        return ContactSheetForm()
    voicemail = {True: "yes", False: "no", None: None}[sheet.voicemail_ok]
    return ContactSheetForm(obj=sheet, voicemail=voicemail)


def _form_page(enrolment: Enrolment, form: ContactSheetForm) -> str:
    return render_template("patient/contact_sheet_change.html", form=form, service=enrolment.service)
