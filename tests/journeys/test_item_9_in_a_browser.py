"""Somebody says that they are not safe: what they read at once, who is told, when it goes on, how it ends.

What the patient does is walked twice, with JavaScript and without.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.hours.models import DutySession
from icbt_support.risk.models import AlertSource, Grade, RiskAlert
from tests.browser.conftest import browser_type_launch_args as browser_type_launch_args
from tests.cast import make_cast, make_person
from tests.concepts.rhythm_steps import answer_check_in, start_course
from tests.journeys.served import Served, Visitor, give_password, serving, visiting
from tests.journeys.smtp_server import ReceivedMail


def on(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of November 2026, when London is on UTC."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


ALEX, PAT = "alex.reed@example.net", "pat.lane@example.net"
JO, ROBIN = "jo.field@example.net", "robin.hale@example.net"
CALM = "Thank you for telling us"
NOTICE = "To look at now: AR"

WAYS = ["with_javascript", "without_javascript"]
either_way = pytest.mark.parametrize("javascript", [True, False], ids=WAYS)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Alex's first week is open, its check-in too; Jo is on duty in office hours, and Robin after her."""
    with serving(tmp_path, at=on(19, 10, 5)) as product:
        with product.app.app_context():
            cast = make_cast(now=on(19, 10, 5))
            second = make_person("Dr Robin Hale", Role.CLINICIAN, cast.service, on(19, 10, 5))
            for weekday in range(5):
                db.session.add(
                    DutySession(
                        service_id=cast.service.id,
                        weekday=weekday,
                        starts=time(9),
                        ends=time(17),
                        position=2,
                        clinician_id=second.id,
                    )
                )
            for person in (cast.patient, cast.supporter, cast.clinician, second):
                give_password(person)
            start_course(cast.enrolment, review_at=on(26, 9), now=on(19, 10, 5))
            answer_check_in(cast.enrolment, 0, now=on(19, 10, 5))
            db.session.commit()
        yield product


@either_way
def test_several_days_in_the_evening(browser: Browser, served: Served, javascript: bool) -> None:
    """Nobody is on duty, and the page says so; in the morning a clinician is told, takes and resolves it."""
    served.pass_to(on(24, 20, 15))
    with visiting(browser, served, "alex", on_phone=True, javascript=javascript) as alex:
        alex.sign_in(ALEX)
        answer_item_9(alex, "Several days")
        assert [(one.grade, one.answer) for one in alerts(served)] == [(Grade.SAME_DAY, 1)]
        for words in ("Wednesday", "9am", "Nobody here", "116 123", "Your answers are saved"):
            alex.sees(words)
        alex.does_not_see("suicid")
        alex.choose("Yes", question="Can you keep yourself safe right now?")
        alex.press("Continue")
        finish_check_in(alex)
    served.pass_to(on(25, 8, 55))
    assert notices(served) == []
    served.pass_to(on(25, 9, 1))
    assert {mail.to for mail in notices(served)} == {JO, PAT}
    assert all(says_initials_alone(mail) for mail in notices(served))

    with visiting(browser, served, "pat") as pat:
        pat.sign_in(PAT)
        pat.sees("1 to read first")
        with visiting(browser, served, "jo") as jo:
            take_and_resolve(jo)
        assert all(one.resolved_at is not None for one in alerts(served))
        served.pass_to(on(26, 9, 5))
        pat.come_back(PAT, "/supporting/today")
        pat.page.locator("main").get_by_role("button", name="Start").first.click()
        pat.look()
        facts = pat.page.locator("main").inner_text().lower()
        assert facts.index("item 9") < facts.index("several days (was: not at all)") < facts.index("phq-9")


