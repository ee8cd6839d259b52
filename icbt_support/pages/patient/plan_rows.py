"""What a plan's items look like on the patient's pages: the words, the marks, and where each leads."""

from dataclasses import dataclass
from datetime import date, time

from flask import url_for

from icbt_support.accounts.models import ContactPreferences
from icbt_support.engagement.this_week import ThisWeek
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.queries import pages_read
from icbt_support.pages.kit import clock_time, long_day, minutes_words, short_day
from icbt_support.plan.models import ItemKind, ItemState, PlanItem
from icbt_support.plan.queries import ItemNow
from icbt_support.programme.library import find_programme
from icbt_support.reviews.queries import sent_reviews

EVENING_HOUR = 17
MINUTES_OF_A_DAY = 24 * 60
DAYS_OF_A_WEEK = 7


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


class PlanItems:
    """Where each item of a person's plan leads, and who agreed a step."""

    def __init__(self, enrolment: Enrolment, today: date) -> None:
        self.today = today
        self.programme = find_programme(enrolment.programme_slug, enrolment.programme_version)
        self.read = pages_read(enrolment)
        self.supporter = enrolment.supporter.called
        self.authors = {
            review.id: review.letter.author.called for review in sent_reviews(enrolment) if review.letter
        }

    def href(self, item: PlanItem) -> str:
        """The page of an item: the check-in, the session's next page, or the page about the item itself."""
        if item.kind is ItemKind.CHECK_IN:
            return url_for("patient_check_in.show")
        return self._session(item) or url_for("patient_plan_item.show", item_id=item.id)

    def start(self, item: PlanItem) -> str | None:
        """Where it begins: the session's next page, the tool, the page or the module; None for what is done
        elsewhere.
        """
        tool = self._tool(item)
        return (
            url_for("patient_tools.tool", tool=tool) if tool else self._session(item) or self._reading(item)
        )

    def title(self, item: PlanItem) -> str:
        if item.kind is not ItemKind.AGREED_STEP:
            return item.title
        by = _weekday(item.planned_on, self.today)
        return f"Agreed with {self.agreed_with(item)}: {_lower_first(item.title)} by {by}"

    def agreed_with(self, item: PlanItem) -> str:
        return self.authors.get(item.review_id or 0, self.supporter)

    def _session(self, item: PlanItem) -> str | None:
        """A session leads to its first page that is not read yet, or to its first page."""
        kind, _, rest = item.subject.partition(":")
        module_slug, _, session_slug = rest.partition("/")
        module = self.programme.module(module_slug) if kind == "session" else None
        session = module.session(session_slug) if module else None
        if session is None:
            return None
        unread = [page for page in session.pages if (module_slug, page) not in self.read]
        return url_for("patient_programme.page", module=module_slug, page=(unread or session.pages)[0])

    def _reading(self, item: PlanItem) -> str | None:
        """The page or the module that an agreed step is about."""
        kind, _, rest = item.subject.partition(":")
        module_slug, _, page_slug = rest.partition("/")
        module = self.programme.module(module_slug) if kind in ("page", "module") else None
        if module is None:
            return None
        if kind == "page" and module.page(page_slug) is not None:
            return url_for("patient_programme.page", module=module_slug, page=page_slug)
        return url_for("patient_programme.module", module=module_slug)

    def _tool(self, item: PlanItem) -> str | None:
        """The tool that a practice or an agreed step uses, if it uses one."""
        kind, _, rest = item.subject.partition(":")
        module_slug, _, practice_slug = rest.partition("/")
        module = self.programme.module(module_slug) if kind == "practice" else None
        practice = module.practice_task(practice_slug) if module else None
        return rest if kind == "tool" else practice.tool if practice else None


def row_of(now: ItemNow, week: ThisWeek, plan: PlanItems, preferences: ContactPreferences) -> PlanRow:
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
        state=_mark(now),
        title=plan.title(item),
        href=None if is_closed_check_in else plan.href(item),
        hint=_reason(item) or _hint(now, week.today, preferences),
        status=status,
        status_colour=colour,
    )


def _mark(now: ItemNow) -> str:
    if now.state is ItemState.DONE:
        return "done"
    return "skipped" if now.state is ItemState.SKIPPED else "planned"


def _reason(item: PlanItem) -> str:
    is_step_with_a_reason = item.kind is ItemKind.AGREED_STEP and item.why
    return f"because {_lower_first(item.why)}" if is_step_with_a_reason else ""


def _lower_first(words: str) -> str:
    return words[:1].lower() + words[1:] if words[1:2].islower() or words[1:2] == " " else words


def _hint(now: ItemNow, today: date, preferences: ContactPreferences) -> str:
    """Whether an email comes is said while it can still come: what became of it stands under Reminders."""
    item = now.item
    parts = [_when(item, today), minutes_words(item.minutes)]
    if not now.is_planned or item.planned_on < today:
        return " · ".join(parts)
    if item.is_emailed and item.planned_time is not None:
        lead = preferences.session_lead_minutes if item.kind is ItemKind.SESSION else 0
        parts.append(f"email at {clock_time(_earlier(item.planned_time, lead))}")
    else:
        parts.append("no email")
    return " · ".join(parts)


def _earlier(at: time, minutes: int) -> time:
    """The wall time so many minutes before, also across midnight."""
    total = (at.hour * 60 + at.minute - minutes) % MINUTES_OF_A_DAY
    return time(total // 60, total % 60)


def _when(item: PlanItem, today: date) -> str:
    at = f" {clock_time(item.planned_time)}" if item.planned_time else ", any time"
    if item.planned_on == today:
        is_evening = item.planned_time is not None and item.planned_time.hour >= EVENING_HOUR
        return f"{'Tonight' if is_evening else 'Today'}{at}"
    return f"{short_day(item.planned_on)}{at}"


def _weekday(on: date, today: date) -> str:
    """Sunday, for the days that come next; Sunday 22 November where the name alone could be another day."""
    return f"{on:%A}" if 0 <= (on - today).days < DAYS_OF_A_WEEK else long_day(on)


def _status(now: ItemNow, week: ThisWeek, is_closed_check_in: bool) -> tuple[str, str]:
    if now.state is ItemState.DONE:
        return "Completed", ""
    if now.state is ItemState.SKIPPED:
        return "Not this time", ""
    if is_closed_check_in and week.check_in_opens_on:
        return f"Opens {_weekday(week.check_in_opens_on, week.today)}", ""
    if now.item.kind is ItemKind.AGREED_STEP:
        at = f" {clock_time(now.item.planned_time)}" if now.item.planned_time else ""
        is_near = 0 <= (now.item.planned_on - week.today).days < DAYS_OF_A_WEEK
        on = f"{now.item.planned_on:%a}" if is_near else short_day(now.item.planned_on)
        return f"By {on}{at}", ""
    return "Not yet started", "blue"


def _when_next(item: PlanItem, today: date) -> str:
    if item.planned_on < today:
        return f"Planned for {short_day(item.planned_on)}, and any time is fine"
    return _when(item, today)


def next_row_of(week: ThisWeek, plan: PlanItems) -> PlanRow | None:
    if week.next_item is None:
        return None
    item = week.next_item.item
    return PlanRow(
        kind=item.kind.value,
        state="planned",
        title=plan.title(item),
        href=plan.start(item) or plan.href(item),
        hint=" · ".join((_when_next(item, week.today), minutes_words(item.minutes))),
        status="",
    )
