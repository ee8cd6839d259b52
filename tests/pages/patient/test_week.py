"""The patient's home: in every state it answers the five questions, and what it answers is true."""

import re
from datetime import date, datetime
from html import unescape

import pytest
from sqlalchemy import func, select

from icbt_support.audit.models import AuditLine
from icbt_support.cadence import to_local
from icbt_support.db import db
from icbt_support.engagement.five_answers import QUESTIONS
from icbt_support.enrolments.operations import confirm_contact_sheet, set_goals
from icbt_support.plan.models import ItemKind, PlanItem
from icbt_support.plan.words import clock_words, day_words
from icbt_support.reviews.queries import next_review
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.rhythm_steps import at
from tests.pages.patient.home_states import NOW, STATES, build, patient
from tests.pages.visits import status_of

ZONES = ("America/New_York", "Asia/Kathmandu", "Pacific/Auckland")
ON_US = "That is on us, not you."
WRITES = "Pat reads what you share and writes by Thursday 26 November, 5pm."
WRITES_A_WEEK_LATER = "Pat reads what you share and writes by Thursday 3 December, 5pm."
STILL = "Pat still writes. Nothing is lost, and we start where you are."

TRUE_ANSWERS = {
    "consented": (
        "Answer two short questionnaires, and choose your times.",
        "Any time that suits you. Your place is kept.",
        "About 15 minutes in all.",
        "A welcome comes by Monday 23 November, 5pm.",
        "Pat gets in touch",
    ),
    "baseline done": (
        "Choose the days and times",
        "Any time",
        "About 5 minutes in all.",
        "Pat reads",
        "Pat gets in",
    ),
    "welcome late": (
        "Answer two",
        "Any time",
        "minutes",
        f"A welcome is not here yet. {ON_US}",
        "Pat gets in touch",
    ),
    "before the start": (
        "Nothing yet. Your first week opens by itself.",
        "It opens on Monday 23 November.",
        "minutes in the first week",
        WRITES_A_WEEK_LATER,
        "Nothing is lost.",
    ),
    "open": ("Next: ", "You can move it.", "minutes for all that is left.", WRITES, STILL),
    "next today": (
        "Next: ",
        "Today, Thursday 19 November at 8.30pm. You can move it.",
        "minutes",
        WRITES,
        STILL,
    ),
    "next tomorrow": (
        "Next: ",
        "Tomorrow, Friday 20 November at 8.30pm. You can move it.",
        "minutes",
        WRITES,
        STILL,
    ),
    "planned day passed": (
        "Next: ",
        "It was planned for Monday 23 November. Any time is fine, or move it.",
        "minutes",
        "writes by tomorrow, Thursday 26 November, 5pm.",
        STILL,
    ),
    "done but check-in": (
        "Everything is done for now. Your check-in comes next.",
        "It opens on Monday 23 November.",
        "minutes for the check-in.",
        WRITES,
        STILL,
    ),
    "check-in left": ("Next: ", "You can move it.", "minutes", WRITES, STILL),
    "all done": (
        "Everything in your plan is done.",
        "Any time you like.",
        "As long",
        WRITES,
        "You have done what",
    ),
    "review unread": (
        "Read what Pat wrote. Then: ",
        "You can move it.",
        "minutes",
        WRITES_A_WEEK_LATER,
        STILL,
    ),
    "late": (
        "Next: ",
        "Any time is fine, or move it.",
        "minutes",
        f"Pat's review is not here yet. {ON_US} Your answers are safe. "
        "By 12pm on Friday 27 November we will tell you who writes, and when.",
        "You still get your review.",
    ),
    "late and taken": (
        "Next: ",
        "Any time is fine, or move it.",
        "minutes",
        f"{ON_US} Your answers are safe. Chris will write by 4pm on Friday 27 November.",
        "You still get your review.",
    ),
    "away": (
        "Nothing. You are away.",
        "Your plan goes on after Tuesday 24 November.",
        "No minutes",
        f"{WRITES_A_WEEK_LATER} Get help now stays open all the time.",
        "Nothing happens.",
    ),
    "paused": (
        "Nothing. Your course is paused.",
        "When you and Pat agree to go on.",
        "No minutes",
        "The date of your next review comes here.",
        "Your place is kept.",
    ),
    "paused with a date": (
        "Nothing. Your course is paused.",
        "Pat writes by Thursday 3 December.",
        "No minutes",
        WRITES_A_WEEK_LATER,
        "Your place is kept.",
    ),
    "between weeks": (
        "Your next week is not open yet.",
        "It opens when Pat has written to you.",
        "No minutes until then.",
        WRITES,
        "Nothing is lost.",
    ),
    "ended by a last review": (
        "Read what Pat wrote last. Nothing is planned for you now. You agreed to go on with: One walk",
        "Whenever you like.",
        "As long as you like.",
        "Nobody reads this now that the course has ended.",
        "What you wrote stays here for you.",
    ),
    "ended by the patient": (
        "Nothing is planned for you now. Your tools and pages are yours to use.",
        "Whenever you like.",
        "As long as you like.",
        "Nobody reads this now",
        "What you wrote stays here for you.",
    ),
}


