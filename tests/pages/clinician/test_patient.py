"""One person, for a clinician: status with its action, weeks, scores, and what happened in words."""

from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.enrolments.operations import set_goals
from icbt_support.plan.models import OpenedBecause
from icbt_support.rhythm.handover import hand_over
from icbt_support.risk.models import CallOutcome
from icbt_support.risk.operations import log_call, raise_stated_risk
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.beginnings import as_clinician, as_patient
from tests.concepts.service_of_many import open_week, review, score
from tests.pages.visits import status_of


@pytest.fixture
def clinician(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.clinician)


def path(cast: Cast) -> str:
    return f"/clinical/patients/{cast.enrolment.id}"


def text_of(clinician: PageClient, cast: Cast) -> str:
    db.session.commit()
    return clinician.get(path(cast)).get_data(as_text=True)


def test_only_clinicians_of_the_service_find_the_person(app: Flask, cast: Cast) -> None:
    here = path(cast)
    for account in (cast.patient, cast.supporter, cast.administrator, cast.other_clinician):
        assert status_of(app, account, here) == 404
    assert status_of(app, cast.clinician, here) == 200


def test_the_look_is_in_the_audit(clinician: PageClient, cast: Cast) -> None:
    text_of(clinician, cast)
    line = db.session.scalars(select(AuditLine).where(AuditLine.action == "read_record")).one()
    assert (line.actor_account_id, line.enrolment_id) == (cast.clinician.id, cast.enrolment.id)


def test_before_anything_has_happened_the_page_says_what_comes(clinician: PageClient, cast: Cast) -> None:
    html = text_of(clinician, cast)
    assert "No week yet" in html
    assert "None yet." in html
    assert "no PHQ-9 yet" in html


def test_an_ended_course_has_no_status_and_its_record_stays(clinician: PageClient, cast: Cast) -> None:
    cast.enrolment.state = EnrolmentState.ENDED
    html = text_of(clinician, cast)
    assert "On plan" not in html
    assert "Contact sheet and calls" in html


def test_a_late_review_and_the_week_that_opened_without_it_are_told(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    late_on = date(2026, 11, 11)
    review(cast.enrolment, 1, late_on, told_late_at=datetime(2026, 11, 11, 17, tzinfo=now.tzinfo))
    open_week(cast.enrolment, 2, date(2026, 11, 13), OpenedBecause.REVIEW_LATE)
    html = text_of(clinician, cast)
    assert "since Wednesday 11 November 5pm; week 2 opened without a review" in html
    assert "Hand over to a colleague" in html
    assert "Week 2 opened without a review" in html
    assert "Review of week 1 late" in html


def test_scores_goals_calls_alerts_and_changes_stand_in_words(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    for week, total in ((0, 15), (1, 13)):
        score(cast.enrolment, week, total, now - timedelta(days=14 - 7 * week))
    set_goals(cast.enrolment, ["Draw again"], by=as_patient(cast), now=now)
    log_call(cast.enrolment, CallOutcome.NO_ANSWER, "Rang twice", None, by=as_clinician(cast), now=now)
    raise_stated_risk(cast.enrolment, "Canary words", by=as_patient(cast), now=now)
    hand_over(cast.enrolment, cast.colleague, by=as_clinician(cast), now=now)
    html = text_of(clinician, cast)
    for words in (
        "From 15 to 13, out of 27.",
        "Draw again",
        "Call: no answer",
        "said that they may not be safe",
        "Pat Lane, then Chris Moor",
        "with Chris Moor",
    ):
        assert words in html, words
