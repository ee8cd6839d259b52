"""Somebody who works here and takes a course here meets themselves nowhere in the pages of staff."""

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask

from icbt_support.accounts.models import Role
from icbt_support.accounts.operations import give_role
from icbt_support.db import db
from icbt_support.engagement.behind_figures import WeekFigure
from icbt_support.enrolments.queries import for_patient
from icbt_support.risk.queries import (
    open_alert_count,
    open_alerts,
    resolved_alert_count,
    untaken_alert_count,
)
from tests.browsing import PageClient
from tests.cast import OPERATOR, Cast
from tests.clean_slate import made_once
from tests.contracts.full_house import House, canaries_in, furnish, is_of_a_patient
from tests.contracts.walking import addresses, all_ids, rules

MAIN = re.compile(r"<main.*</main>", re.DOTALL)


@pytest.fixture
def house(app: Flask, cast: Cast, now: datetime) -> House:
    return made_once("house", lambda: furnish(cast, now))


@pytest.fixture
def alex(app: Flask, cast: Cast, house: House, now: datetime) -> PageClient:
    """The patient Alex has become a clinician of the same service."""
    give_role(cast.patient, Role.CLINICIAN, service_id=cast.service.id, by=OPERATOR, now=now)
    db.session.commit()
    return PageClient(app).sign_in(cast.patient)


def main_of(browser: PageClient, address: str) -> str:
    found = MAIN.search(browser.http.get(address).get_data(as_text=True))
    return found.group() if found else ""


def test_no_page_for_clinicians_holds_anything_of_ones_own_course(
    app: Flask, cast: Cast, alex: PageClient
) -> None:
    own = for_patient(cast.patient)
    assert own is not None
    link, met, opened = re.compile(rf'/(?:patients|contacts)/{own.id}["/]'), set(), 0
    for rule in rules(app, "GET"):
        if not rule.endpoint.startswith("clinician_") or "exports" in rule.endpoint:
            continue
        for address in addresses(app, rule, all_ids()):
            page = main_of(alex, address)
            opened += bool(page)
            if link.search(page) or any(
                one[0] == "alex" and is_of_a_patient(one) for one in canaries_in(page)
            ):
                met.add(address)
    assert met == set()
    assert opened > 20


def test_no_list_names_oneself_and_no_count_leads_there(
    cast: Cast, alex: PageClient, house: House, now: datetime
) -> None:
    jo = PageClient(alex.app).sign_in(cast.clinician)
    monday = now.date() - timedelta(days=now.date().weekday())
    lists = [
        "/clinical/caseload",
        "/clinical/caseload?group=need-a-look",
        f"/clinical/caseload?supporter={cast.supporter.id}",
        f"/clinical/engagement/people?figure={WeekFigure.USED_A_TOOL.value}&week={monday}",
        f"/clinical/engagement/people?figure={WeekFigure.VISITED_ONLY.value}&week={monday}",
        "/clinical/contacts",
        "/clinical/risk",
        f"/clinical/supervision/{cast.supporter.id}",
        "/clinical/supervision/meetings/1",
        "/clinical/outcomes/people?figure=ended",
        f"/clinical/team/{cast.supporter.id}/leaving",
    ]
    named = {address for address in lists if cast.patient.full_name in main_of(jo, address)}
    assert len(named) >= 5, named
    assert {address for address in lists if cast.patient.full_name in main_of(alex, address)} == set()
    services = [cast.service.id]
    about_alex = len([one for one in open_alerts(services) if one.enrolment.patient_id == cast.patient.id])
    assert about_alex > 0
    assert len(open_alerts(services)) - len(open_alerts(services, reader_id=cast.patient.id)) == about_alex
    for count in (open_alert_count, untaken_alert_count, resolved_alert_count):
        assert count(services, reader_id=cast.patient.id) < count(services) or not count(services)