def words_of(client: PageClient, path: str = "/week") -> str:
    return unescape(client.get(path).get_data(as_text=True))


def day_and_clock(instant: datetime, zone: str) -> str:
    local = to_local(instant, zone)
    return f"{day_words(local)}, {clock_words(local)}"


def answers_in(words: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]*)</dd>", words))


@pytest.mark.parametrize("name", TRUE_ANSWERS)
def test_the_five_questions_are_answered_truly(client: PageClient, cast: Cast, name: str) -> None:
    built = build(name, cast)
    found = answers_in(words_of(client.sign_in(built.enrolment.patient)))
    for question, true_words in zip(QUESTIONS, TRUE_ANSWERS[name], strict=True):
        assert true_words in found[question], f"{name}: {question}"


def test_every_state_is_asked() -> None:
    assert set(STATES) == {*TRUE_ANSWERS, "invited"}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", TRUE_ANSWERS)
def test_every_state_answers_in_every_zone(client: PageClient, cast: Cast, name: str, zone: str) -> None:
    built = build(name, cast, zone)
    found = answers_in(words_of(client.sign_in(built.enrolment.patient)))
    assert all(found[question].strip() for question in QUESTIONS)
    review = next_review(built.enrolment)
    if review is not None and not review.is_late(built.seen_at) and "late" not in name:
        assert f"{day_and_clock(review.promised_at, zone)}." in found["Who reads it, and when?"]


def test_a_promise_is_said_in_the_persons_own_time(client: PageClient, cast: Cast) -> None:
    build("open", cast, "Pacific/Auckland")
    words = words_of(client.sign_in(cast.patient))
    assert "writes by Friday 27 November, 6am." in answers_in(words)["Who reads it, and when?"]
    assert "by 6am" in words


def test_an_invited_person_is_led_to_the_start(client: PageClient, cast: Cast) -> None:
    built = build("invited", cast)
    assert "Before you start" in words_of(client.sign_in(built.enrolment.patient))


def test_the_next_thing_leads_to_where_it_begins(client: PageClient, cast: Cast) -> None:
    build("open", cast)
    client.sign_in(cast.patient).get("/week")
    assert any(link.startswith("/programme/getting-started/") for link in client.page.links)


def test_a_check_in_that_is_not_open_yet_is_no_link(client: PageClient, cast: Cast) -> None:
    build("done but check-in", cast)
    words = words_of(client.sign_in(cast.patient))
    assert "Opens Monday" in words
    assert "Done for now" in words
    assert "Start now" not in words


