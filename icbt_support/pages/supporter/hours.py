"""A supporter's own hours: protected slots, days away with what they touch, and away from now."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Account, Role
from icbt_support.audit.models import Actor
from icbt_support.cadence import local_day
from icbt_support.hours.models import Absence, ReviewSlot
from icbt_support.hours.operations import SlotOverlaps, SlotTooShort, add_review_slot, end_review_slot
from icbt_support.hours.queries import bookings_in_slot, coming_absences, cover_pool, review_slots_of
from icbt_support.hours.refusals import TimeNotFree, WrongAbsenceDays
from icbt_support.hours.rules import times_of_block
from icbt_support.pages.commits import commits
from icbt_support.pages.fields import parse_time, time_choices
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import DatePartsField, clock_time, long_day
from icbt_support.reviews.rules import LetterRefused
from icbt_support.rhythm.absence import (
    AbsenceInThePast,
    CoverBy,
    CoverIsAway,
    FirstDayBack,
    NoPlaceAfterAbsence,
    ReviewsWithoutChoice,
    TouchedReview,
    away_from_now,
    come_back_early,
    record_absence,
    touched_reviews,
    withdraw_absence,
)
from icbt_support.service.models import Service

blueprint = Blueprint("supporter_hours", __name__)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FIRST_DAY_BACK = "back"
POOL = "pool"
LONGEST_ABSENCE_DAYS = 366
View = Response | str | tuple[str, int]


class SlotForm(FlaskForm):
    weekday = SelectField(
        "Day", choices=[SelectChoice(str(number), name) for number, name in enumerate(WEEKDAYS)]
    )
    starts = SelectField(
        "From", choices=[SelectChoice(*choice) for choice in time_choices(6, 22)], default="09:00"
    )
    ends = SelectField(
        "To", choices=[SelectChoice(*choice) for choice in time_choices(6, 23)], default="12:00"
    )
    minutes = SelectField(
        "Minutes for one review",
        choices=[SelectChoice(str(minutes), f"{minutes} minutes") for minutes in (10, 15, 20, 30)],
        default="15",
    )


class AbsenceForm(FlaskForm):
    from_on = DatePartsField("First day away", validators=[InputRequired("Enter the first day away")])
    until_on = DatePartsField("Last day away", validators=[InputRequired("Enter the last day away")])


class AwayNowForm(FlaskForm):
    back_until = DatePartsField(
        "Last day away, as far as you know",
        validators=[InputRequired("Enter the last day away, as far as you know")],
    )


@dataclass(frozen=True)
class SlotRow:
    slot: ReviewSlot
    when: str
    places: int
    booked: int


@dataclass(frozen=True)
class TouchedRow:
    """One touched review with the choices that it has; `chosen` is what was chosen before an error."""

    name: str
    touched: TouchedReview
    choices: list[tuple[str, str]]
    chosen: str


@blueprint.get("/supporting/hours")
@allow(Role.SUPPORTER)
def show() -> str:
    return _page(SlotForm(formdata=None), AbsenceForm(formdata=None), AwayNowForm(formdata=None))


@blueprint.post("/supporting/hours/slots")
@allow(Role.SUPPORTER)
@commits
def add_slot() -> View:
    form, service = SlotForm(), current_service(Role.SUPPORTER)
    absence_form, away_form = AbsenceForm(formdata=None), AwayNowForm(formdata=None)
    if not form.validate_on_submit():
        return _page(form, absence_form, away_form)
    try:
        add_review_slot(
            current_account().id,
            service_id=service.id,
            weekday=int(form.weekday.data),
            starts=parse_time(form.starts.data),
            ends=parse_time(form.ends.data),
            minutes_per_review=int(form.minutes.data),
            by=_actor(service),
            now=request_time(),
        )
    except SlotTooShort:
        form.ends.errors = ["Select a later time, so that one review fits"]
        return _page(form, absence_form, away_form), 422
    except SlotOverlaps:
        form.starts.errors = ["You have a slot at that time. Select another time"]
        return _page(form, absence_form, away_form), 422
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
    end_review_slot(slot, by=_actor(service), now=request_time())
    flash("No new reviews are booked there. The ones that are booked stay.", "success")
    return redirect(url_for("supporter_hours.show"))


@blueprint.post("/supporting/hours/absence")
@allow(Role.SUPPORTER)
def choose_absence() -> View:
    """Checks the days and leads to what they touch; nothing is changed yet."""
    form = AbsenceForm()
    from_on, until_on = form.from_on.data, form.until_on.data
    if not form.validate_on_submit() or from_on is None or until_on is None:
        return _page(SlotForm(formdata=None), form, AwayNowForm(formdata=None))
    problem = _problem_with_days(from_on, until_on)
    if problem:
        form.until_on.errors = [problem]
        return _page(SlotForm(formdata=None), form, AwayNowForm(formdata=None))
    address = url_for("supporter_hours.absence", from_day=from_on.isoformat(), until_day=until_on.isoformat())
    return redirect(address)


@blueprint.get("/supporting/hours/absence/<from_day>/<until_day>")
@allow(Role.SUPPORTER)
def absence(from_day: str, until_day: str) -> View:
    from_on, until_on = _days(from_day, until_day)
    if _problem_with_days(from_on, until_on):
        return redirect(url_for("supporter_hours.show"))
    return _absence_page(from_on, until_on, FlaskForm(formdata=None))


@blueprint.post("/supporting/hours/absence/<from_day>/<until_day>")
@allow(Role.SUPPORTER)
@commits
def keep_absence(from_day: str, until_day: str) -> View:
    from_on, until_on = _days(from_day, until_day)
    if _problem_with_days(from_on, until_on):
        return redirect(url_for("supporter_hours.show"))
    service, form = current_service(Role.SUPPORTER), FlaskForm()
    pool = {str(person.id): person for person in _colleagues(service, from_on)}
    cover = request.form.get("cover", POOL)
    if cover != POOL and cover not in pool:
        abort(400)
    touched = _touched(service, from_on, until_on)
    try:
        record_absence(
            current_account(),
            service=service,
            from_on=from_on,
            until_on=until_on,
            cover_id=None if cover == POOL else int(cover),
            choices=_posted_choices(touched, pool),
            by=_actor(service),
            now=request_time(),
        )
    except ReviewsWithoutChoice:
        words = "Select what happens to each review"
    except CoverIsAway as refusal:
        words = f"{_name(pool, refusal.account_id)} is away on {long_day(refusal.on)}. Select somebody else"
    except (NoPlaceAfterAbsence, TimeNotFree, LetterRefused):
        words = "There is no free time for one review after you are back. Select cover for it"
    except (AbsenceInThePast, WrongAbsenceDays):
        return redirect(url_for("supporter_hours.show"))
    else:
        flash(f"You are away from {long_day(from_on)} to {long_day(until_on)}.", "success")
        return redirect(url_for("supporter_hours.show"))
    form.form_errors.append(words)
    return _absence_page(from_on, until_on, form), 422


@blueprint.post("/supporting/hours/absences/<id:absence_id>/withdraw")
@allow(Role.SUPPORTER)
@commits
def withdraw(absence_id: int) -> Response:
    found = next((one for one in _absences(current_account()) if one.id == absence_id), None)
    if found is None:
        abort(404)
    withdraw_absence(found, by=_actor(current_service(Role.SUPPORTER)), now=request_time())
    flash("The days away are withdrawn. Reviews that were moved or covered stay so.", "success")
    return redirect(url_for("supporter_hours.show"))


@blueprint.post("/supporting/hours/away-now")
@allow(Role.SUPPORTER)
@commits
def go_away_now() -> View:
    service, form = current_service(Role.SUPPORTER), AwayNowForm()
    until_on = form.back_until.data
    if not form.validate_on_submit() or until_on is None:
        return _page(SlotForm(formdata=None), AbsenceForm(formdata=None), form)
    problem = _problem_with_days(_today(), until_on)
    if problem:
        form.back_until.errors = [problem]
        return _page(SlotForm(formdata=None), AbsenceForm(formdata=None), form)
    gone = away_from_now(
        current_account(),
        service=service,
        until_on=until_on,
        by=_actor(service),
        now=request_time(),
    )
    told = ", ".join(person.full_name for person in gone.told) or "nobody: there is no colleague to tell"
    flash(
        f"You are away. With the pool now: {gone.reviews} reviews, {gone.messages} messages, "
        f"{gone.alerts} alerts. Told: {told}.",
        "success",
    )
    return redirect(url_for("supporter_hours.show"))


@blueprint.post("/supporting/hours/back")
@allow(Role.SUPPORTER)
@commits
def back() -> Response:
    come_back_early(current_account(), by=_actor(current_service(Role.SUPPORTER)), now=request_time())
    flash("You are back. Your caseload is yours again.", "success")
    return redirect(url_for("supporter_hours.show"))


def _page(slot_form: SlotForm, absence_form: AbsenceForm, away_form: AwayNowForm) -> str:
    service, account = current_service(Role.SUPPORTER), current_account()
    now, today = request_time(), _today()
    forms = (slot_form, absence_form, away_form)
    absences = _absences(account)
    return render_template(
        "supporter/hours.html",
        slot_form=slot_form,
        absence_form=absence_form,
        away_form=away_form,
        posted=next((form for form in forms if form.errors), None),
        slots=[
            SlotRow(
                slot,
                f"{WEEKDAYS[slot.weekday]}s, {clock_time(slot.starts)} to {clock_time(slot.ends)}",
                len(times_of_block(slot.starts, slot.ends, slot.minutes_per_review)),
                bookings_in_slot(slot, now),
            )
            for slot in review_slots_of(account.id, service.id)
        ],
        absences=[(one, _cover_words(one, service)) for one in absences],
        is_away=any(one.from_on <= today for one in absences),
    )


def _absence_page(from_on: date, until_on: date, form: FlaskForm) -> str:
    service = current_service(Role.SUPPORTER)
    colleagues = _colleagues(service, from_on)
    return render_template(
        "supporter/absence.html",
        form=form,
        from_on=from_on,
        until_on=until_on,
        from_day=from_on.isoformat(),
        until_day=until_on.isoformat(),
        rows=[_touched_row(item, colleagues) for item in _touched(service, from_on, until_on)],
        cover_choices=[(POOL, "Anyone in the pool"), *((str(one.id), one.full_name) for one in colleagues)],
        cover=request.form.get("cover", POOL),
    )


def _touched_row(touched: TouchedReview, colleagues: list[Account]) -> TouchedRow:
    name = f"review_{touched.review.id}"
    choices = [
        (str(one.id), f"{one.full_name} writes it on {long_day(touched.review.due_on)}") for one in colleagues
    ]
    if touched.can_wait:
        choices.append(
            (FIRST_DAY_BACK, f"I write it on {long_day(touched.moves_to)}, and the patient is told")
        )
    return TouchedRow(name, touched, choices, request.form.get(name, ""))


def _posted_choices(
    touched: list[TouchedReview], pool: dict[str, Account]
) -> dict[int, CoverBy | FirstDayBack]:
    choices: dict[int, CoverBy | FirstDayBack] = {}
    for item in touched:
        value = request.form.get(f"review_{item.review.id}", "")
        if value == FIRST_DAY_BACK:
            choices[item.review.id] = FirstDayBack()
        elif value in pool:
            choices[item.review.id] = CoverBy(pool[value].id)
    return choices


def _problem_with_days(from_on: date, until_on: date) -> str:
    if until_on < from_on:
        return "Enter a last day that is not before the first"
    if until_on < _today():
        return "Enter days that are still to come"
    if until_on > _today() + timedelta(days=LONGEST_ABSENCE_DAYS):
        return "Enter a day within the next year"
    return ""


def _days(from_day: str, until_day: str) -> tuple[date, date]:
    try:
        return date.fromisoformat(from_day), date.fromisoformat(until_day)
    except ValueError:
        abort(404)


def _touched(service: Service, from_on: date, until_on: date) -> list[TouchedReview]:
    return touched_reviews(
        current_account(), service=service, from_on=from_on, until_on=until_on, now=request_time()
    )


def _colleagues(service: Service, on: date) -> list[Account]:
    return [person for person in cover_pool(service.id, on) if person.id != current_account().id]


def _name(people: dict[str, Account], account_id: int) -> str:
    person = people.get(str(account_id))
    return person.full_name if person else "This colleague"


def _absences(account: Account) -> list[Absence]:
    return coming_absences(account.id, local_day(request_time(), account.zone))


def _cover_words(absence: Absence, service: Service) -> str:
    if absence.cover_id is None:
        return "covered by the pool"
    people = {person.id: person.full_name for person in cover_pool(service.id, absence.from_on)}
    return f"covered by {people.get(absence.cover_id, 'a colleague')}"


def _today() -> date:
    return local_day(request_time(), current_account().zone)


def _actor(service: Service) -> Actor:
    return current_actor(Role.SUPPORTER, service.id)
