"""The page of alerts: clocks and owners, how long people waited, the rota with its gaps, and the history."""

from datetime import date, datetime, timedelta

from flask import Flask
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.audit import Actor, ActorKind
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.hours.models import Absence, DutySession
from icbt_support.risk.models import RiskAlert
from icbt_support.risk.operations import acknowledge_alert, raise_item_9_alert, resolve_alert
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.visits import words_for

RISK = "/clinical/risk"


def raised(cast: Cast, key: str, at: datetime, answer: int = 3) -> RiskAlert:
    by = Actor(ActorKind.PERSON, cast.patient.id, Role.PATIENT)
    return raise_item_9_alert(cast.enrolment, answer=answer, before=0, source_key=key, by=by, now=at)


def resolved(cast: Cast, key: str, at: datetime, *, taken: int, done: int) -> RiskAlert:
    by, alert = Actor(ActorKind.PERSON, cast.clinician.id, Role.CLINICIAN), raised(cast, key, at)
    acknowledge_alert(alert, "On it", by=by, now=at + timedelta(minutes=taken))
    resolve_alert(alert, "Alex", f"agreed {key}", "Nobody", by=by, now=at + timedelta(minutes=done))
    return alert


def test_an_open_alert_shows_its_clock_until_somebody_owns_it(
    client: PageClient, cast: Cast, now: datetime
) -> None:
    alert = raised(cast, "k", now)
    db.session.commit()
    html = client.sign_in(cast.clinician).get(RISK).get_data(as_text=True)
    assert "To be taken by Thu 19 Nov, " in html
    assert "in duty hours" in html
    assert "Nobody yet" in html
    acknowledge_alert(
        db.session.get_one(RiskAlert, alert.id),
        "Calling",
        by=Actor(ActorKind.PERSON, cast.clinician.id, Role.CLINICIAN),
        now=now,
    )
    html = client.get(RISK).get_data(as_text=True)
    assert "Stopped: somebody has taken it" in html
    reads = db.session.scalars(select(AuditLine).where(AuditLine.action == "read_alerts")).all()
    assert [(line.actor_account_id, line.service_id) for line in reads] == [
        (cast.clinician.id, cast.service.id)
    ] * 2


def test_times_are_medians_in_minutes_of_duty_with_their_number(
    app: Flask, client: PageClient, cast: Cast, now: datetime
) -> None:
    day_before = now - timedelta(days=1)
    for number, taken in enumerate((5, 15, 90)):
        resolved(cast, f"r{number}", day_before, taken=taken, done=120)
    raised(cast, "open", now)
    db.session.commit()
    html = client.sign_in(cast.clinician).get(RISK).get_data(as_text=True)
    assert "median 15 min, slowest 1 h 30 min (n = 3); 1 not taken yet" in html
    assert "median 2 h, slowest 2 h (n = 3); 1 not resolved yet" in html
    assert "Urgent: next person after 15 min" in html
    assert "No figure: there was none" in html
    elsewhere = words_for(app, cast.other_clinician, RISK)
    assert "median" not in elsewhere
    assert "agreed r0" not in elsewhere


def test_the_rota_names_who_stands_in_and_says_plainly_where_nobody_is(
    client: PageClient, cast: Cast, now: datetime
) -> None:
    thursday = db.session.scalars(
        select(DutySession).where(DutySession.service_id == cast.service.id, DutySession.weekday == 3)
    ).one()
    second = DutySession(
        service_id=cast.service.id,
        weekday=3,
        starts=thursday.starts,
        ends=thursday.ends,
        position=2,
        clinician_id=cast.colleague.id,
    )
    away = Absence(
        account_id=cast.clinician.id,
        service_id=cast.service.id,
        from_on=date(2026, 11, 25),
        until_on=date(2026, 11, 26),
        recorded_at=now,
    )
    db.session.add_all([second, away])
    db.session.commit()
    html = client.sign_in(cast.clinician).get(RISK).get_data(as_text=True)
    assert "Dr Jo Field: Chris Moor stands in" in html
    assert "Dr Jo Field: nobody stands in" in html
    assert "Working days without anybody on duty" in html
    assert "<li>Wednesday 25 November</li>" in html
    assert "<li>Thursday 26 November</li>" not in html
    assert "Thursday 19 November (today)" in html


def test_the_history_is_paged_by_link(client: PageClient, cast: Cast, now: datetime) -> None:
    for number in range(23):
        resolved(cast, f"r{number}", now - timedelta(hours=30 - number), taken=1, done=2)
    db.session.commit()
    client.sign_in(cast.clinician)
    html = client.get(RISK).get_data(as_text=True)
    assert "Showing 1 to 20 of 23" in html
    assert f"{RISK}?page=2#resolved" in client.page.links
    for page in ("2", "99", "999999"):
        html = client.get(f"{RISK}?page={page}").get_data(as_text=True)
        assert "Showing 21 to 23 of 23" in html
    assert f"{RISK}?page=1#resolved" in client.page.links
    for odd in ("0", "-1", "x", "9" * 30, "%00"):
        assert "Showing 1 to 20 of 23" in client.get(f"{RISK}?page={odd}").get_data(as_text=True)
