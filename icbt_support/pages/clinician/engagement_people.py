"""The people behind a figure of the engagement page."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for

from icbt_support.accounts.models import Role
from icbt_support.engagement.behind_figures import (
    Behind,
    WeekFigure,
    behind_followed,
    behind_fortnight,
    behind_had_time,
    behind_opened,
    behind_week,
    courses_named,
)
from icbt_support.engagement.figures import DAYS_HERE
from icbt_support.enrolments.queries import courses_of_patient
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import long_day_year
from icbt_support.pages.reads import note_read
from icbt_support.programme.content import Programme
from icbt_support.programme.library import programmes
from icbt_support.service.models import Service

blueprint = Blueprint("clinician_engagement_people", __name__)
PEOPLE_ON_A_PAGE = 50
FOLLOWED, FORTNIGHT, OPENED, HAD_TIME = "followed", "fortnight", "opened", "had-time"
WEEK_WORDS = {
    WeekFigure.USED_A_TOOL: ("Used a tool", ""),
    WeekFigure.VISITED_ONLY: ("Visited and used no tool", ""),
    WeekFigure.DID_NOT_VISIT: ("Did not visit", ""),
    WeekFigure.SENT: ("Reminders sent", "reminder"),
    WeekFigure.HELD_BACK: ("Reminders held back", "reminder"),
    WeekFigure.WITHDRAWN: ("Reminders planned, then withdrawn", "reminder"),
    WeekFigure.ON_TIME: ("Reviews on time", "review"),
    WeekFigure.LATE: ("Reviews late", "review"),
    WeekFigure.SESSIONS_KEPT: ("Sessions kept", "session"),
    WeekFigure.SESSIONS_NOT_KEPT: ("Sessions planned and not kept", "session"),
}
DAYS_WORDS = ("the first day only", "2 or 3 days", "4 to 6 days", "7 days or more")


@dataclass(frozen=True)
class Asked:
    """A figure in words, and whose it is; `counted` names what is counted where that is not people."""

    title: str
    counted: str
    behind: Behind


@blueprint.get("/clinical/engagement/people")
@allow(Role.CLINICIAN)
def show() -> str:
    service, now = current_service(Role.CLINICIAN), request_time()
    asked = _of_others(_asked(service, now))
    note_read(
        "read_engagement",
        by=current_actor(Role.CLINICIAN, service.id),
        now=now,
        detail=f"people: {asked.title}",
    )
    page = min(max(request.args.get("page", 1, type=int), 1), 1_000_000)
    first = (page - 1) * PEOPLE_ON_A_PAGE
    shown = list(asked.behind)[first : first + PEOPLE_ON_A_PAGE]
    courses = courses_named(shown)
    return render_template(
        "clinician/engagement_people.html",
        title=asked.title,
        total_words=_total_words(asked),
        has_numbers=bool(asked.counted),
        rows=[(courses[number], _number_words(asked.behind[number], asked.counted)) for number in shown],
        showing=f"Showing {first + 1} to {first + len(shown)} of {len(asked.behind)}",
        previous_href=_page_address(page - 1) if page > 1 and asked.behind else "",
        next_href=_page_address(page + 1) if first + PEOPLE_ON_A_PAGE < len(asked.behind) else "",
    )


def week_address(figure: WeekFigure, monday: date) -> str:
    return url_for("clinician_engagement_people.show", figure=figure.value, week=monday.isoformat())


def followed_address() -> str:
    return url_for("clinician_engagement_people.show", figure=FOLLOWED)


def fortnight_address(group: int) -> str:
    return url_for("clinician_engagement_people.show", figure=FORTNIGHT, group=group)


def module_address(figure: str, programme: Programme, module: str) -> str:
    """`figure` is `OPENED` or `HAD_TIME`."""
    return url_for("clinician_engagement_people.show", figure=figure, programme=programme.slug, module=module)


def _of_others(asked: Asked) -> Asked:
    """Nobody who works here reads of themselves, also where a figure counts them."""
    own = courses_of_patient(current_account())
    return replace(
        asked, behind={number: count for number, count in asked.behind.items() if number not in own}
    )


def _asked(service: Service, now: datetime) -> Asked:
    """What the address asks for; 404 for a figure that there is not."""
    figure = request.args.get("figure", "")
    if figure in {one.value for one in WeekFigure}:
        return _asked_week(service, WeekFigure(figure), now)
    if figure == FOLLOWED:
        words = "Here within 48 hours of a reminder, in these eight weeks"
        return Asked(words, "reminder", behind_followed(service, now=now))
    if figure == FORTNIGHT:
        return _asked_fortnight(service, now)
    if figure not in (OPENED, HAD_TIME):
        abort(404)
    return _asked_module(service, figure, now)


def _asked_week(service: Service, figure: WeekFigure, now: datetime) -> Asked:
    try:
        day = date.fromisoformat(request.args.get("week", ""))
    except ValueError:
        abort(404)
    if not 2000 <= day.year < 2200:
        abort(404)
    monday = day - timedelta(days=day.weekday())
    words, counted = WEEK_WORDS[figure]
    title = f"{words}, in the week from {long_day_year(monday)}"
    return Asked(title, counted, behind_week(service, figure, monday, now=now))


def _asked_fortnight(service: Service, now: datetime) -> Asked:
    group = request.args.get("group", -1, type=int)
    if not 0 <= group < len(DAYS_HERE):
        abort(404)
    words = f"Here on {DAYS_WORDS[group]} of the first fortnight"
    return Asked(words, "", behind_fortnight(service, group, now=now))


def _asked_module(service: Service, figure: str, now: datetime) -> Asked:
    programme = programmes().get(request.args.get("programme", ""))
    module = programme.module(request.args.get("module", "")) if programme else None
    if programme is None or module is None:
        abort(404)
    name = f"module {module.number}, {module.title}"
    if figure == OPENED:
        return Asked(f"Opened {name}", "", behind_opened(service, programme, module, now=now))
    return Asked(f"The plan had time for {name}", "", behind_had_time(service, programme, module, now=now))


def _total_words(asked: Asked) -> str:
    people = _number_words(len(asked.behind), "person").replace("persons", "people")
    return (
        f"{_number_words(sum(asked.behind.values()), asked.counted)}, {people}" if asked.counted else people
    )


def _number_words(number: int, what: str) -> str:
    """ "1 review", "1,204 reviews" """
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _page_address(page: int) -> str:
    names = ("figure", "week", "group", "programme", "module")
    kept: dict[str, Any] = {name: request.args[name] for name in names if name in request.args}
    return url_for("clinician_engagement_people.show", **kept, page=page)
