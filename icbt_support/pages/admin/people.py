"""Staff of the service: who they are, what they may do, inviting them and ending that."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import RadioField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from icbt_support.accounts import operations as accounts
from icbt_support.accounts.models import STAFF_ROLES, Account, Role
from icbt_support.accounts.queries import (
    find_account_by_email,
    open_memberships,
    roles_of,
    staff_member_of,
    staff_of,
)
from icbt_support.accounts.rules import NotAnAddress, tidy_email
from icbt_support.audit import Actor
from icbt_support.cadence import local_day
from icbt_support.feedback.operations import take_over_reports
from icbt_support.pages.admin.hanging import everything_that_hangs, what_hangs_in
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import Line, strip_text
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import short_day
from icbt_support.rhythm.handover import StillHangs, close_account, what_hangs_on
from icbt_support.service.models import Service

blueprint = Blueprint("admin_people", __name__)
ROLE_WORDS = {
    Role.SUPPORTER: "Supporter",
    Role.CLINICIAN: "Clinician",
    Role.ADMINISTRATOR: "Administrator",
    Role.VENDOR: "Vendor representative",
}
ROLE_HINTS = {
    Role.SUPPORTER.value: "Writes reviews and messages, for the people in their own caseload",
    Role.CLINICIAN.value: "Invites people, answers alerts, sees everyone's record in this service",
    Role.ADMINISTRATOR.value: "Runs the service: people, duty, jobs, audit. Never sees what patients write",
    Role.VENDOR.value: "Answers the reports that you pass on. Sees nothing about any patient",
}
HAND_OVER_FIRST = "This person still has work that needs a new named owner. A clinician hands it over first."
ROLE_CHOICES = [SelectChoice(role.value, ROLE_WORDS[role]) for role in (*STAFF_ROLES, Role.VENDOR)]


class RoleForm(FlaskForm):
    role = RadioField("Role", choices=ROLE_CHOICES, validators=[InputRequired("Select a role")])


class InviteForm(RoleForm):
    email = StringField(
        "Email address",
        [
            InputRequired("Enter an email address"),
            Length(max=254, message="Enter an address that is shorter"),
        ],
        [strip_text],
    )
    full_name = Line("Full name", missing="Enter the person's full name", maximum=120)
    called = Line("What we call them", missing="Enter what they are called, like Priya", maximum=60)

    def validate_email(self, field: StringField) -> None:
        try:
            tidy_email(field.data or "")
        except NotAnAddress as error:
            raise ValidationError("Enter an email address like name@example.com") from error
        known = find_account_by_email(field.data or "")
        if known is not None and known.disabled_at is not None:
            raise ValidationError("This person's account is closed. Open it again first")


@blueprint.get("/admin/people")
@allow(Role.ADMINISTRATOR)
def index() -> str:
    service = _service()
    rows = [_row(account, service) for account in staff_of(service.id)]
    return render_template("admin/people.html", rows=rows)


@blueprint.get("/admin/people/invite")
@allow(Role.ADMINISTRATOR)
def show_invite() -> str:
    return render_template("admin/people_invite.html", form=InviteForm(), role_hints=ROLE_HINTS)


@blueprint.post("/admin/people/invite")
@allow(Role.ADMINISTRATOR)
@commits
def invite() -> Response | str:
    form = InviteForm()
    if not form.validate_on_submit():
        return render_template("admin/people_invite.html", form=form, role_hints=ROLE_HINTS)
    account = accounts.invite_person(
        email=form.email.data,
        full_name=form.full_name.data,
        called=form.called.data,
        role=Role(form.role.data),
        service=_service(),
        by=_actor(),
        now=request_time(),
    )
    flash(
        f"{account.full_name} is invited by email."
        if account.password_hash is None
        else f"{account.full_name} has an account already, and can work in the new role at the next sign-in.",
        "success",
    )
    return redirect(url_for("admin_people.show", account_id=account.id))


@blueprint.get("/admin/people/<id:account_id>")
@allow(Role.ADMINISTRATOR)
def show(account_id: int) -> str:
    account = _person(account_id)
    service = _service()
    held = roles_of(account, service.id)
    hanging = what_hangs_on(account, now=request_time()).in_service(service.id)
    return render_template(
        "admin/person.html",
        account=account,
        state=_state(account, service),
        held=[(role.value, ROLE_WORDS[role]) for role in ROLE_WORDS if role in held],
        form=_role_form(held),
        role_hints=ROLE_HINTS,
        is_self=account.id == current_account().id,
        is_used_elsewhere=_is_used_elsewhere(account, service),
        hanging=everything_that_hangs(hanging),
    )


@blueprint.post("/admin/people/<id:account_id>/give-role")
@allow(Role.ADMINISTRATOR)
@commits
def give_role(account_id: int) -> Response:
    account = _someone_else(account_id)
    form = RoleForm()
    if form.validate_on_submit():
        role = Role(form.role.data)
        accounts.give_role(account, role, service_id=_service().id, by=_actor(), now=request_time())
        flash(f"{account.full_name} is now {ROLE_WORDS[role].lower()}.", "success")
    else:
        flash("Select the role that you want to give.", "problem")
    return redirect(url_for("admin_people.show", account_id=account_id))


@blueprint.post("/admin/people/<id:account_id>/end-role")
@allow(Role.ADMINISTRATOR)
@commits
def end_role(account_id: int) -> Response:
    account, service = _someone_else(account_id), _service()
    role = _posted_role()
    if what_hangs_in(role, what_hangs_on(account, now=request_time()).in_service(service.id)):
        return _refuse(account, HAND_OVER_FIRST)
    try:
        accounts.end_role(account, role, service_id=service.id, by=_actor(), now=request_time())
    except accounts.LastAdministrator:
        return _refuse(account, "A service keeps at least one administrator. Make somebody else one first.")
    except accounts.NoSuchRole:
        abort(404)
    flash(f"{account.full_name} is no longer {ROLE_WORDS[role].lower()}.", "success")
    if role is Role.ADMINISTRATOR:
        _take_over_reports(account)
    return redirect(url_for("admin_people.show", account_id=account_id))


@blueprint.post("/admin/people/<id:account_id>/disable")
@allow(Role.ADMINISTRATOR)
@commits
def disable(account_id: int) -> Response:
    account, service = _someone_else(account_id), _service()
    if _is_used_elsewhere(account, service):
        return _refuse(account, "This account is used elsewhere too. End the roles here instead.")
    try:
        close_account(account, by=_actor(), now=request_time())
    except StillHangs:
        return _refuse(account, HAND_OVER_FIRST)
    except accounts.LastAdministrator:
        return _refuse(account, "A service keeps at least one administrator. Make somebody else one first.")
    flash(f"{account.full_name}'s account is closed. They are signed out everywhere.", "success")
    _take_over_reports(account)
    return redirect(url_for("admin_people.show", account_id=account_id))


def _take_over_reports(account: Account) -> None:
    count = take_over_reports(account, _service().id, by=_actor(), now=request_time())
    if count:
        flash(f"{count} open {'report' if count == 1 else 'reports'} of theirs: you see to this now.")


@blueprint.post("/admin/people/<id:account_id>/enable")
@allow(Role.ADMINISTRATOR)
@commits
def enable(account_id: int) -> Response:
    account = _someone_else(account_id)
    if _is_used_elsewhere(account, _service()):
        return _refuse(account, "This account is used elsewhere too, so it is not opened from here.")
    accounts.enable_account(account, by=_actor(), now=request_time())
    flash(f"{account.full_name}'s account is open again. Give it a role next.", "success")
    return redirect(url_for("admin_people.show", account_id=account_id))


@blueprint.post("/admin/people/<id:account_id>/invite-again")
@allow(Role.ADMINISTRATOR)
@commits
def invite_again(account_id: int) -> Response:
    account, service = _person(account_id), _service()
    if (
        account.password_hash is not None
        or account.disabled_at is not None
        or not roles_of(account, service.id)
    ):
        return _refuse(account, "This person does not need an invitation.")
    accounts.owe_invitation(account, service_id=service.id, by=_actor(), now=request_time())
    flash("A new invitation is on its way. The old one does not work any more.", "success")
    return redirect(url_for("admin_people.show", account_id=account_id))


def _service() -> Service:
    return current_service(Role.ADMINISTRATOR)


def _actor() -> Actor:
    return current_actor(Role.ADMINISTRATOR, _service().id)


def _person(account_id: int) -> Account:
    account = staff_member_of(_service().id, account_id)
    if account is None:
        abort(404)
    return account


def _someone_else(account_id: int) -> Account:
    """Nobody changes what they may do themselves."""
    account = _person(account_id)
    if account.id == current_account().id:
        abort(403)
    return account


def _posted_role() -> Role:
    posted = request.form.get("role", "")
    if posted not in [role.value for role in ROLE_WORDS]:
        abort(404)
    return Role(posted)


def _refuse(account: Account, words: str) -> Response:
    flash(words, "problem")
    return redirect(url_for("admin_people.show", account_id=account.id))


def _role_form(held: set[Role]) -> RoleForm:
    form = RoleForm(formdata=None)
    form.role.choices = [choice for choice in ROLE_CHOICES if Role(choice.value) not in held]
    return form


def _is_used_elsewhere(account: Account, service: Service) -> bool:
    """Elsewhere is another service, and a course of one's own: closing would end that as well."""
    return any(
        membership.service_id != service.id or membership.role is Role.PATIENT
        for membership in open_memberships(account)
    )


def _row(account: Account, service: Service) -> tuple[Account, str, tuple[str, str], str]:
    last = account.last_signed_in_at
    last_words = short_day(local_day(last, service.zone)) if last else "Not yet"
    return account, _role_words(account, service), _state(account, service), last_words


def _role_words(account: Account, service: Service) -> str:
    held = roles_of(account, service.id)
    return ", ".join(words for role, words in ROLE_WORDS.items() if role in held) or "No role any more"


def _state(account: Account, service: Service) -> tuple[str, str]:
    """Words and colour of the person's state."""
    if account.disabled_at is not None:
        return "Closed", "grey"
    if not roles_of(account, service.id):
        return "No role", "grey"
    if account.password_hash is None:
        return "Invited", "yellow"
    return "Active", "green"
