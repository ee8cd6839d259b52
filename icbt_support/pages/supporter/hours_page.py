"""*My hours* as a page: its forms, the week with what is booked, the limits, days away, and what the pool waits for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import render_template, request, url_for
from flask_wtf import FlaskForm
from sqlalchemy.orm import joinedload
from wtforms import RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import names_of
from icbt_support.audit.models import Actor
from icbt_support.cadence import local_day, to_local
from icbt_support.db import db
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours.capacity import BlockOnDay, WeekOfSlots, limit_of, week_of_slots
from icbt_support.hours.models import Absence, AbsenceReason, ReviewSlot
from icbt_support.hours.queries import bookings_in_slot, coming_absences, review_slots_of
from icbt_support.hours.rules import times_of_block
from icbt_support.pages.fields import as_choices, time_choices
from icbt_support.pages.guards import current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import DatePartsField, clock_time, long_day
from icbt_support.pages.supporter.today import note_caseload_read
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.models import Review
from icbt_support.service.models import Service

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
REASON_WORDS = {
    AbsenceReason.LEAVE: "On leave",
    AbsenceReason.COURSE: "On a course",
    AbsenceReason.AWAY: "Away, without saying more",
}
WEEKS_AHEAD = 12


class SlotForm(FlaskForm):
    weekday = SelectField(
        "Day", choices=[SelectChoice(str(number), name) for number, name in enumerate(WEEKDAYS)]
    )
    starts = SelectField("From", choices=as_choices(time_choices(6, 22)), default="09:00")
    ends = SelectField("To", choices=as_choices(time_choices(6, 23)), default="12:00")
    minutes = SelectField(
        "Minutes for one review",
        choices=[SelectChoice(str(minutes), f"{minutes} minutes") for minutes in (10, 15, 20, 30)],
        default="15",
    )


class AbsenceForm(FlaskForm):
    from_on = DatePartsField("First day away", validators=[InputRequired("Enter the first day away")])
    until_on = DatePartsField("Last day away", validators=[InputRequired("Enter the last day away")])
    reason = RadioField(
        "What patients read where a date moves",
        choices=[SelectChoice(reason.value, words) for reason, words in REASON_WORDS.items()],
        default=AbsenceReason.AWAY.value,
        validators=[InputRequired("Select what patients read")],
    )


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
class BlockRow:
    """One block of the shown week: "Thursday 26 November, 9am to 1pm", its words, and who is booked when."""

    heading: str
    words: str
    booked: list[tuple[str, str, str]]


@dataclass(frozen=True)
class PoolRow:
    review: Review
    name: str
    due: str
    owner: str


def render_hours(
    *,
    slot_form: SlotForm | None = None,
    absence_form: AbsenceForm | None = None,
    away_form: AwayNowForm | None = None,
) -> str:
    """The page; a form that was posted with a mistake shows its errors."""
    note_caseload_read()
    service, account, now = current_service(Role.SUPPORTER), current_account(), request_time()
    posted = next((form for form in (slot_form, absence_form, away_form) if form is not None), None)
    monday = _shown_monday(account)
    week = week_of_slots(account, monday, service=service)
    absences = own_absences()
    return render_template(
        "supporter/hours.html",
        slot_form=slot_form or SlotForm(formdata=None),
        absence_form=absence_form or AbsenceForm(formdata=None),
        away_form=away_form or AwayNowForm(formdata=None),
        posted=posted,
        week=week,
        week_words=week_words(week),
        blocks=_block_rows(week, account),
        earlier=_week_link(monday - timedelta(weeks=1), account),
        later=_week_link(monday + timedelta(weeks=1), account),
        limits=_limit_words(account, service, week),
        slots=[_slot_row(slot, now) for slot in review_slots_of(account.id, service.id)],
        absences=[(one, cover_words(one)) for one in absences],
        is_away=any(one.from_on <= today() for one in absences),
        pool=_with_the_pool(account, now),
    )


def week_words(week: WeekOfSlots) -> str:
    """ "6 of 12 places taken, 90 of 180 minutes" """
    return (
        f"{week.taken} of {week.places} {'place' if week.places == 1 else 'places'} taken, "
        f"{week.minutes_taken} of {week.minutes} minutes"
    )


def today() -> date:
    return local_day(request_time(), current_account().zone)


def own_absences() -> list[Absence]:
    return coming_absences(current_account().id, today())


def hours_actor(service: Service) -> Actor:
    return current_actor(Role.SUPPORTER, service.id)


def cover_words(absence: Absence) -> str:
    if absence.cover_id is None:
        return "covered by the pool"
    return f"covered by {names_of({absence.cover_id})[absence.cover_id]}"


def _shown_monday(account: Account) -> date:
    """The week in the address, if it is one; else this one."""
    here = today()
    try:
        asked = date.fromisoformat(request.args.get("week", ""))
    except ValueError:
        asked = here
    if abs((asked - here).days) > 7 * WEEKS_AHEAD:
        asked = here
    return asked - timedelta(days=asked.weekday())


def _week_link(monday: date, account: Account) -> str:
    if abs((monday - today()).days) > 7 * (WEEKS_AHEAD - 1):
        return ""
    return url_for("supporter_hours.show", week=monday.isoformat())


def _slot_row(slot: ReviewSlot, now: datetime) -> SlotRow:
    return SlotRow(
        slot,
        f"{WEEKDAYS[slot.weekday]}s, {clock_time(slot.starts)} to {clock_time(slot.ends)}",
        len(times_of_block(slot.starts, slot.ends, slot.minutes_per_review)),
        bookings_in_slot(slot, now),
    )


def _block_rows(week: WeekOfSlots, account: Account) -> list[BlockRow]:
    ids = {place.enrolment_id for block in week.blocks for place in block.places if place.enrolment_id}
    names = _names(ids, account)
    return [_block_row(block, names, account.zone) for block in week.blocks]


def _names(enrolment_ids: set[int], account: Account) -> dict[int, str]:
    if not enrolment_ids:
        return {}
    scope = enrolments.for_supporter(account, now=request_time())
    rows = db.session.scalars(
        scope.where(Enrolment.id.in_(enrolment_ids)).options(joinedload(Enrolment.patient))
    )
    return {row.id: row.patient.full_name for row in rows}


def _block_row(block: BlockOnDay, names: Mapping[int, str], zone: str) -> BlockRow:
    heading = f"{long_day(block.on)}, {clock_time(block.slot.starts)} to {clock_time(block.slot.ends)}"
    if block.is_away:
        words = "You are away"
    elif block.is_closed:
        words = "The service is closed"
    else:
        free = len(block.places) - block.taken
        words = f"{block.taken} taken, {free} free"
    booked = [
        (
            clock_time(to_local(place.starts_at, zone)),
            names.get(place.enrolment_id, "Somebody who is not in your caseload"),
            url_for("supporter_patient.show", enrolment_id=place.enrolment_id)
            if place.enrolment_id in names
            else "",
        )
        for place in block.places
        if place.enrolment_id is not None
    ]
    return BlockRow(heading, words, booked)


def _limit_words(account: Account, service: Service, week: WeekOfSlots) -> list[str]:
    """ "18 of at most 25 people", as a clinician has set it."""
    limit = limit_of(account.id, service.id)
    people = sum(
        1 for course in enrolments.open_enrolments_of_supporter(account.id) if course.service_id == service.id
    )
    if limit is None:
        return [f"{people} {'person' if people == 1 else 'people'}, no limit set"]
    words = [
        f"{people} of at most {limit.people} people"
        if limit.people
        else f"{people} {'person' if people == 1 else 'people'}, no limit set"
    ]
    if limit.minutes_a_week:
        words.append(f"{week.minutes_taken} of at most {limit.minutes_a_week} minutes in this week")
    return words


def _with_the_pool(account: Account, now: datetime) -> list[PoolRow]:
    """Reviews of colleagues that anybody here may take."""
    waiting = db.session.scalars(
        reviews.for_supporter(account, now=now)
        .where(Review.pooled_at.is_not(None), Review.state.in_(reviews.OWED), Review.owner_id != account.id)
        .options(joinedload(Review.enrolment).joinedload(Enrolment.patient), joinedload(Review.owner))
        .order_by(Review.promised_at, Review.id)
    )
    return [
        PoolRow(one, one.enrolment.patient.full_name, long_day(one.due_on), one.owner.full_name)
        for one in waiting
    ]
