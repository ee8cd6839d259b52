"""The review workspace: writing, previewing, sending, and everything that can get in between."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, func, select

from icbt_support import clock
from icbt_support.accounts.models import Role, SignIn
from icbt_support.audit import Actor
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.hours.models import Absence, SlotBooking
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemKind, PlanItem, Week
from icbt_support.reviews.models import KeptText, Review, ReviewDraft, ReviewLetter, ReviewState
from icbt_support.reviews.operations import save_draft
from icbt_support.reviews.rules import LetterSection, LetterToSend, draft_content
from icbt_support.rhythm.acts import keep_entry
from icbt_support.rhythm.ending import finish_with_what_i_needed
from icbt_support.rhythm.lateness import close_missed, tell_of_late_reviews
from icbt_support.risk.models import Grade
from icbt_support.risk.operations import raise_concern
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.rhythm_steps import open_due_weeks
from tests.conftest import THURSDAY
from tests.pages.supporter.course import (
    NEXT_THURSDAY,
    Course,
    actor,
    draft_text,
    later,
    letter_values,
    reload,
    start_course,
    write_as_patient,
)

SYSTEM = Actor.system("tests")


@pytest.fixture
def course(cast: Cast) -> Course:
    started = start_course(cast.enrolment)
    clock.stop_clock_at(THURSDAY)
    return started


@pytest.fixture
def writer(cast: Cast, client: PageClient) -> PageClient:
    return client.sign_in(cast.supporter)


def path(review: Review, rest: str = "") -> str:
    return f"/supporting/reviews/{review.id}{rest}"


def open_workspace(browser: PageClient, review: Review) -> dict[str, str]:
    assert browser.get(path(review)).status_code == 200
    assert browser.page is not None
    return dict(browser.page.fields)


def preview(browser: PageClient, review: Review, **changes: str) -> str:
    """Opens the workspace, writes a whole letter and previews it; the preview page's HTML."""
    values = letter_values(open_workspace(browser, review), preview="1", **changes)
    return browser.post(path(review), values).get_data(as_text=True)


def chosen_review(review: Review) -> str:
    draft = db.session.scalars(select(ReviewDraft).where(ReviewDraft.review_id == review.id)).one()
    return str(draft.content["next_review_at"])


def send(browser: PageClient, review: Review, version: str | None = None) -> str:
    assert browser.page is not None
    values = {"version": version or browser.page.fields["version"]}
    return browser.post(path(review, "/send"), values).get_data(as_text=True)


# The page -----------------------------------------------------------------------------------------


