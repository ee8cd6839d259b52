"""This week: the patient's home."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, Response, redirect, render_template, url_for

from icbt_support.accounts.models import ContactPreferences, Role
from icbt_support.engagement.this_week import HomeState, ThisWeek, this_week
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.hours.queries import review_slots_of
from icbt_support.journal.queries import pages_read
from icbt_support.pages.guards import allow, current_account, my_enrolment, request_time
from icbt_support.pages.kit import clock_time, minutes_words, short_day
from icbt_support.plan.models import ItemKind, ItemState, PlanItem
from icbt_support.plan.queries import ItemNow
from icbt_support.programme.content import Programme
from icbt_support.programme.library import find_programme

blueprint = Blueprint("patient_week", __name__)
EVENING_HOUR = 17


@dataclass(frozen=True)
class PlanRow:
    kind: str
    state: str
    title: str
    href: str | None
    hint: str
    status: str
    status_colour: str = ""
    hidden_words: str = ""


@blueprint.get("/week")
@allow(Role.PATIENT)
def show() -> str | Response:
    enrolment = my_enrolment()
    if enrolment.state is EnrolmentState.INVITED:
        return redirect(url_for("patient_onboarding.begin"))  # type: ignore[return-value]
    week = this_week(enrolment, now=request_time())
    links = ItemLinks(enrolment)
    return render_template(
        "patient/week.html",
        week=week,
        rows=[row_of(item, week, links, current_account().preferences) for item in week.items],
        next_row=_next_row(week, links),
        enrolment=enrolment,
        supporter=enrolment.supporter,
        reads_on=reading_days(enrolment),
        HomeState=HomeState,
    )


class ItemLinks:
    """Where each item of a plan leads; a session leads to its first page that is not read yet."""

    def __init__(self, enrolment: Enrolment) -> None:
        self.programme: Programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
        self.read = pages_read(enrolment)

    def href(self, item: PlanItem) -> str:
        if item.kind is ItemKind.CHECK_IN:
            return url_for("patient_check_in.show")
        if item.kind is ItemKind.SESSION:
            return self._session(item)
        return url_for("patient_plan_item.show", item_id=item.id)

    def _session(self, item: PlanItem) -> str:
        module_slug, _, session_slug = item.subject.removeprefix("session:").partition("/")
        module = self.programme.module(module_slug)
        session = next((s for s in module.sessions if s.slug == session_slug), module.sessions[0])
        unread = [page for page in session.pages if (module_slug, page) not in self.read]
        page = unread[0] if unread else session.pages[0]
        return url_for("patient_programme.page", module=module_slug, page=page)


def row_of(now: ItemNow, week: ThisWeek, links: ItemLinks, preferences: ContactPreferences) -> PlanRow:
    item = now.item
    is_closed_check_in = (
        item.kind is ItemKind.CHECK_IN
        and now.state is ItemState.PLANNED
        and week.check_in_opens_on is not None
        and week.today < week.check_in_opens_on
    )
    status, colour = _status(now, week, is_closed_check_in)
    return PlanRow(
        kind=item.kind.value,
        state=_mark(now, week.today),
        title=_title(item, week),
        href=None if is_closed_check_in else links.href(item),
        hint=item.why and f"because {_lower_first(item.why)}"
        if item.kind is ItemKind.AGREED_STEP
        else _hint(item, week.today, preferences),
        status=status,
        status_colour=colour,
    )


def _mark(now: ItemNow, today: date) -> str:
    if now.state is ItemState.DONE:
        return "done"
    return "skipped" if now.state is ItemState.SKIPPED else "planned"


def _title(item: PlanItem, week: ThisWeek) -> str:
    if item.kind is not ItemKind.AGREED_STEP:
        return item.title
    who = week.next_review.owner.called if week.next_review else "your supporter"
    return f"Agreed with {who}: {_lower_first(item.title)} by {item.planned_on:%A}"


def _lower_first(words: str) -> str:
    return words[:1].lower() + words[1:] if words[1:2].islower() or words[1:2] == " " else words


def _hint(item: PlanItem, today: date, preferences: ContactPreferences) -> str:
    parts = [_when(item, today), minutes_words(item.minutes)]
    if item.is_emailed and item.planned_time is not None:
        lead = preferences.session_lead_minutes if item.kind is ItemKind.SESSION else 0
        at = datetime.combine(item.planned_on, item.planned_time) - timedelta(minutes=lead)  # noqa: DTZ001 (wall time)
        parts.append(f"email at {clock_time(at.time())}")
    else:
        parts.append("no email")
    return " · ".join(parts)


def _when(item: PlanItem, today: date) -> str:
    at = f" {clock_time(item.planned_time)}" if item.planned_time else ", any time"
    if item.planned_on == today:
        is_evening = item.planned_time is not None and item.planned_time.hour >= EVENING_HOUR
        return f"{'Tonight' if is_evening else 'Today'}{at}"
    return f"{short_day(item.planned_on)}{at}"


def _status(now: ItemNow, week: ThisWeek, is_closed_check_in: bool) -> tuple[str, str]:
    if now.state is ItemState.DONE:
        return "Completed", ""
    if now.state is ItemState.SKIPPED:
        return "Not this time", ""
    if is_closed_check_in and week.check_in_opens_on:
        return f"Opens {week.check_in_opens_on:%A}", ""
    if now.item.kind is ItemKind.AGREED_STEP:
        at = f" {clock_time(now.item.planned_time)}" if now.item.planned_time else ""
        return f"By {now.item.planned_on:%a}{at}", ""
    return "Not yet started", "blue"


def _next_row(week: ThisWeek, links: ItemLinks) -> PlanRow | None:
    if week.next_item is None:
        return None
    item = week.next_item.item
    return PlanRow(
        kind=item.kind.value,
        state="planned",
        title=_title(item, week),
        href=links.href(item),
        hint=f"{_when(item, week.today)} · {minutes_words(item.minutes)}",
        status="",
    )


def reading_days(enrolment: Enrolment) -> str:
    """The days on which the supporter reads and writes: "Thursdays", "Mondays and Thursdays"."""
    slots = review_slots_of(enrolment.supporter_id, enrolment.service_id)
    names = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
    days = [names[weekday] for weekday in sorted({slot.weekday for slot in slots})]
    if len(days) < 2:
        return days[0] if days else "working days"
    return f"{', '.join(days[:-1])} and {days[-1]}"
