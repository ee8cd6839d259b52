"""The team: what each supporter can hold and holds, the limits, who is away, and away from now for a colleague."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import StringField
from wtforms.validators import InputRequired, ValidationError

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.audit.models import Actor
from icbt_support.cadence import local_day
from icbt_support.enrolments.queries import rooms_of_supporters
from icbt_support.enrolments.rules import Room
from icbt_support.hours.capacity import limit_of, set_limit
from icbt_support.hours.models import Absence
from icbt_support.hours.queries import coming_absences
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import strip_text
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import DatePartsField, long_day
from icbt_support.pages.room_words import room_words
from icbt_support.rhythm.absence import away_from_now
from icbt_support.rhythm.invite import welcome_due_on
from icbt_support.service.models import Service

blueprint = Blueprint("clinician_team", __name__)
MOST_PEOPLE, MOST_MINUTES = 500, 2400
LONGEST_AWAY_NOW_DAYS = 60
View = Response | str | tuple[str, int]


class WholeNumber(StringField):
    """A whole number that may be left out; `number` is None then."""

    def __init__(self, label: str, most: int, **kwargs: object) -> None:
        super().__init__(label, filters=[strip_text], **kwargs)
        self.most = most

    @property
    def number(self) -> int | None:
        return int(self.data) if self.data else None

    def pre_validate(self, form: FlaskForm) -> None:
        text = self.data or ""
        if not text:
            return
        if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= self.most):
            raise ValidationError(f"Enter a whole number from 1 to {self.most}, or leave it empty")


class LimitForm(FlaskForm):
    people = WholeNumber("People at most", MOST_PEOPLE, description="Empty: no limit.")
    minutes_a_week = WholeNumber(
        "Minutes of reviews a week at most", MOST_MINUTES, description="Empty: no limit."
    )


class AwayForm(FlaskForm):
    away_until = DatePartsField(
        "Last day away, as far as you know",
        validators=[InputRequired("Enter the last day away, as far as you know")],
    )


@dataclass(frozen=True)
class MemberRow:
    account: Account
    roles: str
    words: str
    absences: tuple[str, ...]


@blueprint.get("/clinical/team")
@allow(Role.CLINICIAN)
def index() -> str:
    service = current_service(Role.CLINICIAN)
    rooms = {room.supporter_id: room for room in _rooms(service)}
    supporters = staff_with_role(service.id, Role.SUPPORTER)
    known = {one.id for one in supporters}
    clinicians = [one for one in staff_with_role(service.id, Role.CLINICIAN) if one.id not in known]
    return render_template(
        "clinician/team.html",
        supporters=[_row(one, "Supporter", rooms.get(one.id)) for one in supporters],
        clinicians=[_row(one, "Clinician", None) for one in clinicians],
    )


@blueprint.get("/clinical/team/<id:account_id>")
@allow(Role.CLINICIAN)
def show(account_id: int) -> str:
    service, account = current_service(Role.CLINICIAN), supporter_here(account_id)
    limit = limit_of(account.id, service.id)
    form = LimitForm(
        formdata=None,
        people=str(limit.people or "") if limit else "",
        minutes_a_week=str(limit.minutes_a_week or "") if limit else "",
    )
    return _page(account, form, AwayForm(formdata=None))


@blueprint.post("/clinical/team/<id:account_id>/limits")
@allow(Role.CLINICIAN)
@commits
def set_limits(account_id: int) -> View:
    service, account, form = current_service(Role.CLINICIAN), supporter_here(account_id), LimitForm()
    if not form.validate_on_submit():
        return _page(account, form, AwayForm(formdata=None)), 422
    set_limit(
        account.id,
        service_id=service.id,
        people=form.people.number,
        minutes_a_week=form.minutes_a_week.number,
        by=_actor(service),
        now=request_time(),
    )
    flash(f"Saved. {account.called} sees these limits under My hours.", "success")
    return redirect(url_for("clinician_team.show", account_id=account.id))


@blueprint.post("/clinical/team/<id:account_id>/away-now")
@allow(Role.CLINICIAN)
@commits
def away_now(account_id: int) -> View:
    """A supporter has called in: everything goes to the pool in one step."""
    service, account, form = current_service(Role.CLINICIAN), supporter_here(account_id), AwayForm()
    until_on, today = form.away_until.data, local_day(request_time(), account.zone)
    if form.validate_on_submit() and until_on is not None:
        if 0 <= (until_on - today).days <= LONGEST_AWAY_NOW_DAYS:
            gone = away_from_now(
                account, service=service, until_on=until_on, by=_actor(service), now=request_time()
            )
            told = ", ".join(person.full_name for person in gone.told) or "nobody: there is no colleague"
            flash(
                f"{account.called} is away until {long_day(until_on)}. With the pool now: "
                f"{gone.reviews} owed, {gone.messages} unread, {gone.alerts} with an open alert. Told: {told}.",
                "success",
            )
            return redirect(url_for("clinician_team.show", account_id=account.id))
        form.away_until.errors = ["Enter today or a day in the next two months"]
    return _page(account, LimitForm(formdata=None), form), 422


def supporter_here(account_id: int) -> Account:
    """A supporter of the signed-in clinician's service; 404 otherwise."""
    service = current_service(Role.CLINICIAN)
    people = staff_with_role(service.id, Role.SUPPORTER)
    found = next((one for one in people if one.id == account_id), None)
    if found is None:
        abort(404)
    return found


def _page(account: Account, form: LimitForm, away_form: AwayForm) -> str:
    service = current_service(Role.CLINICIAN)
    room = next((room for room in _rooms(service) if room.supporter_id == account.id), None)
    today = local_day(request_time(), account.zone)
    absences = coming_absences(account.id, today)
    return render_template(
        "clinician/team_member.html",
        account=account,
        form=form,
        away_form=away_form,
        posted=next((one for one in (form, away_form) if one.errors), None),
        words=_room_or_none(room),
        absences=[_away_words(one) for one in absences],
        is_away=any(one.from_on <= today for one in absences),
        is_me=account.id == current_account().id,
    )


def _row(account: Account, roles: str, room: Room | None) -> MemberRow:
    today = local_day(request_time(), account.zone)
    absences = tuple(_away_words(one) for one in coming_absences(account.id, today))
    return MemberRow(account, roles, _room_or_none(room) if roles == "Supporter" else "", absences)


def _room_or_none(room: Room | None) -> str:
    return room_words(room) if room is not None else "No protected review times yet"


def _away_words(absence: Absence) -> str:
    return f"Away {long_day(absence.from_on)} to {long_day(absence.until_on)}"


def _rooms(service: Service) -> list[Room]:
    now = request_time()
    return rooms_of_supporters(service, welcome_on=welcome_due_on(service, now), now=now)


def _actor(service: Service) -> Actor:
    return current_actor(Role.CLINICIAN, service.id)