def test_workspace_shows_the_facts_the_week_and_what_was_shared(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    patient = actor(cast.patient, Role.PATIENT, cast.service.id)
    at = THURSDAY - timedelta(hours=20)
    write_as_patient(cast.enrolment, "Did I do the evidence part right?", at=at, kind=MessageKind.QUESTION)
    for key, shared, words in (("a", True, "Phoned Mum"), ("b", False, "A private thing")):
        keep_entry(
            cast.enrolment, "activity-plan", {"what": words, "mood-before": 3, "mood-after": 5},
            is_shared=shared, posted_key=key, by=patient, now=at,
        )  # fmt: skip
    db.session.commit()
    html = writer.get(path(course.review)).get_data(as_text=True)
    assert "Did I do the evidence part right?" in html
    assert "Phoned Mum" in html
    assert "A private thing" not in html
    assert "Private: 1 entry not shown" in html
    assert "Plan against done" in html
    assert "Alex's next week, as it will open" in html
    assert "Due today by 5pm" in html


def test_a_staff_read_is_audited(cast: Cast, course: Course, writer: PageClient) -> None:
    writer.get(path(course.review))
    lines = db.session.scalars(
        select(AuditLine).where(
            AuditLine.action == "read_record", AuditLine.enrolment_id == cast.enrolment.id
        )
    ).all()
    assert [line.actor_account_id for line in lines] == [cast.supporter.id]


@pytest.mark.parametrize("rest", ["", "/preview", "/sent", "/letter", "/correction", "/new-date"])
def test_others_do_not_find_the_review(cast: Cast, course: Course, client: PageClient, rest: str) -> None:
    for account in (cast.colleague, cast.other_supporter, cast.patient, cast.administrator):
        client.sign_in(account)
        assert client.http.get(path(course.review, rest)).status_code == 404
    assert client.http.get(f"/supporting/reviews/{2**63 - 1}{rest}").status_code == 404


def test_others_cannot_post_to_the_review(cast: Cast, course: Course, client: PageClient) -> None:
    client.sign_in(cast.colleague)
    for rest in ("", "/draft", "/next-week", "/preview", "/send", "/new-date", "/correction"):
        response = client.http.post(path(course.review, rest), data={"csrf_token": client.token()})
        assert response.status_code == 404, rest
    assert db.session.scalar(select(func.count(ReviewDraft.id))) == 0


def test_opening_the_page_changes_nothing_but_the_audit(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    writer.get(path(course.review))
    review = reload(course.review)
    assert review.state is ReviewState.SCHEDULED
    assert review.draft is None


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


# The quiet week and what opens next ---------------------------------------------------------------


def test_a_quiet_week_opens_the_short_form(course: Course, writer: PageClient) -> None:
    html = writer.get(path(course.review)).get_data(as_text=True)
    assert "What got in the way?" in html
    assert "Use the whole letter" in html
    fields = dict(writer.page.fields) if writer.page else {}
    values = letter_values(fields, shape="short", switch="letter")
    assert "What I noticed" in writer.post(path(course.review), values).get_data(as_text=True)


def test_the_same_module_again_is_offered_first_when_it_was_not_opened(
    course: Course, writer: PageClient
) -> None:
    assert open_workspace(writer, course.review)["opens"] == "module:getting-started"


def test_choosing_redraws_the_next_week_and_stores_nothing(course: Course, writer: PageClient) -> None:
    fields = open_workspace(writer, course.review)
    values = {"csrf_token": fields["csrf_token"], **letter_values(fields, step_what="Water the plants")}
    response = writer.http.post(path(course.review, "/next-week"), data=values)
    html = response.get_data(as_text=True)
    assert response.status_code == 200
    assert 'id="next-week"' in html
    assert "Water the plants" in html
    assert db.session.scalar(select(func.count(ReviewDraft.id))) == 0


def test_without_script_a_button_draws_the_week(course: Course, writer: PageClient) -> None:
    fields = open_workspace(writer, course.review)
    html = writer.post(
        path(course.review), letter_values(fields, step_what="Water the plants", draw="1")
    ).get_data(as_text=True)
    assert html.count("Water the plants") > 1


def test_another_module_is_a_choice(course: Course, writer: PageClient) -> None:
    html = preview(writer, course.review, opens="other", other_module="module:managing-worry")
    assert "As Alex will see it" in html
    send(writer, course.review)
    week = db.session.scalars(select(Week).where(Week.number == 2)).one()
    assert week.module == "managing-worry"


# Preview and its errors ---------------------------------------------------------------------------


def test_the_preview_says_everything_that_is_missing_and_keeps_the_text(
    course: Course, writer: PageClient
) -> None:
    html = preview(
        writer,
        course.review,
        noticed="",
        step_what="",
        step_why="",
        step_by_on="",
        opens="",
        next_review_at="",
    )
    for sentence in (
        "Write at least a few words to Alex",
        "Write what the next step is",
        "Write why the next step helps",
        "Choose the day by which to do the next step",
        "Choose what opens next",
        "Choose the day of the next review",
    ):
        assert html.count(sentence) == 2, sentence
    html = preview(writer, course.review, noticed="Words that stay", step_why="")
    assert "Words that stay" in html
    assert draft_text(course.review) == "Words that stay"


@pytest.mark.parametrize(
    "bad", ["2026-11-26", "not a date", "9999-99-99T00:00:00+00:00", "2026-11-26T11:00:00"]
)
def test_a_review_time_that_is_none_is_refused_in_words(course: Course, writer: PageClient, bad: str) -> None:
    assert "Choose the day of the next review" in preview(writer, course.review, next_review_at=bad)


def test_an_over_long_letter_is_refused_with_its_words(course: Course, writer: PageClient) -> None:
    html = preview(writer, course.review, noticed="x" * 5_001)
    assert "5,000 characters or fewer" in html
    assert "x" * 5_001 in html


@pytest.mark.parametrize("minutes", ["0", "-5", "600", "2.5", "ten"])
def test_minutes_that_cannot_be_true_are_asked_for_again_and_not_made_up(
    course: Course, writer: PageClient, minutes: str
) -> None:
    html = preview(writer, course.review, minutes=minutes)
    assert "Enter minutes from 1 to 240, or leave this empty" in html
    assert f'value="{minutes}"' in html
    draft = db.session.scalars(select(ReviewDraft)).one()
    assert (draft.content["minutes"], draft.previewed_version) == (None, None)


def test_a_date_inside_an_absence_is_refused_with_the_way_out(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    db.session.add(
        Absence(
            account_id=cast.supporter.id,
            service_id=cast.service.id,
            from_on=date(2026, 11, 24),
            until_on=date(2026, 11, 27),
            recorded_at=THURSDAY,
        )
    )
    db.session.commit()
    html = preview(writer, course.review)
    assert "You are away from Tuesday 24 November to Friday 27 November" in html
    assert NEXT_THURSDAY.isoformat() not in html.split('id="next_review_at"')[1].split("</select>")[0]


def test_days_away_offer_cover_or_the_first_day_back_with_the_words(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    absence = Absence(
        account_id=cast.supporter.id,
        service_id=cast.service.id,
        from_on=date(2026, 11, 24),
        until_on=date(2026, 11, 27),
        recorded_at=THURSDAY,
    )
    db.session.add(absence)
    db.session.commit()
    fields = open_workspace(writer, course.review)
    html = writer.get(path(course.review)).get_data(as_text=True)
    assert "Name a colleague to cover" in html
    assert "I write on Thursday 3 December, the first day back" in html
    writer.post(path(course.review), letter_values(fields, while_away="back", next_review_at=""))
    back = "I am away from Tuesday 24 November to Friday 27 November. I write to you again by Thursday 3 December."
    assert back in draft_text(course.review, "scores")
    assert chosen_review(course.review).startswith("2026-12-03")
    absence.cover_id = cast.colleague.id
    db.session.commit()
    fields = open_workspace(writer, course.review)
    assert "Chris writes on Thursday 26 November" in writer.get(path(course.review)).get_data(as_text=True)
    writer.post(path(course.review), letter_values(fields, while_away="cover", next_review_at=""))
    assert (
        "Chris reads what you share in these days, and writes to you by Thursday 26 November."
        in draft_text(course.review, "scores")
    )
    at = chosen_review(course.review)
    writer.post(path(course.review), letter_values(dict(writer.page.fields), preview="1", next_review_at=at))
    send(writer, course.review)
    following = db.session.scalars(select(Review).where(Review.number == 2)).one()
    assert (following.owner_id, following.due_on) == (cast.colleague.id, date(2026, 11, 26))
    assert db.session.get_one(SlotBooking, following.booking_id).supporter_id == cast.colleague.id


def test_a_time_just_taken_is_said_with_the_next_three(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    _take_slot(cast, NEXT_THURSDAY)
    html = preview(writer, course.review)
    assert "That time has just gone. The next are Thursday 26 November, Thursday 3 December" in html


def test_a_time_taken_between_preview_and_send_sends_nothing(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    preview(writer, course.review)
    _take_slot(cast, NEXT_THURSDAY)
    assert "That time has just gone" in send(writer, course.review)
    assert reload(course.review).state is ReviewState.DRAFTED


def _take_slot(cast: Cast, at: datetime) -> None:
    db.session.rollback()
    slot_id = db.session.scalars(select(SlotBooking.slot_id).limit(1)).one()
    db.session.add(
        SlotBooking(
            slot_id=slot_id,
            supporter_id=cast.supporter.id,
            starts_at=at,
            enrolment_id=cast.enrolment.id + 100,
            booked_at=THURSDAY,
        )
    )
    db.session.commit()


def test_the_preview_cannot_be_skipped(course: Course, writer: PageClient) -> None:
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, save="1"))
    assert "as the patient will see it before you send" in send(writer, course.review, version="1")
    assert reload(course.review).state is ReviewState.DRAFTED
    preview(writer, course.review)
    fields = open_workspace(writer, course.review)
    changed = letter_values(fields, save="1", noticed="Changed after the preview")
    writer.post(path(course.review), changed)
    send(writer, course.review, version="2")
    assert reload(course.review).state is ReviewState.DRAFTED


def test_the_preview_says_first_that_the_patient_wrote(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    values = letter_values(open_workspace(writer, course.review), preview="1")
    write_as_patient(cast.enrolment, "One more thing", at=later(5))
    later(1)
    html = writer.post(path(course.review), values).get_data(as_text=True)
    assert html.index("has been here since you opened this review") < html.index("Dear Alex")
    assert "One more thing" in html


def test_a_message_between_preview_and_send_stops_the_send_until_it_was_seen(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    preview(writer, course.review)
    version = writer.page.fields["version"] if writer.page else ""
    write_as_patient(cast.enrolment, "Wait, one more thing", at=later(2))
    later(1)
    response = writer.post(path(course.review, "/send"), {"version": version})
    assert response.status_code == 409
    assert "Wait, one more thing" in response.get_data(as_text=True)
    assert reload(course.review).state is ReviewState.DRAFTED
    writer.post(path(course.review, "/preview"), {"version": version})
    assert "was sent to Alex" in send(writer, course.review)


# Send ---------------------------------------------------------------------------------------------


def test_send_closes_the_week_opens_the_next_and_says_what_changed(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    html = preview(writer, course.review)
    assert "You went for the walk on Sunday" in html
    assert "One walk with Mo" in html
    html = send(writer, course.review)
    for change in (
        "Week 1 closed",
        "Week 2 open",
        "reminders planned",
        "withdrawn",
        "Alex told",
        "See it as Alex",
    ):
        assert change in html
    weeks = db.session.scalars(select(Week).order_by(Week.number)).all()
    assert [week.is_open for week in weeks] == [False, True]
    step = db.session.scalars(select(PlanItem).where(PlanItem.kind == ItemKind.AGREED_STEP)).one()
    assert (step.title, step.planned_on) == ("One walk with Mo", date(2026, 11, 22))
    letter = db.session.scalars(select(ReviewLetter)).one()
    assert [section["heading"] for section in letter.sections] == ["What I noticed"]
    assert reload(course.review).minutes == 12


def test_a_double_click_sends_once_and_shows_the_same_result(course: Course, writer: PageClient) -> None:
    preview(writer, course.review)
    version = writer.page.fields["version"] if writer.page else ""
    first = send(writer, course.review, version)
    second = send(writer, course.review, version)
    assert "Your review was sent to Alex" in first
    assert "Your review was sent to Alex" in second
    assert db.session.scalar(select(func.count(ReviewLetter.id))) == 1
    assert db.session.scalar(select(func.count(Week.id))) == 2


def test_what_is_typed_after_somebody_else_sent_it_is_kept_and_explained(
    cast: Cast, course: Course, writer: PageClient, app
) -> None:
    cast.enrolment.supporter_id = cast.supporter.id
    db.session.add(
        Absence(
            account_id=cast.supporter.id,
            service_id=cast.service.id,
            from_on=date(2026, 11, 19),
            until_on=date(2026, 11, 19),
            recorded_at=THURSDAY,
        )
    )
    db.session.commit()
    mine = letter_values(open_workspace(writer, course.review), save="1", noticed="My own words")
    colleague = PageClient(app).sign_in(cast.colleague)
    preview(colleague, course.review)
    assert "was sent to Alex" in send(colleague, course.review)
    response = writer.post(path(course.review), mine)
    html = response.get_data(as_text=True)
    assert response.status_code == 409
    assert "Chris Moor sent it" in html
    assert "My own words" in html
    assert db.session.scalars(select(KeptText.author_id)).one() == cast.supporter.id


def test_words_that_an_autosave_could_not_save_any_more_are_still_to_be_read(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    fields = open_workspace(writer, course.review)
    preview(writer, course.review)
    assert writer.page is not None
    send(writer, course.review)
    late = letter_values(fields, noticed="One more thing, typed in the other tab")
    late["csrf_token"] = writer.token()
    assert writer.http.post(path(course.review, "/draft"), data=late).status_code == 409
    html = writer.get(path(course.review, "/sent")).get_data(as_text=True)
    assert "is not in this letter, and is kept" in html
    assert "One more thing, typed in the other tab" in html


def test_a_draft_of_a_review_that_was_closed_is_still_to_be_read(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, noticed="Half a letter", save="1"))
    clock.stop_clock_at(THURSDAY + timedelta(hours=8))
    close_missed(course.review, "Alex was called", by=SYSTEM, now=clock.now())
    db.session.commit()
    html = writer.get(path(course.review)).get_data(as_text=True)
    assert "This review is not owed any more" in html
    assert "Half a letter" in html


def test_a_letter_whose_patient_finishes_before_it_is_sent_is_still_to_be_read(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    preview(writer, course.review)
    assert writer.page is not None
    patient = actor(cast.patient, Role.PATIENT, cast.service.id)
    finish_with_what_i_needed(cast.enrolment, "", by=patient, now=THURSDAY)
    db.session.commit()
    response = writer.post(path(course.review, "/send"), {"version": writer.page.fields["version"]})
    assert response.status_code == 409
    assert "You went for the walk on Sunday" in response.get_data(as_text=True)


def test_opening_a_sent_review_leads_to_its_result(course: Course, writer: PageClient) -> None:
    preview(writer, course.review)
    send(writer, course.review)
    assert "Your review was sent to Alex" in writer.get(path(course.review)).get_data(as_text=True)
    letter = writer.get(path(course.review, "/letter")).get_data(as_text=True)
    assert "You went for the walk on Sunday" in letter
    assert "Not opened yet" in letter


def test_a_correction_is_a_message_and_double_clicks_are_one(course: Course, writer: PageClient) -> None:
    preview(writer, course.review)
    send(writer, course.review)
    assert writer.get(path(course.review, "/correction")).status_code == 200
    values = {
        "words": "I meant Saturday.",
        "posted_key": writer.page.fields["posted_key"] if writer.page else "",
    }
    writer.post(path(course.review, "/correction"), values)
    writer.post(path(course.review, "/correction"), values)
    corrections = db.session.scalars(select(Message).where(Message.kind == MessageKind.CORRECTION)).all()
    assert [message.words for message in corrections] == ["I meant Saturday."]
    assert writer.post(path(course.review, "/correction"), {"words": " "}).status_code == 400


def test_no_correction_before_a_letter_was_sent(course: Course, writer: PageClient) -> None:
    assert writer.get(path(course.review, "/correction")).status_code == 404


def test_the_last_review_needs_no_date(course: Course, writer: PageClient) -> None:
    html = preview(
        writer, course.review, opens="last", next_review_at="", step_what="", step_why="", step_by_on=""
    )
    assert "The course ends when you send it" in html
    assert "The course has ended" in send(writer, course.review)


# Late reviews -------------------------------------------------------------------------------------


def test_a_late_review_is_taken_with_a_new_date(course: Course, writer: PageClient) -> None:
    clock.stop_clock_at(THURSDAY + timedelta(hours=8))
    tell_of_late_reviews(now=clock.now(), by=SYSTEM)
    db.session.commit()
    assert "Give a new date in your name" in writer.get(path(course.review)).get_data(as_text=True)
    assert writer.post(path(course.review, "/new-date"), {"on": "", "at": ""}).status_code == 400
    assert "Choose a time that is still to come" in writer.post(
        path(course.review, "/new-date"), {"on": "2026-11-19", "at": "09:00"}
    ).get_data(as_text=True)
    html = writer.post(path(course.review, "/new-date"), {"on": "2026-11-20", "at": "12:00"}).get_data(
        as_text=True
    )
    assert "Alex was told: you write by Friday 20 November, 12pm" in html
    review = reload(course.review)
    assert review.promised_at == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert review.taken_at is not None


def test_a_review_that_follows_an_opened_week_keeps_that_weeks_date(
    course: Course, writer: PageClient
) -> None:
    clock.stop_clock_at(THURSDAY + timedelta(days=5))
    assert open_due_weeks(now=clock.now(), by=SYSTEM) == 1
    db.session.commit()
    html = writer.get(path(course.review)).get_data(as_text=True)
    assert "This letter adds its next step to that week" in html
    assert 'name="next_review_at"' not in html
    preview(writer, course.review, opens="", next_review_at="", step_by_on="2026-11-26")
    assert "was sent to Alex" in send(writer, course.review)
    week = db.session.scalars(select(Week).where(Week.number == 2)).one()
    titles = [item.title for item in week.items if item.kind is ItemKind.AGREED_STEP]
    assert titles == ["One walk with Mo"]


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


def test_sending_marks_what_was_shown_as_read(cast: Cast, course: Course, writer: PageClient) -> None:
    message = write_as_patient(cast.enrolment, "Hello", at=THURSDAY - timedelta(hours=1))
    preview(writer, course.review)
    send(writer, course.review)
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(Message, message.id).read_by == cast.supporter.id


def test_a_draft_made_elsewhere_opens_with_its_words(cast: Cast, course: Course, writer: PageClient) -> None:
    letter = LetterToSend((LetterSection("What I noticed", "Half a letter"),), None, "", None)
    by = actor(cast.supporter, Role.SUPPORTER, cast.service.id)
    save_draft(course.review, draft_content(letter), version=None, by=by, now=THURSDAY)
    db.session.commit()
    assert "Half a letter" in writer.get(path(course.review)).get_data(as_text=True)


def test_an_open_alert_stands_above_the_letter(cast: Cast, course: Course, writer: PageClient) -> None:
    by = actor(cast.clinician, Role.CLINICIAN, cast.service.id)
    raise_concern(cast.enrolment, "Sounded flat", Grade.URGENT, posted_key="one", by=by, now=THURSDAY)
    db.session.commit()
    html = writer.get(path(course.review)).get_data(as_text=True)
    assert html.index("Open risk alert") < html.index("Your review for Alex")
