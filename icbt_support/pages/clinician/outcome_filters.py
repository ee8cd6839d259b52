"""Filters of the outcomes as links that can be shared, and addresses of the people behind a figure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import request, url_for

from icbt_support.engagement.outcome_filter import NO_GROUP, OutcomeFilter
from icbt_support.engagement.outcomes import Figure
from icbt_support.measures.outcomes import Outcome
from icbt_support.pages.outcome_words import month_words
from icbt_support.patient_groups.models import PatientGroup
from icbt_support.programme.library import programmes

SPANS = ((1, "This month"), (3, "Last 3 months"), (6, "Last 6 months"), (12, "Last 12 months"))
MONTHS_OFFERED = 12
FIRST_YEAR, LAST_YEAR = 2000, 2200
_SLUG = re.compile(r"[a-z0-9-]{0,60}")


@dataclass(frozen=True)
class FilterLink:
    label: str
    href: str
    is_current: bool


def wanted_filter(groups: Sequence[PatientGroup]) -> OutcomeFilter:
    """What the address asks for; a word that it does not know asks for nothing."""
    group = request.args.get("group", "")
    known = {str(one.id): one.id for one in groups} | {"none": NO_GROUP}
    return OutcomeFilter(
        programme=asked_slug("programme") or None,
        from_month=_month(request.args.get("from", "")),
        until_month=_month(request.args.get("until", "")),
        group_id=known.get(group),
    )


def asked_slug(name: str) -> str | None:
    """A name of a programme or a module, as the address has it; None for anything that cannot be one."""
    given = request.args.get(name)
    return given if given is not None and _SLUG.fullmatch(given) else None


def address(wanted: OutcomeFilter) -> str:
    return url_for("clinician_outcomes.show", **_arguments(wanted))


def people_address(
    wanted: OutcomeFilter,
    figure: Figure | Outcome,
    *,
    code: str | None = None,
    module: str | None = None,
    week: int | None = None,
) -> str:
    extra: dict[str, Any] = {"figure": figure.value, "code": code, "module": module, "week": week}
    return url_for("clinician_outcomes.people", **_arguments(wanted), **extra)


def group_names(groups: Sequence[PatientGroup]) -> dict[int, str]:
    return {one.id: one.name for one in groups}


def programme_title(slug: str) -> str:
    known = programmes().get(slug)
    return known.title if known else slug


def filter_links(
    wanted: OutcomeFilter, names: Mapping[int, str], *, today: date
) -> list[tuple[str, list[FilterLink]]]:
    this_month = today.replace(day=1)
    spans = [(words, months_before(this_month, number - 1)) for number, words in SPANS]
    months = [months_before(this_month, back) for back in reversed(range(MONTHS_OFFERED))]
    slugs = sorted({*programmes(), *([wanted.programme] if wanted.programme else [])})
    rows = [
        (
            "Programme",
            [_link("All", wanted, replace(wanted, programme=None))]
            + [_link(programme_title(slug), wanted, replace(wanted, programme=slug)) for slug in slugs],
        ),
        (
            "Ended",
            [_link("At any time", wanted, wanted.whenever_ended)]
            + [
                _link(words, wanted, replace(wanted, from_month=first, until_month=this_month))
                for words, first in spans
            ],
        ),
        ("From", [_link(_short(month), wanted, replace(wanted, from_month=month)) for month in months]),
        ("Until", [_link(_short(month), wanted, replace(wanted, until_month=month)) for month in months]),
    ]
    if names:
        choices: list[tuple[int | None, str]] = [(None, "All"), *names.items(), (NO_GROUP, "Not recorded")]
        links = [_link(name, wanted, replace(wanted, group_id=number)) for number, name in choices]
        rows.append(("Patient group", links))
    return rows


def filter_words(wanted: OutcomeFilter, names: Mapping[int, str]) -> str:
    """ "Low mood · ended in November 2026 · 18 to 25"; what is not narrowed is not said."""
    parts = [programme_title(wanted.programme)] if wanted.programme else ["All programmes"]
    if wanted.from_month and wanted.from_month == wanted.until_month:
        parts.append(f"ended in {month_words(wanted.from_month)}")
    else:
        if wanted.from_month:
            parts.append(f"ended from {month_words(wanted.from_month)}")
        if wanted.until_month:
            parts.append(f"ended until {month_words(wanted.until_month)}")
    if wanted.group_id is not None:
        parts.append(f"group: {names.get(wanted.group_id, 'not recorded')}")
    return " · ".join(parts)


def months_before(first: date, months: int) -> date:
    years, month = divmod(first.year * 12 + first.month - 1 - months, 12)
    return date(years, month + 1, 1)


def _arguments(wanted: OutcomeFilter) -> dict[str, Any]:
    group = "none" if wanted.group_id == NO_GROUP else str(wanted.group_id or "")
    given = {
        "programme": wanted.programme or "",
        "from": f"{wanted.from_month:%Y-%m}" if wanted.from_month else "",
        "until": f"{wanted.until_month:%Y-%m}" if wanted.until_month else "",
        "group": group,
    }
    return {name: value for name, value in given.items() if value}


def _link(label: str, wanted: OutcomeFilter, narrowed: OutcomeFilter) -> FilterLink:
    return FilterLink(label, address(narrowed), narrowed == wanted)


def _month(text: str) -> date | None:
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return month if FIRST_YEAR <= month.year < LAST_YEAR else None


def _short(month: date) -> str:
    return f"{month:%b} {month.year}"
