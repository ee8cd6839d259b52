"""The preview of a letter: what it asks for, which times it takes, and what happens between it and the send."""

from datetime import UTC, date, datetime, time

import pytest
from sqlalchemy import select

from icbt_support.db import db
from icbt_support.hours.models import Absence, ReviewSlot, SlotBooking
from icbt_support.reviews.models import Review, ReviewDraft, ReviewState
from tests.browsing import PageClient
from tests.cast import Cast
from tests.conftest import THURSDAY
from tests.pages.supporter.course import (
    NEXT_THURSDAY,
    Course,
    draft_text,
    later,
    letter_values,
    reload,
    write_as_patient,
)
from tests.pages.supporter.workspace import chosen_review, open_workspace, path, preview, send

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


@pytest.mark.parametrize("minutes", ["0", "-5", "600", "2.5", "ten"])
def test_minutes_that_cannot_be_true_are_asked_for_again_and_not_made_up(
    course: Course, writer: PageClient, minutes: str
) -> None:
    html = preview(writer, course.review, minutes=minutes)
    assert "Enter minutes from 1 to 240, or leave this empty" in html
    assert f'value="{minutes}"' in html
    draft = db.session.scalars(select(ReviewDraft)).one()
    assert (draft.content["minutes"], draft.previewed_version) == (None, None)


def test_a_late_slot_is_promised_when_it_can_be_kept_and_the_preview_says_it_where_the_patient_is(
    course: Course, writer: PageClient, cast: Cast
) -> None:
    slot = db.session.scalars(select(ReviewSlot).where(ReviewSlot.supporter_id == cast.supporter.id)).one()
    slot.starts, slot.ends = time(18), time(20)
    cast.patient.zone = "Pacific/Auckland"
    db.session.commit()
    workspace = writer.get(path(course.review)).get_data(as_text=True)
    assert "Thursday 26 November, by 7pm" in workspace, "an hour after the slot, as the review is owed"
    html = preview(writer, course.review, next_review_at=datetime(2026, 11, 26, 18, tzinfo=UTC).isoformat())
    assert "<strong>Friday 27 November, by 8am</strong>" in html
