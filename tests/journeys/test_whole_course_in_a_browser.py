"""From an invitation to the second week's plan, as people live it: browsers, real mail, days that pass."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from icbt_support.accounts.models import Role
from icbt_support.db import db
from tests.browser.conftest import browser_type_launch_args as browser_type_launch_args
from tests.cast import PASSWORD, give_duty, give_review_slot, make_person, make_service
from tests.journeys.served import Served, Visitor, give_password, serving, visiting
from tests.journeys.smtp_server import ReceivedMail

THURSDAY = datetime(2026, 11, 19, 10, 5, tzinfo=UTC)
MONDAY_EVENING = datetime(2026, 11, 23, 18, 31, tzinfo=UTC)
WEDNESDAY_EVENING = datetime(2026, 11, 25, 18, 5, tzinfo=UTC)
REVIEW_MORNING = datetime(2026, 11, 26, 9, 35, tzinfo=UTC)
NEXT_MONDAY_EVENING = datetime(2026, 11, 30, 18, 31, tzinfo=UTC)
SAM = "sam.porter@post.example.net"
PAT, JO = "pat.lane@example.net", "jo.field@example.net"
FIVE_QUESTIONS = (
    "What do I do this week?",
    "When?",
    "How long?",
    "Who reads it, and when?",
    "What happens if I don't?",
)
CLINICAL_WORDS = ("therap", "cbt", "mood", "depress", "anxi", "phq", "gad", "score", "review", "patient")
GOAL = "Walk to the allotment on Sundays."


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Northfield, ready to invite: a supporter with review hours, a clinician on duty, an administrator."""
    with serving(tmp_path, at=THURSDAY) as product:
        with product.app.app_context():
            service = make_service("Northfield", THURSDAY)
            supporter = make_person("Pat Lane", Role.SUPPORTER, service, THURSDAY)
            clinician = make_person("Dr Jo Field", Role.CLINICIAN, service, THURSDAY)
            administrator = make_person("Toni Marsh", Role.ADMINISTRATOR, service, THURSDAY)
            give_review_slot(supporter, service, THURSDAY)
            give_duty(clinician, service)
            for person in (supporter, clinician, administrator):
                give_password(person)
            db.session.commit()
        yield product


def test_from_the_invitation_to_the_second_weeks_plan(browser: Browser, served: Served) -> None:
    with (
        visiting(browser, served, "jo") as jo,
        visiting(browser, served, "pat") as pat,
        visiting(browser, served, "sam", on_phone=True) as sam,
    ):
        invite_sam(jo)
        served.run_jobs()
        choose_a_password(sam, served)
        write_the_welcome(pat)
        served.run_jobs()
        assert_discreet(served.postbox.take(SAM, "There is a message for you"))
        set_up(sam)
        see_the_first_week(sam)

        served.pass_to(MONDAY_EVENING)
        read_the_first_session(sam, served)
        write_in_the_diary(sam)
        served.pass_to(WEDNESDAY_EVENING)
        do_the_check_in(sam, served)

        served.pass_to(REVIEW_MORNING)
        review_the_week(pat)
        served.run_jobs()
        read_the_letter(sam, served)
        see_the_agreed_step(sam)

        served.pass_to(NEXT_MONDAY_EVENING)
        move_from_the_mail(sam, served)
        see_what_was_held_back(sam)
        see_who_did_what(jo)


# Setting out ----------------------------------------------------------------------------------------------


def invite_sam(jo: Visitor) -> None:
    jo.sign_in(JO)
    jo.open("/clinical/invite")
    jo.fill("Full name", "Sam Porter")
    jo.fill("What they like to be called", "Sam")
    jo.fill("Email address", SAM)
    jo.fill("Phone number", "01632 960456")
    jo.choose("No", question="Is it all right to leave a voicemail?")
    jo.press("Send the invitation")
    jo.sees("The invitation is on its way. Pat owes a welcome by")


def choose_a_password(sam: Visitor, served: Served) -> None:
    mail = served.postbox.take(SAM, "An invitation for you")
    assert_discreet(mail)
    sam.open(mail.link("/invitation/"))
    sam.sees("Welcome, Sam")
    sam.fill("New password", PASSWORD)
    sam.press("Continue")
    assert sam.heading.endswith("Before you start")