def test_an_alert_that_nobody_takes_goes_on_in_duty_hours(browser: Browser, served: Served) -> None:
    """Ten minutes before duty ends: the clock of fifteen stands still for the night, then goes on."""
    served.pass_to(on(24, 16, 50))
    with visiting(browser, served, "alex", on_phone=True) as alex:
        alex.sign_in(ALEX)
        answer_item_9(alex, "Several days")
        alex.choose("No", question="Can you keep yourself safe right now?")
        alex.press("Continue")
        assert alex.heading == "Please talk to someone now"
        alex.sees("Call 999")
    assert [one.grade for one in alerts(served)] == [Grade.URGENT]
    served.run_jobs()
    assert {mail.to for mail in notices(served)} == {JO, PAT}
    served.pass_to(on(25, 9, 4))
    assert ROBIN not in {mail.to for mail in notices(served)}
    served.pass_to(on(25, 9, 6))
    assert ROBIN in {mail.to for mail in notices(served)}

    with visiting(browser, served, "robin") as robin:
        robin.sign_in(ROBIN)
        robin.open("/clinical/risk")
        take(robin)
    told = len(notices(served))
    served.pass_to(on(25, 11))
    assert len(notices(served)) == told


@either_way
def test_i_am_not_safe_beside_send(browser: Browser, served: Served, javascript: bool) -> None:
    """The words are kept, an urgent alert is raised, help is the next page; two presses raise one."""
    served.pass_to(on(24, 10))
    with visiting(browser, served, "alex", on_phone=True, javascript=javascript) as alex:
        alex.sign_in(ALEX)
        alex.open("/messages")
        write_not_safe(alex)
        alex.follow("Continue to your messages")
        alex.sees("I do not know what to do tonight.")
        alex.sees("The clinicians here are told too")
    assert [(one.source, one.grade) for one in alerts(served)] == [(AlertSource.STATED, Grade.URGENT)]
    served.run_jobs()
    assert {mail.to for mail in notices(served)} == {JO, PAT}
    with visiting(browser, served, "jo") as jo:
        jo.sign_in(JO)
        jo.sees("Alerts")
        jo.open("/clinical/risk")
        jo.sees("I do not know what to do tonight.")


# What people do -------------------------------------------------------------------------------------------


def answer_item_9(alex: Visitor, words: str) -> None:
    """Answers the PHQ-9 with nought, and its ninth item with `words`: the very next page is the calm one."""
    alex.open("/check-in")
    alex.follow("Start")
    while not alex.path.endswith("/9"):
        alex.choose("Not at all")
        alex.press("Continue")
    alex.choose(words)
    alex.press("Continue")
    assert alex.heading.endswith(CALM)


def finish_check_in(alex: Visitor) -> None:
    while alex.page.get_by_role("radio").count():
        alex.choose("Not at all")
        alex.press("Continue")
    alex.press("Send my check-in")
    alex.sees("Your check-in is in")


def write_not_safe(alex: Visitor) -> None:
    alex.page.get_by_role("textbox").fill("I do not know what to do tonight.")
    alex.press_twice("I need someone to know I am not safe")
    assert alex.heading == "Please talk to someone now"


def take_and_resolve(jo: Visitor) -> None:
    jo.sign_in(JO)
    jo.open("/clinical/risk")
    take(jo)
    jo.follow("Resolve this alert")
    jo.press("Resolve")
    jo.sees("There is a problem")
    jo.page.get_by_role("textbox").nth(0).fill("Alex, by phone")
    jo.page.get_by_role("textbox").nth(1).fill("A safety plan, and a call on Friday")
    jo.page.get_by_role("textbox").nth(2).fill("Pat Lane")
    jo.press("Resolve")
    jo.open("/clinical/risk")
    jo.sees("Nothing is open")
    jo.follow("See what was done")
    jo.sees("A safety plan, and a call on Friday")


def take(clinician: Visitor) -> None:
    clinician.sees("Alex Reed")
    clinician.follow("Open and take")
    clinician.page.get_by_role("textbox").first.fill("I am calling Alex now.")
    clinician.press("Take this alert")
    clinician.sees("I am calling Alex now.")


# What came of it ------------------------------------------------------------------------------------------


def alerts(served: Served) -> list[RiskAlert]:
    with served.app.app_context():
        found = list(db.session.scalars(select(RiskAlert).order_by(RiskAlert.id)))
        db.session.expunge_all()
    return found


def notices(served: Served) -> list[ReceivedMail]:
    return [mail for mail in served.postbox.mails if mail.subject == NOTICE]


def says_initials_alone(mail: ReceivedMail) -> bool:
    words = mail.everything.lower()
    return not any(told in words for told in ("alex", "reed", "several days", "phq", "suicid", "item 9"))
