"""A half-written letter: saved by hand and by itself, in several windows, and after the sign-in has ended."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, func, select

from icbt_support.accounts.models import Role, SignIn
from icbt_support.db import db
from icbt_support.messages.models import MessageKind
from icbt_support.reviews.drafts import draft_content
from icbt_support.reviews.models import KeptText, ReviewState
from icbt_support.reviews.operations import save_draft
from icbt_support.reviews.rules import LetterSection, LetterToSend
from tests.browsing import PageClient
from tests.cast import Cast
from tests.conftest import THURSDAY
from tests.pages.supporter.course import (
    Course,
    actor,
    draft_text,
    letter_values,
    reload,
    write_as_patient,
)
from tests.pages.supporter.workspace import open_workspace, path, preview, send

# Drafts -------------------------------------------------------------------------------------------


def test_save_draft_keeps_a_half_written_letter(course: Course, writer: PageClient) -> None:
    fields = open_workspace(writer, course.review)
    values = letter_values(
        fields, save="1", noticed="Half a sent", step_what="", step_by_on="", next_review_at=""
    )
    html = writer.post(path(course.review), values).get_data(as_text=True)
    assert "Half a sent" in html
    assert "Draft saved" in html
    assert reload(course.review).state is ReviewState.DRAFTED


def test_leaving_out_a_heading_keeps_its_words(course: Course, writer: PageClient) -> None:
    fields = open_workspace(writer, course.review)
    html = writer.post(
        path(course.review), letter_values(fields, question="About your question", leave_out="question")
    ).get_data(as_text=True)
    assert "Put back: Your question" in html
    draft = reload(course.review).draft
    assert draft is not None
    assert "Your question" not in [section["heading"] for section in draft.content["sections"]]
    assert draft_text(course.review, "question") == "About your question"
    fields = open_workspace(writer, course.review)
    kept = letter_values(fields, question=fields["question"], left_out="question", put_back="question")
    writer.post(path(course.review), kept)
    draft = reload(course.review).draft
    assert draft is not None
    assert {"heading": "Your question", "words": "About your question"} in draft.content["sections"]


def test_quote_in_reply_works_without_script(cast: Cast, course: Course, writer: PageClient) -> None:
    message = write_as_patient(
        cast.enrolment, "Is this right?", at=THURSDAY - timedelta(hours=1), kind=MessageKind.QUESTION
    )
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, quote=f"message:{message.id}"))
    assert 'You wrote: "Is this right?"' in draft_text(course.review, "question")


@pytest.mark.parametrize(
    "reference", ["message:999", "entry:0", "item:x", "nonsense", f"message:{2**70}", "entry:²"]
)
def test_quoting_what_is_not_there_adds_nothing(course: Course, writer: PageClient, reference: str) -> None:
    fields = open_workspace(writer, course.review)
    response = writer.post(path(course.review), letter_values(fields, noticed="Mine.", quote=reference))
    assert response.status_code == 200
    assert draft_text(course.review) == "Mine."


def test_somebody_elses_message_cannot_be_quoted(cast: Cast, course: Course, writer: PageClient) -> None:
    theirs = write_as_patient(cast.other_enrolment, "Canary of Kim", at=THURSDAY)
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, quote=f"message:{theirs.id}"))
    assert "Canary" not in draft_text(course.review)


def test_autosave_answers_with_time_and_version(course: Course, writer: PageClient) -> None:
    fields = open_workspace(writer, course.review)
    values = {"csrf_token": fields["csrf_token"], **letter_values(fields, noticed="Typed so far")}
    first = writer.http.post(path(course.review, "/draft"), data=values)
    assert first.json == {"saved": "10.05am", "version": 1}
    again = writer.http.post(path(course.review, "/draft"), data=values | {"version": "1", "noticed": "More"})
    assert again.json is not None
    assert again.json["version"] == 2
    assert draft_text(course.review) == "More"


def test_a_stale_save_is_refused_and_both_texts_are_kept(course: Course, writer: PageClient) -> None:
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, save="1", noticed="The first tab"))
    response = writer.post(path(course.review), letter_values(fields, save="1", noticed="The second tab"))
    html = response.get_data(as_text=True)
    assert response.status_code == 409
    assert "The first tab" in html
    assert "The second tab" in html
    assert draft_text(course.review) == "The first tab"
    workspace = writer.get(path(course.review)).get_data(as_text=True)
    assert "Your words, kept" in workspace
    assert "The second tab" in workspace


def test_kept_words_go_into_the_letter_by_a_button(course: Course, writer: PageClient) -> None:
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, save="1", noticed="The first tab"))
    writer.post(path(course.review), letter_values(fields, save="1", noticed="The second tab"))
    kept_id = db.session.scalar(select(KeptText.id))
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, noticed="The first tab", kept=str(kept_id)))
    assert draft_text(course.review) == "The first tab\n\nThe second tab"
    assert "Your words, kept" not in writer.get(path(course.review)).get_data(as_text=True)


def test_a_stale_autosave_is_kept_once_however_often_it_is_tried(course: Course, writer: PageClient) -> None:
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, save="1", noticed="The first tab"))
    values = {"csrf_token": fields["csrf_token"], **letter_values(fields, noticed="The second tab")}
    for _ in range(3):
        assert writer.http.post(path(course.review, "/draft"), data=values).status_code == 409
    assert db.session.scalar(select(func.count(KeptText.id))) == 1


def test_words_posted_after_the_session_ended_are_kept(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    fields = open_workspace(writer, course.review)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    db.session.rollback()
    db.session.query(SignIn).update({"created_at": long_ago, "last_seen_at": long_ago})
    db.session.commit()
    values = {"csrf_token": fields["csrf_token"], **letter_values(fields, save="1", noticed="A long letter")}
    response = writer.http.post(path(course.review), data=values)
    assert response.status_code == 302
    assert f"next=/supporting/reviews/{course.review.id}" in response.headers["Location"].replace("%2F", "/")
    writer.sign_in(cast.supporter)
    assert "A long letter" in writer.get(path(course.review)).get_data(as_text=True)


def test_words_posted_without_any_session_are_given_back(course: Course, writer: PageClient) -> None:
    fields = open_workspace(writer, course.review)
    token = fields["csrf_token"]
    with writer.http.session_transaction() as kept:
        kept.pop("_user_id", None)
    values = {"csrf_token": token, **letter_values(fields, save="1", noticed="A long letter")}
    response = writer.http.post(path(course.review), data=values)
    assert response.status_code == 401
    assert "A long letter" in response.get_data(as_text=True)
    assert db.session.scalar(select(func.count(KeptText.id))) == 0


def test_an_autosave_costs_four_statements_at_most_with_its_sign_in(
    course: Course, writer: PageClient
) -> None:
    fields = open_workspace(writer, course.review)
    values = {"csrf_token": fields["csrf_token"], **letter_values(fields)}
    address, seen = path(course.review, "/draft"), []

    def note(*args: object) -> None:
        seen.append(str(args[2]))

    counts = []
    for changes in ({}, {"version": "1", "noticed": "More"}, {"version": "2", "noticed": "And more"}):
        db.session.rollback()
        event.listen(db.engine, "before_cursor_execute", note)
        answer = writer.http.post(address, data=values | changes)
        event.remove(db.engine, "before_cursor_execute", note)
        assert answer.status_code == 200
        counts.append(len([one for one in seen if not one.startswith("BEGIN")]))
        seen.clear()
    assert counts == [4, 4, 4]


def test_of_six_racing_edits_exactly_one_wins_and_no_word_is_lost(
    cast: Cast, course: Course, writer: PageClient, app
) -> None:
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, save="1", noticed="The start"))
    fields = open_workspace(writer, course.review)
    db.session.rollback()
    browsers = [PageClient(app).sign_in(cast.supporter) for _ in range(6)]
    address = path(course.review)
    tokens = [open_workspace(browser, course.review)["csrf_token"] for browser in browsers]
    db.session.rollback()

    def edit(number: int) -> int:
        values = letter_values(fields, save="1", noticed=f"Edit {number}")
        data = {"csrf_token": tokens[number], **values}
        return browsers[number].http.post(address, data=data).status_code

    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(edit, range(6)))
    assert sorted(codes) == [302, 409, 409, 409, 409, 409]
    won = draft_text(course.review)
    kept = {one.content["words"]["noticed"] for one in db.session.scalars(select(KeptText))}
    assert kept | {won} == {f"Edit {number}" for number in range(6)}


def test_a_draft_made_elsewhere_opens_with_its_words(cast: Cast, course: Course, writer: PageClient) -> None:
    letter = LetterToSend((LetterSection("What I noticed", "Half a letter"),), None, "", None)
    by = actor(cast.supporter, Role.SUPPORTER, cast.service.id)
    save_draft(course.review, draft_content(letter), version=None, by=by, now=THURSDAY)
    db.session.commit()
    assert "Half a letter" in writer.get(path(course.review)).get_data(as_text=True)


def test_brackets_in_a_patients_words_are_no_gap_that_keeps_the_letter_from_going(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    message = write_as_patient(cast.enrolment, "I felt [quite] {step} low", at=THURSDAY - timedelta(hours=1))
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, noticed="", quote=f"message:{message.id}"))
    words = draft_text(course.review)
    assert words == 'You wrote: "I felt (quite) (step) low"'
    preview(writer, course.review, noticed=words)
    assert "was sent to Alex" in send(writer, course.review)