def test_a_late_review_takes_the_place_of_its_date(client: PageClient, cast: Cast) -> None:
    build("late", cast)
    words = words_of(client.sign_in(cast.patient))
    assert "We will tell you here who writes, and when." in words
    assert "Thursday 26 November <span>by 5pm" not in words


def test_a_new_letter_is_shown_with_its_first_words(client: PageClient, cast: Cast) -> None:
    build("review unread", cast)
    words = words_of(client.sign_in(cast.patient))
    assert "Pat has written to you" in words
    assert "Agreed with Pat: one walk with Mo by Tuesday" in words
    assert "because doing comes before feeling like it" in words


def test_a_day_that_its_name_alone_does_not_tell_has_its_date(client: PageClient, cast: Cast) -> None:
    build("review unread", cast)
    step = db.session.scalars(select(PlanItem).where(PlanItem.kind == ItemKind.AGREED_STEP)).one()
    step.planned_on = date(2026, 11, 17)
    step.week.review_on = date(2026, 12, 10)
    db.session.commit()
    words = words_of(client.sign_in(cast.patient))
    assert "Agreed with Pat: one walk with Mo by Tuesday 17 November" in words
    assert "By Tue 17 Nov" in words
    assert "Opens Monday 7 December" in words


def test_a_passed_day_promises_no_email(client: PageClient, cast: Cast) -> None:
    build("open", cast)
    session = db.session.scalars(select(PlanItem).where(PlanItem.kind == ItemKind.SESSION)).first()
    assert session is not None
    session.planned_on, session.is_emailed = date(2026, 11, 18), True
    db.session.commit()
    words = words_of(client.sign_in(cast.patient))
    row = words[words.index("Wed 18 Nov") :][:60]
    assert "email" not in row
    assert "Planned for Wed 18 Nov, and any time is fine" in words


def test_week_1_asks_how_to_reach_the_person_and_what_they_want(client: PageClient, cast: Cast) -> None:
    build("open", cast)
    words = words_of(client.sign_in(cast.patient))
    assert "Is this still how to reach you?" in words
    assert "What would you like to be different?" in words
    confirm_contact_sheet(cast.enrolment, by=patient(cast.enrolment), now=NOW)
    set_goals(cast.enrolment, ["Draw again"], by=patient(cast.enrolment), now=NOW)
    db.session.commit()
    words = words_of(client)
    assert "Is this still how to reach you?" not in words
    assert "What would you like to be different?" not in words


@pytest.mark.parametrize(("confirmed_on", "is_asked"), [(22, True), (24, False)])
def test_four_weeks_later_the_person_is_asked_again(
    client: PageClient, cast: Cast, confirmed_on: int, is_asked: bool
) -> None:
    build("open", cast)
    confirmed_at = at(19, 9).replace(month=10, day=confirmed_on)
    confirm_contact_sheet(cast.enrolment, by=patient(cast.enrolment), now=confirmed_at)
    db.session.commit()
    assert ("Is this still how to reach you?" in words_of(client.sign_in(cast.patient))) is is_asked


def test_the_end_keeps_the_plan_to_stay_well_and_names_the_service(client: PageClient, cast: Cast) -> None:
    build("ended by a last review", cast)
    words = words_of(client.sign_in(cast.patient))
    assert "Your staying-well plan" in words
    assert "Agreed with Pat: <strong>One walk with Mo</strong>" in words
    assert "Write your plan on one page" in words
    assert "Write a safety plan" in words
    assert cast.service.contact_words in words


def test_looking_changes_nothing(client: PageClient, cast: Cast) -> None:
    build("review unread", cast)
    client.sign_in(cast.patient)
    before = db.session.scalar(select(func.count()).select_from(AuditLine))
    client.get("/week")
    assert db.session.scalar(select(func.count()).select_from(AuditLine)) == before


def test_staff_have_no_week(app, cast: Cast) -> None:
    for account in (cast.supporter, cast.clinician, cast.administrator):
        assert status_of(app, account, "/week") == 404