def write_the_welcome(pat: Visitor) -> None:
    pat.sign_in(PAT)
    assert pat.heading == "Today"
    pat.press("Write welcome for Sam Porter")
    words = pat.page.get_by_role("textbox")
    words.fill(f"{words.input_value()}\n\nI look forward to hearing about your allotment.")
    pat.press("Send the welcome")
    pat.sees("Sam")


def set_up(sam: Visitor) -> None:
    """The three screens of onboarding; half-way it is left and taken up again."""
    sam.open("/")
    sam.choose("I have read this, and I want to take part")
    sam.press("Agree and continue")
    sam.open("/")
    sam.sees("Set up your plan")
    assert_five_answers(sam)
    sam.follow("Continue")
    sam.follow("Start")
    answer_questions(sam, "More than half the days", last="Several days", stop_after=3)
    sam.follow("stop and come back later")
    sam.follow("Continue your answers")
    answer_questions(sam, "More than half the days", last="Not at all", before=9)
    answer_questions(sam, "Several days", last="Several days")
    sam.sees("Check your answers")
    sam.press("Continue")
    sam.choose("Before every session (what you agreed may then go without an email)")
    sam.page.locator("select[name=first_day]").select_option(label="Monday")
    sam.page.locator("select[name=first_time]").select_option(label="7pm")
    sam.page.locator("select[name=second_day]").select_option(label="Tuesday")
    sam.page.locator("select[name=second_time]").select_option(label="7pm")
    sam.choose("Today, Thursday 19 November")
    sam.choose("Thursday 26 November, by 5pm")
    sam.press("Make my plan")
    sam.sees("Your plan is ready")
    sam.follow("Go to this week")


def answer_questions(
    sam: Visitor, words: str, *, last: str, before: int | None = None, stop_after: int | None = None
) -> None:
    """Answers one item a page until the form ends; the item `before` and the last one get another answer."""
    given = 0
    while "/check-in/" in sam.path and sam.page.get_by_role("radio").count():
        measure, number = sam.path.rsplit("/", 2)[1:]
        assert sam.page.get_by_role("radio").count() == 4
        is_last = (measure, number) in (("phq-9", "9"), ("gad-7", "7"))
        sam.choose(last if is_last else words)
        sam.press("Continue")
        given += 1
        if is_last or given == stop_after:
            return


def see_the_first_week(sam: Visitor) -> None:
    sam.sees("Getting started")
    assert_five_answers(sam)
    for words in ("Monday 23 November", "Thursday 26 November", "These days are a plan, not a test"):
        sam.sees(words)


# The first week -------------------------------------------------------------------------------------------


def read_the_first_session(sam: Visitor, served: Served) -> None:
    mail = served.postbox.take(SAM, "Your plan for Monday")
    assert_discreet(mail)
    assert "7pm, about 8 minutes." in mail.text
    sam.come_back(SAM, mail.link("/week"))
    sam.follow("Start now")
    pages = 0
    while "/programme/" in sam.path and "How this works" not in sam.heading and pages < 4:
        sam.press("Continue")
        pages += 1
    assert pages == 4
    sam.open("/programme/getting-started/a-goal-of-your-own")
    sam.page.get_by_label("What is one small thing you would like to be doing in two months?").fill(GOAL)
    sam.press("Continue")
    sam.open("/tools")
    sam.sees(GOAL)


def write_in_the_diary(sam: Visitor) -> None:
    sam.open("/tools/mood-diary")
    sam.choose("Good")
    sam.fill("What was going on?", "Planted garlic with Mo")
    sam.choose("Pat and the team can see it")
    sam.press("Save")
    sam.sees("Planted garlic with Mo")


