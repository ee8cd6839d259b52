"""Days away: first what they touch and where each review goes, then kept in one step; changed, ended, or from now."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.hours.models import Absence, AbsenceReason
from icbt_support.hours.queries import absence_of
from icbt_support.hours.refusals import TimeNotFree, WrongAbsenceDays
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, current_account, current_service, request_time
from icbt_support.pages.kit import DatePartsField, long_day
from icbt_support.pages.supporter import absence_words
from icbt_support.pages.supporter.absence_words import POOL, days_words
from icbt_support.pages.supporter.hours_page import (
    AbsenceForm,
    AwayNowForm,
    hours_actor,
    render_hours,
    today,
)
from icbt_support.pages.supporter.today import note_caseload_read
from icbt_support.reviews.rules import LetterRefused
from icbt_support.rhythm.absence import (
    AbsenceInThePast,
    AwayAlready,
    CoverIsAway,
    NoPlaceAfterAbsence,
    ReviewsWithoutChoice,
    away_from_now,
    change_absence,
    come_back_early,
    end_absence,
    record_absence,
)
from icbt_support.rhythm.touched import Touched, everything_touched
from icbt_support.service.models import Service

blueprint = Blueprint("supporter_absence", __name__)

LONGEST_ABSENCE_DAYS = 366
View = Response | str | tuple[str, int]


class NewDaysForm(FlaskForm):
    from_on = DatePartsField("First day away")
    until_on = DatePartsField("Last day away")


@dataclass(frozen=True)
class Days:
    """The days that the page is about; `changes` is the absence that they replace."""

    from_on: date
    until_on: date
    reason: AbsenceReason
    changes: Absence | None = None

    @property
    def touched(self) -> Touched:
        return everything_touched(
            current_account(),
            service=current_service(Role.SUPPORTER),
            from_on=self.from_on,
            until_on=self.until_on,
            now=request_time(),
            apart_from=self.changes,
        )

    @property
    def address(self) -> str:
        first, last = self.from_on.isoformat(), self.until_on.isoformat()
        if self.changes is None:
            return url_for("supporter_absence.keep", from_day=first, until_day=last, reason=self.reason.value)
        return url_for(
            "supporter_absence.keep_change", absence_id=self.changes.id, from_day=first, until_day=last
        )


@blueprint.post("/supporting/hours/absence")
@allow(Role.SUPPORTER)
def choose() -> View:
    """Checks the days and leads to what they touch; nothing is changed yet."""
    form = AbsenceForm()
    from_on, until_on = form.from_on.data, form.until_on.data
    if not form.validate_on_submit() or from_on is None or until_on is None:
        return render_hours(absence_form=form)
    problem = _problem_with_days(from_on, until_on)
    if problem:
        form.until_on.errors = [problem]
        return render_hours(absence_form=form)
    return redirect(
        url_for(
            "supporter_absence.preview",
            from_day=from_on.isoformat(),
            until_day=until_on.isoformat(),
            reason=form.reason.data,
        )
    )


@blueprint.get("/supporting/hours/absence/<from_day>/<until_day>")
@allow(Role.SUPPORTER)
def preview(from_day: str, until_day: str) -> View:
    days = _asked_days(from_day, until_day)
    if _problem_with_days(days.from_on, days.until_on):
        return redirect(url_for("supporter_hours.show"))
    return _page(days, FlaskForm(formdata=None))


@blueprint.post("/supporting/hours/absence/<from_day>/<until_day>")
@allow(Role.SUPPORTER)
@commits
def keep(from_day: str, until_day: str) -> View:
    return _keep(_asked_days(from_day, until_day))


@blueprint.post("/supporting/hours/absences/<id:absence_id>/days")
@allow(Role.SUPPORTER)
def choose_change(absence_id: int) -> View:
    """Other days for an absence: leads to what they touch."""
    absence, form = _own_absence(absence_id), NewDaysForm()
    from_on, until_on = form.from_on.data or absence.from_on, form.until_on.data
    if until_on is None:
        flash("Enter the new last day away.", "problem")
        return redirect(url_for("supporter_absence.change", absence_id=absence.id))
    problem = _problem_with_days(from_on, until_on)
    if problem:
        flash(f"{problem}.", "problem")
        return redirect(url_for("supporter_absence.change", absence_id=absence.id))
    return redirect(
        url_for(
            "supporter_absence.preview_change",
            absence_id=absence.id,
            from_day=from_on.isoformat(),
            until_day=until_on.isoformat(),
        )
    )


@blueprint.get("/supporting/hours/absences/<id:absence_id>")
@allow(Role.SUPPORTER)
def change(absence_id: int) -> str:
    absence = _own_absence(absence_id)
    form = NewDaysForm(formdata=None, from_on=absence.from_on, until_on=absence.until_on)
    return render_template(
        "supporter/absence_change.html",
        absence=absence,
        days=days_words(absence),
        form=form,
        has_begun=absence.from_on <= today(),
    )


@blueprint.get("/supporting/hours/absences/<id:absence_id>/<from_day>/<until_day>")
@allow(Role.SUPPORTER)
def preview_change(absence_id: int, from_day: str, until_day: str) -> View:
    days = _changed_days(absence_id, from_day, until_day)
    if _problem_with_days(days.from_on, days.until_on):
        return redirect(url_for("supporter_hours.show"))
    return _page(days, FlaskForm(formdata=None))


@blueprint.post("/supporting/hours/absences/<id:absence_id>/<from_day>/<until_day>")
@allow(Role.SUPPORTER)
@commits
def keep_change(absence_id: int, from_day: str, until_day: str) -> View:
    return _keep(_changed_days(absence_id, from_day, until_day))


@blueprint.post("/supporting/hours/absences/<id:absence_id>/withdraw")
@allow(Role.SUPPORTER)
@commits
def withdraw(absence_id: int) -> Response:
    """Not away after all, or no longer: from today, or from the first day if that is still to come."""
    absence = _own_absence(absence_id)
    end_absence(
        absence,
        current_account(),
        today(),
        by=hours_actor(current_service(Role.SUPPORTER)),
        now=request_time(),
    )
    flash(
        "You are there. What the pool has not taken is yours again; the rest stays as patients were told.",
        "success",
    )
    return redirect(url_for("supporter_hours.show"))


@blueprint.post("/supporting/hours/away-now")
@allow(Role.SUPPORTER)
@commits
def go_away_now() -> View:
    service, form = current_service(Role.SUPPORTER), AwayNowForm()
    until_on = form.back_until.data
    if not form.validate_on_submit() or until_on is None:
        return render_hours(away_form=form)
    problem = _problem_with_days(today(), until_on)
    if problem:
        form.back_until.errors = [problem]
        return render_hours(away_form=form)
    gone = away_from_now(
        current_account(), service=service, until_on=until_on, by=hours_actor(service), now=request_time()
    )
    told = ", ".join(person.full_name for person in gone.told) or "nobody: there is no colleague to tell"
    flash(
        f"You are away. With the pool now: {_count(gone.reviews, 'review')}, {_count(gone.messages, 'message')}, "
        f"{_count(gone.alerts, 'alert')}. Told: {told}.",
        "success",
    )
    return redirect(url_for("supporter_hours.show"))


@blueprint.post("/supporting/hours/back")
@allow(Role.SUPPORTER)
@commits
def back() -> Response:
    come_back_early(current_account(), by=hours_actor(current_service(Role.SUPPORTER)), now=request_time())
    flash("You are back. Your caseload is yours again.", "success")
    return redirect(url_for("supporter_hours.show"))


def _keep(days: Days) -> View:
    if _problem_with_days(days.from_on, days.until_on):
        return redirect(url_for("supporter_hours.show"))
    service, form, touched = current_service(Role.SUPPORTER), FlaskForm(), days.touched
    cover = request.form.get("cover", POOL)
    if cover not in dict(absence_words.cover_choices(touched)):
        abort(400)
    words = _try_to_keep(days, touched, None if cover == POOL else int(cover), service)
    if words:
        db.session.rollback()
        form.form_errors.append(words)
        return _page(days, form), 422
    flash(f"You are away from {long_day(days.from_on)} to {long_day(days.until_on)}.", "success")
    return redirect(url_for("supporter_hours.show"))


def _try_to_keep(days: Days, touched: Touched, cover_id: int | None, service: Service) -> str:
    """Keeps the absence; or says what stands against it."""
    values: dict[str, Any] = {
        "service": service,
        "from_on": days.from_on,
        "until_on": days.until_on,
        "cover_id": cover_id,
        "choices": absence_words.posted_choices(touched, request.form),
        "by": hours_actor(service),
        "now": request_time(),
    }
    names = {one.account.id: one.account.full_name for one in touched.colleagues}
    try:
        if days.changes is not None:
            change_absence(days.changes, current_account(), **values)
        else:
            record_absence(current_account(), reason=days.reason, **values)
    except ReviewsWithoutChoice:
        return "Select what happens to each review"
    except CoverIsAway as refusal:
        name = names.get(refusal.account_id, "This colleague")
        return f"{name} is away on {long_day(refusal.on)}. Select somebody else"
    except (NoPlaceAfterAbsence, TimeNotFree, LetterRefused):
        return "There is no free time for one review after you are back. Select cover for it"
    except AwayAlready as refusal:
        return f"You are away {days_words(refusal.absence)} already. Change that absence instead"
    except (AbsenceInThePast, WrongAbsenceDays):
        return "Enter days that are still to come"
    return ""


def _page(days: Days, form: FlaskForm) -> str:
    note_caseload_read()
    touched = days.touched
    account = current_account()
    return render_template(
        "supporter/absence.html",
        form=form,
        days=days,
        rows=absence_words.review_rows(account, touched, days.reason, request.form),
        notes=absence_words.notes_on(touched),
        waiting=absence_words.also_waiting(touched),
        cover_choices=absence_words.cover_choices(touched),
        cover=request.form.get("cover", _standing_cover(days)),
    )


def _standing_cover(days: Days) -> str:
    is_named = days.changes is not None and days.changes.cover_id is not None
    return str(days.changes.cover_id) if is_named and days.changes else POOL


def _problem_with_days(from_on: date, until_on: date) -> str:
    if until_on < from_on:
        return "Enter a last day that is not before the first"
    if until_on < today():
        return "Enter days that are still to come"
    if until_on > today() + timedelta(days=LONGEST_ABSENCE_DAYS):
        return "Enter a day within the next year"
    if from_on < today() - timedelta(days=LONGEST_ABSENCE_DAYS):
        return "Enter a first day within the last year"
    return ""


def _asked_days(from_day: str, until_day: str) -> Days:
    try:
        reason = AbsenceReason(request.args.get("reason", ""))
    except ValueError:
        reason = AbsenceReason.AWAY
    return Days(*_read_days(from_day, until_day), reason)


def _changed_days(absence_id: int, from_day: str, until_day: str) -> Days:
    absence = _own_absence(absence_id)
    return Days(*_read_days(from_day, until_day), absence.reason or AbsenceReason.AWAY, absence)


def _read_days(from_day: str, until_day: str) -> tuple[date, date]:
    try:
        return date.fromisoformat(from_day), date.fromisoformat(until_day)
    except ValueError:
        abort(404)


def _own_absence(absence_id: int) -> Absence:
    """One of the signed-in supporter's own absences that has not passed; 404 otherwise."""
    absence = absence_of(current_account().id, absence_id)
    if absence is None or absence.until_on < today():
        abort(404)
    return absence


def _count(number: int, words: str) -> str:
    return f"{number} {words}" if number == 1 else f"{number} {words}s"
