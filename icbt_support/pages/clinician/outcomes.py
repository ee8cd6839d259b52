"""Outcomes of the service, worked out in the open; every figure leads to the people behind it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from markupsafe import Markup

from icbt_support.accounts.models import Role
from icbt_support.cadence import local_day
from icbt_support.engagement.dropping_out import people_who_dropped_out_at, people_who_had_dropped_out
from icbt_support.engagement.outcome_filter import NO_GROUP, OutcomeFilter
from icbt_support.engagement.outcomes import (
    Figure,
    OutcomeReport,
    courses_to_list,
    outcomes_of,
    people_behind,
)
from icbt_support.engagement.printed_outcomes import PrintedNumbers, printed_numbers
from icbt_support.enrolments.models import END_CODE_WORDS, EndCode
from icbt_support.enrolments.queries import courses_of_patient
from icbt_support.measures.outcomes import DEFINITIONS, Outcome
from icbt_support.measures.small_numbers import without_small_rates
from icbt_support.pages import charts
from icbt_support.pages.attrition_chart import attrition_curve
from icbt_support.pages.clinician.outcome_filters import (
    address,
    asked_slug,
    filter_links,
    filter_words,
    group_names,
    people_address,
    programme_title,
    wanted_filter,
)
from icbt_support.pages.guards import allow, current_account, current_actor, current_service, request_time
from icbt_support.pages.kit import long_day_year
from icbt_support.pages.outcome_words import (
    NOT_NATIONAL,
    BreakdownRow,
    Cell,
    breakdown_rows,
    count_cell,
    month_words,
    rate_cell,
    swapped,
)
from icbt_support.pages.reads import note_read
from icbt_support.patient_groups.queries import groups_of
from icbt_support.programme.library import programmes
from icbt_support.service.models import Service

blueprint = Blueprint("clinician_outcomes", __name__)
PEOPLE_ON_A_PAGE = 50
KEPT_ON_PAGES = ("programme", "from", "until", "group", "figure", "code", "module", "week")
FIGURE_WORDS = {
    Figure.ENDED: "Courses that ended",
    Figure.NEVER_STARTED: "Never started",
    Figure.COMPLETED: "Completed treatment",
    Figure.NOT_COMPLETED: "Ended with fewer than two confirmed contacts",
    Figure.MISSING_SCORES: "Completed, with a score missing",
    Figure.DROPPED_OUT: "Stopped early",
}


@blueprint.get("/clinical/outcomes")
@allow(Role.CLINICIAN)
def show() -> str:
    service, now = current_service(Role.CLINICIAN), request_time()
    groups = groups_of(service)
    wanted = wanted_filter(groups)
    _note_read(service, now, "")
    report = outcomes_of(service, wanted, now=now)
    printed = printed_numbers(report)
    names = group_names(groups)
    return render_template(
        "clinician/outcomes.html",
        not_national=NOT_NATIONAL,
        filters=filter_links(wanted, names, today=local_day(now, service.zone)),
        filter_words=filter_words(wanted, names),
        report=report,
        tiles_shown=_tiles(report, printed, wanted),
        rates=_rate_rows(report, wanted),
        rates_chart=_rates_chart(report) if report.rates.completed else None,
        has_hidden=None in without_small_rates([report.rates])[0].values(),
        breakdowns=_breakdowns(report, wanted, names),
        outcome_heads=[DEFINITIONS[one].title for one in Outcome],
        end_codes=_end_codes(report, printed, wanted),
        dropped_out=swapped(
            rate_cell(report.dropped_out, printed.dropped_out, people_address(wanted, Figure.DROPPED_OUT))
        ),
        dropped_out_at=_dropped_out_at(report, printed, wanted),
        attrition=attrition_curve(report.attrition) if report.attrition else None,
        attrition_links=[
            (
                one.week,
                one.dropped_out,
                people_address(wanted.whenever_ended, Figure.DROPPED_OUT, week=one.week),
            )
            for one in report.attrition
            if one.dropped_out
        ],
        swapped=swapped,
    )


@blueprint.get("/clinical/outcomes/people")
@allow(Role.CLINICIAN)
def people() -> str:
    service, now = current_service(Role.CLINICIAN), request_time()
    groups = groups_of(service)
    wanted, title, everybody = _asked_people(service, wanted_filter(groups), now)
    own = courses_of_patient(current_account())
    found = [number for number in everybody if number not in own]
    page = max(request.args.get("page", 1, type=int), 1)
    first = (page - 1) * PEOPLE_ON_A_PAGE
    shown = courses_to_list(found[first : first + PEOPLE_ON_A_PAGE])
    _note_read(service, now, f"people: {title}")
    arguments = {name: request.args[name] for name in KEPT_ON_PAGES if name in request.args}
    return render_template(
        "clinician/outcome_people.html",
        title=title,
        filter_words=filter_words(wanted, group_names(groups)),
        back_href=address(wanted),
        rows=[
            (
                enrolment,
                programme_title(enrolment.programme_slug),
                long_day_year(local_day(enrolment.ended_at, service.zone)) if enrolment.ended_at else "",
                END_CODE_WORDS[enrolment.end_code] if enrolment.end_code else "Not recorded",
            )
            for enrolment in shown
        ],
        first=first + 1,
        last=first + len(shown),
        total=len(found),
        previous_href=_page_address(arguments, page - 1) if page > 1 and found else "",
        next_href=_page_address(arguments, page + 1) if first + PEOPLE_ON_A_PAGE < len(found) else "",
    )


def _asked_people(
    service: Service, wanted: OutcomeFilter, now: datetime
) -> tuple[OutcomeFilter, str, list[int]]:
    """The filter, the words and the courses of the figure that the address names; 404 for one that there is not."""
    name = request.args.get("figure", Figure.ENDED.value)
    figure = _figure_named(name)
    week = request.args.get("week", type=int)
    if figure is Figure.DROPPED_OUT and week is not None:
        found = people_who_had_dropped_out(service, wanted, min(max(week, 0), 1000), now=now)
        return (
            wanted.whenever_ended,
            f"Stopped early within {week} {'week' if week == 1 else 'weeks'} of the start",
            found,
        )
    module = asked_slug("module")
    if figure is Figure.DROPPED_OUT and module is not None:
        programme = wanted.programme or ""
        found = people_who_dropped_out_at(service, wanted, programme, module)
        return wanted, f"Stopped early at: {_module_title(programme, module)}", found
    code = _code_named(request.args.get("code"))
    found = people_behind(service, wanted, figure, end_code=code)
    title = DEFINITIONS[figure].title if isinstance(figure, Outcome) else FIGURE_WORDS[figure]
    return wanted, f"{title}: {END_CODE_WORDS[code]}" if code else title, found


def _figure_named(name: str) -> Figure | Outcome:
    known: dict[str, Figure | Outcome] = {one.value: one for kind in (Figure, Outcome) for one in kind}
    if name not in known:
        abort(404)
    return known[name]


def _code_named(name: str | None) -> EndCode | None:
    if name is None:
        return None
    if name not in {one.value for one in EndCode}:
        abort(404)
    return EndCode(name)


def _page_address(arguments: dict[str, Any], page: int) -> str:
    return url_for("clinician_outcomes.people", **arguments, page=page)


def _note_read(service: Service, now: datetime, detail: str) -> None:
    note_read("read_outcomes", by=current_actor(Role.CLINICIAN, service.id), now=now, detail=detail)


def _tiles(report: OutcomeReport, printed: PrintedNumbers, wanted: OutcomeFilter) -> list[dict[str, Any]]:
    rates = report.rates

    def cell(count: int, shown: int | None, figure: Figure) -> Cell:
        return count_cell(count, shown, people_address(wanted, figure))

    ended = count_cell(report.ended, printed.ended)
    completed = count_cell(rates.completed, printed.completed)
    return [
        _tile(
            "Courses that ended",
            cell(report.ended, printed.ended, Figure.ENDED),
            None,
            "Courses that had started. Training never counts.",
        ),
        _tile(
            "Completed treatment",
            cell(rates.completed, printed.completed, Figure.COMPLETED),
            ended,
            "Two or more confirmed treatment contacts",
        ),
        _tile(
            "Fewer than two contacts",
            cell(report.ended - rates.completed, printed.not_completed, Figure.NOT_COMPLETED),
            ended,
            "In no rate below",
        ),
        _tile(
            "A score is missing",
            cell(rates.with_missing_scores, printed.missing_scores, Figure.MISSING_SCORES),
            completed,
            "Completed, but not every score at start and end",
        ),
        _tile(
            "Never started",
            cell(report.never_started, printed.never_started, Figure.NEVER_STARTED),
            None,
            "Counted apart: this is not stopping early",
        ),
    ]


def _tile(label: str, cell: Cell, of: Cell | None, detail: str) -> dict[str, Any]:
    if of is not None and of.words == "0":
        return {"label": label, "value": "No figure", "of": "", "detail": "Nobody yet"}
    if of is not None and of.is_hidden:
        value = swapped(cell) + Markup('<small class="screen-only"> of {}</small>').format(of.words)
        return {"label": label, "value": value, "of": "", "detail": detail}
    return {"label": label, "value": swapped(cell), "of": of.words if of else "", "detail": detail}


def _rate_rows(report: OutcomeReport, wanted: OutcomeFilter) -> list[tuple[Any, ...]]:
    [printed] = without_small_rates([report.rates])
    return [
        (
            DEFINITIONS[one].title,
            swapped(rate_cell(report.rates.by_outcome[one], printed[one], people_address(wanted, one))),
            DEFINITIONS[one].counts,
            DEFINITIONS[one].out_of,
            DEFINITIONS[one].missing,
        )
        for one in Outcome
    ]


def _rates_chart(report: OutcomeReport) -> charts.Chart:
    rows = []
    for one in Outcome:
        rate = report.rates.by_outcome[one]
        low, high = rate.interval or (0.0, 0.0)
        rows.append((DEFINITIONS[one].title, rate.count, rate.total, low, high))
    return charts.intervals("outcome-rates", "Rates with their 95% intervals", rows, label_name="Outcome")


def _breakdowns(
    report: OutcomeReport, wanted: OutcomeFilter, names: dict[int, str]
) -> list[tuple[str, list[BreakdownRow]]]:
    by_programme = [replace(wanted, programme=slug) for slug in report.by_programme]
    by_month = [replace(wanted, from_month=month, until_month=month) for month in report.by_month]
    by_group = {
        number: replace(wanted, group_id=number) for number in [*names, NO_GROUP] if number in report.by_group
    }
    return [
        (
            "Programme",
            _rows([programme_title(slug) for slug in report.by_programme], report.by_programme, by_programme),
        ),
        (
            "Month of ending",
            _rows([month_words(month) for month in report.by_month], report.by_month, by_month),
        ),
        (
            "Patient group",
            _rows(
                [names.get(number, "Not recorded") for number in by_group],
                {number: report.by_group[number] for number in by_group},
                list(by_group.values()),
            ),
        ),
    ]


def _rows(labels: list[str], groups: dict[Any, Any], filters: list[OutcomeFilter]) -> list[BreakdownRow]:
    return breakdown_rows(
        labels,
        list(groups.values()),
        [address(one) for one in filters],
        [people_address(one, Figure.COMPLETED) for one in filters],
        [{outcome: people_address(one, outcome) for outcome in Outcome} for one in filters],
    )


def _end_codes(
    report: OutcomeReport, printed: PrintedNumbers, wanted: OutcomeFilter
) -> list[tuple[str, Markup]]:
    return [
        (
            END_CODE_WORDS[code],
            swapped(
                count_cell(
                    count,
                    printed.end_codes[code],
                    people_address(wanted, Figure.ENDED, code=code.value),
                )
            ),
        )
        for code, count in report.end_codes.items()
    ]


def _dropped_out_at(
    report: OutcomeReport, printed: PrintedNumbers, wanted: OutcomeFilter
) -> list[tuple[str, Markup]]:
    rows = sorted(
        zip(report.dropped_out_at, printed.dropped_out_at, strict=True),
        key=lambda pair: (pair[0].programme, _module_place(pair[0].programme, pair[0].module)),
    )
    return [
        (
            f"{programme_title(row.programme)}: {_module_title(row.programme, row.module)}",
            swapped(
                count_cell(
                    row.count,
                    shown,
                    people_address(
                        replace(wanted, programme=row.programme), Figure.DROPPED_OUT, module=row.module
                    ),
                )
            ),
        )
        for row, shown in rows
    ]


def _module_place(programme: str, module: str) -> int:
    known = programmes().get(programme)
    return next((one.number for one in known.modules if one.slug == module), 0) if known else 0


def _module_title(programme: str, module: str) -> str:
    known = programmes().get(programme)
    found = known.module(module) if known else None
    if found is None:
        return module or "before the first week"
    return f"module {found.number}, {found.title}"
