"""A supporter's fortnight, the rest: absence with cover, a late review, away from now, a leaver. Days pass."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import browser_type_launch_args as browser_type_launch_args
from tests.journeys.fortnight import (
    ALEX,
    CHRIS,
    JO,
    PAT,
    ROBIN,
    TODAY,
    TONI,
    WEEK,
    answers_its_five_questions,
    at,
    press_in_row,
    row_of,
    send_preview,
    settle_northfield,
    who_reads,
    write_letter,
)
from tests.journeys.served import Served, Visitor, serving, visiting

NEWS = "There is news for you"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, at=at(17, 9)) as product:
        product.numbers = settle_northfield(product)
        product.pass_to(at(17, 9, 5))
        yield product


def test_absence_a_late_review_the_pool_and_a_leaver(browser: Browser, served: Served) -> None:
    with (
        visiting(browser, served, "pat", is_checked=False) as pat,
        visiting(browser, served, "chris", is_checked=False) as chris,
        visiting(browser, served, "alex", on_phone=True, is_checked=False) as alex,
        visiting(browser, served, "jo", is_checked=False) as jo,
        visiting(browser, served, "toni", is_checked=False) as toni,
    ):
        record_days_away(pat)
        served.run_jobs()
        read_who_covers(alex, served)

        served.pass_to(at(19, 10))
        write_in_pats_place(chris, served)
        read_what_chris_wrote(alex, served)

        # Thursday 26 November: Pat is back, and does not write.
        served.pass_to(at(26, 15, 5))
        assert served.postbox.to(PAT), "Pat was not warned"
        served.pass_to(at(26, 17, 1))
        read_that_it_is_late(alex, served)
        take_it_by_name(chris)
        served.run_jobs()
        read_who_writes_and_when(alex, served)

        # Two working days later the next week opens anyway; then the letter comes.
        served.pass_to(at(30, 17, 1))
        find_week_3_open(alex)
        served.pass_to(at(date(2026, 12, 1), 10))
        write_the_late_letter(chris)
        served.run_jobs()
        read_the_late_letter(alex)

        # Pat falls ill; the next review goes to the pool, and Chris takes it.
        go_away_from_now(pat)
        see_that_somebody_writes(alex)
        take_from_the_pool(chris)
        served.run_jobs()
        read_that_chris_writes(alex, served)

        # Pat leaves: everything has a new owner before the account closes.
        hand_everything_over(jo, served)
        close_the_account(toni, served)
        served.run_jobs()
        find_oneself_signed_out(pat)
        read_who_writes_from_now_on(alex, served)


# An absence with cover ------------------------------------------------------------------------------


def record_days_away(pat: Visitor) -> None:
    """What it touches is shown before anything is kept."""
    pat.sign_in(PAT)
    pat.open("/supporting/hours")
    for name, day in (("from_on", "18"), ("until_on", "20")):
        for part, value in (("day", day), ("month", "11"), ("year", "2026")):
            pat.page.locator(f"input[name={name}-{part}]").fill(value)
    pat.press("Show what it touches")
    pat.sees("2 reviews fall into these days. Select what happens to each.")
    pat.look_closely()
    for name in ("Alex Reed, Thursday 19 November", "Robin Dale, Thursday 19 November"):
        pat.choose("Chris Moor writes it on Thursday 19 November", question=name)
    pat.select("Who reads messages and alerts meanwhile?", "Chris Moor")
    pat.press("Save my days away")
    pat.sees("You are away from Wednesday 18 November to Friday 20 November.")


def read_who_covers(alex: Visitor, served: Served) -> None:
    mail = served.postbox.take(ALEX, NEWS)
    alex.sign_in(ALEX, mail.link("/week"))
    assert "Chris reads what you share and writes by Thursday 19 November, 5pm." in who_reads(alex)
    assert served.postbox.take(ROBIN, NEWS)
    assert [mail.subject for mail in served.postbox.to(CHRIS)]


def write_in_pats_place(chris: Visitor, served: Served) -> None:
    chris.sign_in(CHRIS, TODAY)
    assert "For Pat Lane, until 20 November" in row_of(chris, "Alex Reed")
    chris.look_closely()
    press_in_row(chris, "Start", "Alex Reed")
    write_letter(chris, "Pat is on a course, so I read your week.", step="One walk", day="Sunday 22 November")
    send_preview(chris, "Alex")
    chris.press_at(chris.page.get_by_role("button", name="Next: Robin Dale, due 9.15am"))
    write_letter(chris, "Your diary shows two good days.", step="One call", day="Sunday 22 November")
    send_preview(chris, "Robin")
    served.run_jobs()


def read_what_chris_wrote(alex: Visitor, served: Served) -> None:
    mail = served.postbox.take(ALEX, "Your plan for the week is ready")
    alex.come_back(ALEX, mail.link("/reviews/"))
    alex.sees("Pat is on a course, so I read your week.")
    alex.press("I have read this")
    alex.open(WEEK)
    assert "Pat reads what you share and writes by Thursday 26 November, 5pm." in who_reads(alex)


# A late review --------------------------------------------------------------------------------------


def read_that_it_is_late(alex: Visitor, served: Served) -> None:
    served.postbox.take(ALEX, "Something is later than we said")
    alex.come_back(ALEX, WEEK)
    alex.sees("Pat's review is not here yet. That is on us, not you.")
    alex.sees("By 12pm on Friday 27 November we will tell you who writes, and when.")
    answers_its_five_questions(alex)


def take_it_by_name(chris: Visitor) -> None:
    chris.come_back(CHRIS, TODAY)
    assert "Take it" in row_of(chris, "Alex Reed")
    press_in_row(chris, "Take it", "Alex Reed")
    assert chris.heading.endswith("When will you write to Alex?")
    chris.look_closely()
    chris.select("Day", "Tuesday 1 December")
    chris.select("By what time", "12pm")
    chris.press("Tell Alex this date")
    chris.sees("The patient was told: you write by")


def read_who_writes_and_when(alex: Visitor, served: Served) -> None:
    mail = served.postbox.take(ALEX, "A date has changed")
    assert "Tuesday 1 December" in mail.text
    alex.open(WEEK)
    alex.sees("Chris")
    alex.sees("Tuesday 1 December")
    answers_its_five_questions(alex)


def find_week_3_open(alex: Visitor) -> None:
    alex.come_back(ALEX, WEEK)
    alex.sees("Week 3 of")
    alex.sees("Tuesday 1 December")
    answers_its_five_questions(alex)


def write_the_late_letter(chris: Visitor) -> None:
    chris.come_back(CHRIS, TODAY)
    press_in_row(chris, "Start", "Alex Reed")
    chris.sees("The next week opened while this review was late.")
    write_letter(
        chris, "I am sorry that this comes late.", step="One hour outside", day="Wednesday 2 December"
    )
    send_preview(chris, "Alex")


def read_the_late_letter(alex: Visitor) -> None:
    alex.open("/reviews")
    alex.sees("Chris")
    alex.page.locator("main").get_by_role("link").first.click()
    alex.sees("I am sorry that this comes late.")
    alex.open(WEEK)
    alex.sees("One hour outside")
    assert "Pat reads what you share and writes by" in who_reads(alex)


# Away from now, and leaving -------------------------------------------------------------------------


def go_away_from_now(pat: Visitor) -> None:
    pat.come_back(PAT, "/supporting/hours")
    for part, value in (("day", "4"), ("month", "12"), ("year", "2026")):
        pat.page.locator(f"input[name=back_until-{part}]").fill(value)
    pat.press("I'm away from now")
    pat.sees("You are away. With the pool now:")
    pat.look_closely()


def see_that_somebody_writes(alex: Visitor) -> None:
    alex.open(WEEK)
    assert "Someone in Pat's team reads what you share and writes by" in who_reads(alex)
    alex.sees("Someone in Pat's team will see:")


def take_from_the_pool(chris: Visitor) -> None:
    chris.open(TODAY)
    assert "not taken yet" in row_of(chris, "Alex Reed")
    press_in_row(chris, "Take it", "Alex Reed")
    chris.sees("You write this review on")


def read_that_chris_writes(alex: Visitor, served: Served) -> None:
    served.postbox.take(ALEX, NEWS)
    alex.open(WEEK)
    assert "Chris reads what you share and writes by" in who_reads(alex)


def hand_everything_over(jo: Visitor, served: Served) -> None:
    jo.sign_in(JO, f"/clinical/team/{served.numbers['pat']}/hand-over")
    for name in ("Alex Reed", "Robin Dale"):
        jo.sees(name)
    jo.look_closely()
    chris = (
        jo.page.locator("select[name=everyone] option").filter(has_text="Chris Moor").get_attribute("value")
    )
    jo.page.locator("select[name=everyone]").select_option(value=chris)
    jo.press("Hand over what is selected")
    jo.sees("Nothing is left with Pat: an administrator can close the account.")


def close_the_account(toni: Visitor, served: Served) -> None:
    toni.sign_in(TONI, f"/admin/people/{served.numbers['pat']}")
    toni.does_not_see("Alex Reed")
    toni.press("Close the account")
    toni.sees("Pat Lane's account is closed. They are signed out everywhere.")


def find_oneself_signed_out(pat: Visitor) -> None:
    pat.page.goto(pat.base + TODAY)
    assert "/sign-in" in pat.path


def read_who_writes_from_now_on(alex: Visitor, served: Served) -> None:
    served.postbox.take(ALEX, NEWS)
    served.postbox.take(ROBIN, NEWS)
    alex.open("/supporter")
    alex.sees("Chris")
    alex.open(WEEK)
    assert who_reads(alex).startswith("Chris reads what you share and writes by")
