"""The page of a review: the week, what opens next, the send, and a late review."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.audit import Actor
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.hours.models import Absence
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemKind, PlanItem, Week
from icbt_support.reviews.models import KeptText, ReviewDraft, ReviewLetter, ReviewState
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
    Course,
    actor,
    letter_values,
    reload,
    write_as_patient,
)
from tests.pages.supporter.workspace import open_workspace, path, preview, send

SYSTEM = Actor.system("tests")


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
    assert "The patient was told: you write by Friday 20 November, 12pm" in html
    review = reload(course.review)
    assert review.promised_at == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert review.taken_at is not None


def test_the_new_date_is_chosen_where_the_patient_is_and_says_so(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    clock.stop_clock_at(THURSDAY + timedelta(hours=8))
    tell_of_late_reviews(now=clock.now(), by=SYSTEM)
    db.session.commit()
    where = "Day and time are where Alex is"
    assert where not in writer.get(path(course.review, "/new-date")).get_data(as_text=True)
    cast.patient.zone = "Pacific/Auckland"
    db.session.commit()
    clock.stop_clock_at(THURSDAY + timedelta(days=1))
    page = writer.get(path(course.review, "/new-date")).get_data(as_text=True)
    assert f"{where}: Auckland." in page
    assert "Alex was told yesterday 6" in page, "the day is said, not only the hour"


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


def test_sending_marks_what_was_shown_as_read(cast: Cast, course: Course, writer: PageClient) -> None:
    message = write_as_patient(cast.enrolment, "Hello", at=THURSDAY - timedelta(hours=1))
    preview(writer, course.review)
    send(writer, course.review)
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(Message, message.id).read_by == cast.supporter.id


def test_an_open_alert_stands_above_the_letter(cast: Cast, course: Course, writer: PageClient) -> None:
    by = actor(cast.clinician, Role.CLINICIAN, cast.service.id)
    raise_concern(cast.enrolment, "Sounded flat", Grade.URGENT, posted_key="one", by=by, now=THURSDAY)
    db.session.commit()
    html = writer.get(path(course.review)).get_data(as_text=True)
    assert html.index("Open risk alert") < html.index("Your review for Alex")
