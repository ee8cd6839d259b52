"""Inviting a patient: who they are, how to reach them, and who will write to them."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import names_of, staff_with_role
from icbt_support.accounts.rules import NotAnAddress, tidy_email
from icbt_support.enrolments.operations import ContactDetails
from icbt_support.enrolments.queries import rooms_of_supporters
from icbt_support.enrolments.rules import Room
from icbt_support.hours.duty_rota import duty_count
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line, LongText, PhoneLine, strip_text
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import long_day
from icbt_support.pages.room_words import limits_passed_words, room_words
from icbt_support.programme.library import programmes
from icbt_support.rhythm.invite import (
    AlreadyEnrolled,
    OverLimit,
    OwnCourse,
    ServiceNotReady,
    SupporterIsAway,
    invite_patient,
    welcome_due_on,
)
from icbt_support.service.models import Service
from icbt_support.service.rules import missing_before_inviting

blueprint = Blueprint("clinician_invite", __name__)

VOICEMAIL = {"yes": True, "no": False, "unknown": None}


class InviteForm(FlaskForm):
    full_name = Line("Full name", missing="Enter the person's full name", maximum=120)
    called = Line("What they like to be called", missing="Enter what they like to be called", maximum=60)
    pronouns = Line("Pronouns (optional)", maximum=30)
    email = StringField(
        "Email address",
        [
            InputRequired("Enter an email address"),
            Length(max=254, message="Enter an address that is shorter"),
        ],
        [strip_text],
        description="The invitation goes here. Check that only this person reads it.",
    )
    phone = PhoneLine("Phone number", missing="Enter a phone number, so that we can reach this person")
    voicemail = RadioField(
        "Is it all right to leave a voicemail?",
        choices=[
            SelectChoice("yes", "Yes"),
            SelectChoice("no", "No"),
            SelectChoice("unknown", "Not asked yet"),
        ],
        validators=[InputRequired("Select whether a voicemail is all right")],
    )
    safe_times = Line("Safe times to call (optional)")
    gp = Line("GP and practice (optional)")
    emergency_contact = LongText("Emergency contact (optional)", description="Name, phone, and who they are.")
    usually_at = LongText("Where this person usually is (optional)", description="An address to give to 999.")
    programme = RadioField("Programme", validators=[InputRequired("Select a programme")])
    supporter = RadioField("Supporter", validators=[InputRequired("Select a supporter")])
    over_limit_reason = LongText(
        "Why this supporter, if they have no room",
        description="Only where a limit is passed. It is kept with the course.",
    )

    def validate_email(self, field: StringField) -> None:
        try:
            tidy_email(field.data or "")
        except NotAnAddress as error:
            raise ValidationError("Enter an email address like name@example.com") from error

    @property
    def contact(self) -> ContactDetails:
        return ContactDetails(
            phone=self.phone.data,
            voicemail_ok=VOICEMAIL[self.voicemail.data],
            safe_times=self.safe_times.data,
            gp=self.gp.data,
            emergency_contact=self.emergency_contact.data,
            usually_at=self.usually_at.data,
        )


@blueprint.get("/clinical/invite")
@allow(Role.CLINICIAN)
def show() -> str:
    service = current_service(Role.CLINICIAN)
    form, rooms = _form(service)
    return _page(service, form, rooms)


@blueprint.post("/clinical/invite")
@allow(Role.CLINICIAN)
@commits
def invite() -> Response | str | tuple[str, int]:
    service = current_service(Role.CLINICIAN)
    form, rooms = _form(service)
    if not form.validate_on_submit():
        return _page(service, form, rooms)
    supporter = next(one for one in _supporters(service) if str(one.id) == form.supporter.data)
    try:
        invite_patient(
            service,
            email=form.email.data,
            full_name=form.full_name.data,
            called=form.called.data,
            pronouns=form.pronouns.data,
            contact=form.contact,
            supporter=supporter,
            clinician=current_account(),
            programme=programmes()[form.programme.data],
            by=current_actor(Role.CLINICIAN, service.id),
            now=request_time(),
            over_limit_reason=form.over_limit_reason.data,
        )
    except ServiceNotReady:
        return _page(service, form, rooms), 409
    except AlreadyEnrolled:
        form.email.errors = ["This person has an open course here. Look for them under Engagement"]
        return _page(service, form, rooms), 409
    except OwnCourse:
        form.email.errors = [
            "Nobody works on their own course. Select somebody else as supporter or clinician"
        ]
        return _page(service, form, rooms), 409
    except SupporterIsAway as refusal:
        until = long_day(refusal.absence.until_on)
        form.supporter.errors = [f"{supporter.called} is away until {until}. Select somebody else"]
        return _page(service, form, rooms), 409
    except OverLimit:
        room = next(room for room in rooms if room.supporter_id == supporter.id)
        form.over_limit_reason.errors = [
            f"{supporter.called} has no room: {limits_passed_words(room)}. Write why it is right all the same, "
            "or select somebody else"
        ]
        return _page(service, form, rooms), 409
    flash(
        "The invitation is on its way. "
        f"{supporter.called} owes a welcome by {long_day(welcome_due_on(service, request_time()))}.",
        "success",
    )
    return redirect(url_for("clinician_invite.show"))


def _form(service: Service) -> tuple[InviteForm, list[Room]]:
    """The form, and how much room each supporter has; who has room comes first and is suggested."""
    now = request_time()
    people = {account.id: account for account in _supporters(service)}
    rooms = [
        room
        for room in rooms_of_supporters(service, welcome_on=welcome_due_on(service, now), now=now)
        if room.supporter_id in people
    ]
    library = programmes()
    suggested = next((room for room in rooms if room.has_room), None)
    form = InviteForm(
        supporter=str(suggested.supporter_id) if suggested else None,
        programme=next(iter(sorted(library)), None),
    )
    form.supporter.choices = [
        SelectChoice(str(room.supporter_id), people[room.supporter_id].full_name) for room in rooms
    ]
    form.programme.choices = [SelectChoice(slug, library[slug].title) for slug in sorted(library)]
    return form, rooms


def _supporters(service: Service) -> list[Account]:
    return staff_with_role(service.id, Role.SUPPORTER)


def _page(service: Service, form: InviteForm, rooms: list[Room]) -> str:
    suggested = next((room for room in rooms if room.has_room), None)
    without_slots = {one.id for one in _supporters(service)} - {room.supporter_id for room in rooms}
    return render_template(
        "clinician/invite.html",
        form=form,
        rooms={str(room.supporter_id): _hint(room, is_suggested=room is suggested) for room in rooms},
        has_room=suggested is not None,
        shows_reason=bool(form.over_limit_reason.errors or form.over_limit_reason.data) or suggested is None,
        without_slots=sorted(names_of(without_slots).values()),
        missing=missing_before_inviting(service, duty_count(service)),
        service=service,
        welcome_on=welcome_due_on(service, request_time()),
    )


def _hint(room: Room, *, is_suggested: bool) -> str:
    if is_suggested:
        return f"Suggested: {room_words(room)}"
    return room_words(room)
