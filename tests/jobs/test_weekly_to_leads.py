"""The weekly email: to those who lead, once, on the first working day, in figures without a person in them."""

from datetime import UTC, datetime

from flask import Flask

from icbt_support import clock
from icbt_support.audit import Actor
from icbt_support.db import db
from icbt_support.feedback.operations import report_problem
from icbt_support.implementation.operations import name_lead
from icbt_support.implementation.rules import LeadKind
from icbt_support.jobs.runner import tick
from tests.cast import Cast
from tests.jobs.test_people_told import mails_to

BY = Actor.system("test")
MONDAY_EARLY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
LEAD, CHAMPION = LeadKind.IMPLEMENTATION_LEAD, LeadKind.CLINICAL_CHAMPION


def run(app: Flask, when: datetime, *names: str) -> dict[str, str]:
    db.session.commit()
    clock.stop_clock_at(when)
    return dict(tick(app, names=names))


def test_leads_get_five_figures_once_and_nobody_else_does(app: Flask, cast: Cast, now: datetime) -> None:
    name_lead(cast.service.id, LEAD, cast.supporter, by=BY, now=now)
    name_lead(cast.service.id, CHAMPION, cast.clinician, by=BY, now=now)
    report_problem("Canary", page="/", product_version="1", service_id=cast.service.id, by=BY, now=now)
    assert run(app, MONDAY_EARLY, "leads")["leads"] == "nothing to do"
    assert run(app, MONDAY, "leads", "deliver")["leads"] == "2 weekly emails owed"
    [mail] = mails_to(cast.supporter)
    assert "Northfield: the week from Monday 16 November" in mail
    assert "Reviews on time: fewer than 5 in all" in mail
    assert "Open feedback: fewer than 5" in mail
    assert "Nobody is named as vendor contact." in mail
    assert "https://course.example.net/implementation" in mail
    for word in ("Alex", "Reed", "Canary", "AR"):
        assert word not in mail
    assert len(mails_to(cast.clinician)) == 1
    assert mails_to(cast.administrator) == []
    run(app, MONDAY.replace(hour=12), "leads", "deliver")
    run(app, MONDAY.replace(day=24), "leads", "deliver")
    assert len(mails_to(cast.supporter)) == 1
    run(app, MONDAY.replace(day=30), "leads", "deliver")
    assert len(mails_to(cast.supporter)) == 2


def test_a_machine_that_was_off_on_the_first_working_day_sends_it_on_the_next(
    app: Flask, cast: Cast, now: datetime
) -> None:
    name_lead(cast.service.id, LEAD, cast.supporter, by=BY, now=now)
    assert run(app, MONDAY.replace(day=22), "leads")["leads"] == "nothing to do"
    assert run(app, MONDAY.replace(day=25), "leads", "deliver")["leads"] == "1 weekly email owed"
    assert "the week from Monday 16 November" in mails_to(cast.supporter)[0]
    assert run(app, MONDAY.replace(day=26), "leads")["leads"] == "nothing to do"


def test_who_no_longer_leads_when_it_goes_out_gets_none(app: Flask, cast: Cast, now: datetime) -> None:
    name_lead(cast.service.id, LEAD, cast.supporter, by=BY, now=now)
    assert run(app, MONDAY, "leads")["leads"] == "1 weekly email owed"
    name_lead(cast.service.id, LEAD, cast.colleague, by=BY, now=MONDAY)
    run(app, MONDAY, "deliver")
    assert mails_to(cast.supporter) == []


def test_without_a_lead_nothing_is_owed(app: Flask, cast: Cast) -> None:
    assert run(app, MONDAY, "leads")["leads"] == "nothing to do"