def do_the_check_in(sam: Visitor, served: Served) -> None:
    assert_discreet(served.postbox.take(SAM, "Your plan for Tuesday"))
    mail = served.postbox.take(SAM, "A few questions before Thursday")
    assert_discreet(mail)
    sam.come_back(SAM, mail.link("/check-in"))
    sam.follow("Start")
    answer_questions(sam, "Several days", last="Not at all")
    answer_questions(sam, "Several days", last="Not at all")
    sam.page.get_by_role("textbox").fill("Is it all right to rest on Sunday?")
    sam.press("Send my check-in")
    sam.sees("Your check-in is in")
    sam.sees("8 out of 27")


# The review -----------------------------------------------------------------------------------------------


def review_the_week(pat: Visitor) -> None:
    pat.come_back(PAT, "/supporting/today")
    pat.sees("Sam Porter")
    pat.press("Start for Sam Porter")
    for words in ("Is it all right to rest on Sunday?", "Planted garlic with Mo", "not at all"):
        pat.sees(words)
    pat.does_not_see(GOAL)
    pat.fill("What I noticed", "You read the first part, and you planted garlic with Mo.")
    pat.fill("Your question", "Yes. A rest that you plan is part of the week.")
    pat.fill("What", "One walk with Mo")
    pat.fill("Why it helps, because …", "doing comes before feeling like it")
    pat.select("Day", "Sunday 29 November")
    pat.select("Time", "6pm")
    pat.page.locator("input[name=step_what]").blur()
    expect(pat.page.locator("#next-week")).to_contain_text("One walk with Mo")
    pat.press("Preview as Sam will see it")
    assert pat.heading.endswith("As Sam will see it")
    pat.sees("You read the first part, and you planted garlic with Mo.")
    pat.press("Send to Sam")
    pat.sees("Your review was sent to Sam")
    pat.sees("Next review Thursday 3 December")


def read_the_letter(sam: Visitor, served: Served) -> None:
    mail = served.postbox.take(SAM, "Your plan for the week is ready")
    assert_discreet(mail, but="review")
    assert "garlic" not in mail.everything
    sam.come_back(SAM, mail.link("/reviews/"))
    sam.sees("A rest that you plan is part of the week.")
    sam.sees("Because doing comes before feeling like it")
    sam.press("I have read this")


def see_the_agreed_step(sam: Visitor) -> None:
    sam.open("/week")
    sam.sees("Agreed with Pat")
    sam.sees("One walk with Mo")
    sam.sees("Thursday 3 December")
    assert_five_answers(sam)


def move_from_the_mail(sam: Visitor, served: Served) -> None:
    """One step, without a sign-in: opening the link changes nothing, one press moves it."""
    mail = served.postbox.take(SAM, "Your plan for Monday")
    sam.context.clear_cookies()
    sam.open(mail.link("/reminders/move/"))
    sam.sees("Now: Monday 30 November, 7pm")
    sam.select("Day", "Wed 2 Dec")
    sam.press("Move it")
    sam.sees("It is now on Wednesday 2 December, 7pm")
    sam.come_back(SAM, "/week")
    sam.sees("Wed 2 Dec")


def see_what_was_held_back(sam: Visitor) -> None:
    """Two sessions and the check-in were three emails in seven days, so the agreed step's stayed here."""
    sam.open("/reminders")
    sam.sees("Because you had enough that week already")


def see_who_did_what(jo: Visitor) -> None:
    jo.come_back(JO, "/clinical/caseload")
    jo.sees("Sam Porter")
    jo.page.locator("main").get_by_role("link", name="Sam Porter").first.click()
    jo.look()


# What every mail and every home page holds ----------------------------------------------------------------


def assert_discreet(mail: ReceivedMail, but: str = "") -> None:
    """Neutral to whoever sees the screen: no clinical word in subject, sender, or either part."""
    words = mail.everything.lower()
    found = [word for word in CLINICAL_WORDS if word in words and word != but]
    assert found == [], f"'{mail.subject}' says {found}"
    assert "/help-now" in mail.text


def assert_five_answers(sam: Visitor) -> None:
    answers = sam.page.locator("dl.five-questions > div")
    assert tuple(answers.locator("dt").all_inner_texts()) == FIVE_QUESTIONS
    assert all(words.strip() for words in answers.locator("dd").all_inner_texts())
