"""Administrators run the service and read nothing that a patient wrote, answered or scored."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from icbt_support.audit import Actor
from icbt_support.db import db
from icbt_support.enrolments.operations import set_goals
from icbt_support.journal.operations import save_entry
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import post_message, tell_of_late_messages
from icbt_support.reviews.operations import save_draft
from icbt_support.reviews.queries import next_review
from icbt_support.risk.models import CallOutcome
from icbt_support.risk.notices import tell_next
from icbt_support.risk.operations import log_call, raise_stated_risk
from icbt_support.risk.queries import alerts_of
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.beginnings import acting, as_clinician, as_patient, open_week_1
from tests.concepts.service_of_many import score

CANARY = "canary-words"


@pytest.fixture
def full_of_words(cast: Cast, now: datetime) -> Cast:
    """Everything that a course can hold, each text with the canary in it, and the reminders that it owes."""
    patient, clinician = as_patient(cast), as_clinician(cast)
    supporter = acting(cast.supporter, "supporter", cast.service.id)
    open_week_1(cast, now)
    set_goals(cast.enrolment, [f"{CANARY} goal"], by=patient, now=now)
    save_entry(
        cast.enrolment, "activity-plan", {"what": f"{CANARY} entry"}, is_shared=True, posted_key="e",
        by=patient, now=now,
    )  # fmt: skip
    for words, by, key in ((f"{CANARY} question", patient, "q"), (f"{CANARY} reply", supporter, "r")):
        post_message(cast.enrolment, words, kind=MessageKind.MESSAGE, posted_key=key, by=by, now=now)
    save_draft(
        next_review(cast.enrolment),
        {"sections": [], "words": f"{CANARY} draft"},
        version=None,
        by=supporter,
        now=now,
    )
    raise_stated_risk(cast.enrolment, f"{CANARY} alert", by=patient, now=now)
    log_call(cast.enrolment, CallOutcome.SPOKE, f"{CANARY} call", None, by=clinician, now=now)
    score(cast.enrolment, 0, 26, now)
    tell_of_late_messages(by=Actor.system("messages"), now=now + timedelta(days=5))
    db.session.commit()
    return cast


def admin_paths(app: Flask) -> list[str]:
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin") and "GET" in (rule.methods or ()) and not rule.arguments
    )


def test_no_page_of_the_administrator_holds_a_patients_words(
    app: Flask, client: PageClient, full_of_words: Cast
) -> None:
    paths = admin_paths(app)
    assert {"/admin/jobs", "/admin/audit", "/admin/people"} <= set(paths)
    client.sign_in(full_of_words.administrator)
    for path in paths:
        html = client.get(path).get_data(as_text=True)
        assert CANARY not in html, path
        assert "PHQ" not in html, path
        assert "Item 9" not in html, path


@pytest.mark.parametrize("query", ["", "?show=all"])
def test_jobs_name_a_number_and_never_a_person(client: PageClient, full_of_words: Cast, query: str) -> None:
    html = client.sign_in(full_of_words.administrator).get(f"/admin/jobs{query}").get_data(as_text=True)
    assert f"Person {full_of_words.enrolment.id}" in html
    for name in ("Alex", "Reed", "Pat Lane"):
        assert name not in html


def test_clinical_pages_are_not_there_for_administrators(client: PageClient, full_of_words: Cast) -> None:
    client.sign_in(full_of_words.administrator)
    number = full_of_words.enrolment.id
    for path in (
        "/clinical/engagement",
        "/clinical/risk",
        f"/clinical/patients/{number}",
        f"/supporting/patients/{number}",
        f"/supporting/patients/{number}/messages",
    ):
        assert client.http.get(path).status_code == 404, path


def test_no_page_says_whom_an_alert_is_about(client: PageClient, full_of_words: Cast, now: datetime) -> None:
    """Not the queue with its notices, not the audit with its jobs, not what a leaver still holds."""
    tell_next(alerts_of(full_of_words.enrolment)[0], by=Actor.system("risk"), now=now)
    db.session.commit()
    client.sign_in(full_of_words.administrator)
    notices = [line for line in rows_of(client, "/admin/jobs?show=all") if "Urgent notice" in line]
    assert notices
    assert [line for line in notices if "Person" in line] == []
    courses = [line for line in rows_of(client, "/admin/audit") if "Course" in line]
    assert courses
    assert [line for line in courses if "risk" in line.lower()] == []
    leaving = rows_of(client, f"/admin/people/{full_of_words.supporter.id}/leaving")
    (alerts,) = [line for line in leaving if "open alert" in line]
    assert "AR" not in alerts
    assert any("AR" in line for line in leaving)


def rows_of(client: PageClient, path: str) -> list[str]:
    return client.get(path).get_data(as_text=True).split("<tr")[1:]
