"""Knowing the person: what stands at the left of the letter, in a fixed number of statements, and its notes."""

from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.enrolments.models import SupporterNote
from icbt_support.hours.models import Absence
from icbt_support.messages.models import MessageKind
from icbt_support.plan.models import ItemKind, ItemState, PlanItem
from tests.browsing import PageClient
from tests.cast import Cast, enrol, make_person
from tests.conftest import THURSDAY
from tests.pages.supporter.course import draft_text, letter_values, write_as_patient
from tests.pages.supporter.long_course import live_through

MOST_STATEMENTS, MOST_FOR_THE_RECORD = 14, 36


def statements_of(browser: PageClient, path: str) -> int:
    """What one GET asks of the database, with the sign-in, the audit line and the frame of the page."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert browser.http.get(path).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def test_a_year_takes_as_many_statements_as_a_week(cast: Cast, writer: PageClient) -> None:
    new_patient = make_person("Bea New", Role.PATIENT, cast.service, THURSDAY)
    new = enrol(new_patient, cast.supporter, cast.clinician, cast.service, THURSDAY)
    long_course = live_through(cast.enrolment, weeks=52)
    short_course = live_through(new, weeks=1, slot_after=timedelta(minutes=15))
    clock.stop_clock_at(THURSDAY)
    counts = {}
    for name, course in (("week", short_course), ("year", long_course)):
        workspace = f"/supporting/reviews/{course.review.id}"
        record = f"/supporting/patients/{course.enrolment.id}"
        writer.http.get(workspace)
        counts[name] = statements_of(writer, workspace)
        assert statements_of(writer, record) <= MOST_FOR_THE_RECORD
    assert counts["year"] == counts["week"]
    assert counts["year"] <= MOST_STATEMENTS


def test_what_matters_stands_first_and_in_the_persons_words(cast: Cast, writer: PageClient) -> None:
    course = live_through(cast.enrolment, weeks=3)
    clock.stop_clock_at(THURSDAY)
    write_as_patient(
        cast.enrolment, "Did I do it right?", at=THURSDAY - timedelta(hours=2), kind=MessageKind.QUESTION
    )
    db.session.add(
        PlanItem(
            week_id=course.review.week_id, enrolment_id=cast.enrolment.id, kind=ItemKind.AGREED_STEP,
            title="Phone Mum", why="company helps", planned_on=THURSDAY.date(), minutes=5,
            state=ItemState.SKIPPED, settled_at=THURSDAY, patient_words="She was out",
        )
    )  # fmt: skip
    db.session.commit()
    page = writer.get(f"/supporting/reviews/{course.review.id}").get_data(as_text=True)
    assert "Reminders: 1 sent. Alex signed in within 48 hours of it." in page
    html = page[page.index('id="known-heading"') :]
    in_order = (
        "What you agreed",
        "Not this time",
        "She was out",
        "What changed",
        "Here on 2 days",
        "Draw again",
        "Did I do it right?",
        "Plan against done",
        "Walk of week 3",
        "Private: 1 entry not shown",
        "Letter of Thursday 12 November",
        "Call 3",
        "Note 3",
    )
    places = [html.index(words) for words in in_order]
    assert places == sorted(places)
    assert "Private canary" not in html
    assert "Walk of week 2" not in html


def test_a_note_loses_no_word_of_the_letter_and_leads_back(cast: Cast, writer: PageClient) -> None:
    course = live_through(cast.enrolment, weeks=2)
    clock.stop_clock_at(THURSDAY)
    workspace = f"/supporting/reviews/{course.review.id}"
    writer.get(workspace)
    assert writer.page is not None
    values = letter_values(writer.page.fields, noticed="A line I was at.", note="1")
    html = writer.post(workspace, values).get_data(as_text=True)
    assert "Notes about Alex Reed" in html
    assert draft_text(course.review) == "A line I was at."
    notes = f"/supporting/patients/{cast.enrolment.id}/notes"
    posted = {"words": "Prefers calls after 4pm.", "review": str(course.review.id)}
    back = writer.post(notes, posted).get_data(as_text=True)
    assert "Your review for Alex" in back
    assert "A line I was at." in back
    assert "Prefers calls after 4pm." in back
    assert "Write a note before you save it" in writer.post(notes, {"words": ""}).get_data(as_text=True)
    assert db.session.scalar(select(func.count(SupporterNote.id))) == 3


def test_a_colleague_under_cover_reads_the_last_two_letters_unfolded(cast: Cast, client: PageClient) -> None:
    course = live_through(cast.enrolment, weeks=4)
    clock.stop_clock_at(THURSDAY)
    db.session.add(
        Absence(
            account_id=cast.supporter.id, service_id=cast.service.id, from_on=THURSDAY.date(),
            until_on=THURSDAY.date(), cover_id=cast.colleague.id, recorded_at=THURSDAY,
        )
    )  # fmt: skip
    db.session.commit()
    for account, unfolded in ((cast.supporter, 0), (cast.colleague, 2)):
        html = client.sign_in(account).get(f"/supporting/reviews/{course.review.id}").get_data(as_text=True)
        assert html.count('known-letter" open') == unfolded
        assert html.count("known-letter") == 3


@pytest.mark.parametrize("rest", ["/notes", ""])
def test_others_find_neither_notes_nor_record(cast: Cast, client: PageClient, rest: str) -> None:
    for account in (cast.colleague, cast.other_supporter, cast.patient, cast.administrator):
        client.sign_in(account)
        path = f"/supporting/patients/{cast.enrolment.id}{rest}"
        assert client.http.get(path).status_code == 404
