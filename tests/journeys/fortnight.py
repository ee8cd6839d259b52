"""What the two journeys of a supporter's fortnight begin with: Northfield, its people, two courses in their week 1."""

from datetime import UTC, date, datetime, timedelta

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.engagement.five_answers import QUESTIONS
from tests.cast import enrol, give_duty, give_review_slot, make_person, make_service
from tests.journeys.served import Served, Visitor, give_password
from tests.pages.supporter.course import REVIEW_SLOT, start_course, visit

BEFORE = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
PAT, CHRIS = "pat.lane@example.net", "chris.moor@example.net"
JO, TONI = "jo.field@example.net", "toni.marsh@example.net"
ALEX, ROBIN = "alex.reed@example.net", "robin.dale@example.net"
TODAY, WEEK = "/supporting/today", "/week"


def at(on: date | int, hour: int, minute: int = 0) -> datetime:
    """An instant of November 2026 (London is on UTC), or of another date."""
    day = date(2026, 11, on) if isinstance(on, int) else on
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def settle_northfield(served: Served) -> dict[str, int]:
    """Pat and Chris support, Jo is on duty, Toni runs it; Alex and Robin are with Pat, their reviews due on
    Thursday 19 November. Returns the number of each person's review, and of Pat's account.
    """
    clock.stop_clock_at(BEFORE)
    with served.app.app_context():
        service = make_service("Northfield", BEFORE)
        pat = make_person("Pat Lane", Role.SUPPORTER, service, BEFORE)
        chris = make_person("Chris Moor", Role.SUPPORTER, service, BEFORE)
        jo = make_person("Dr Jo Field", Role.CLINICIAN, service, BEFORE)
        toni = make_person("Toni Marsh", Role.ADMINISTRATOR, service, BEFORE)
        give_duty(jo, service)
        numbers = {"pat": pat.id}
        for supporter in (pat, chris):
            give_review_slot(supporter, service, BEFORE)
        for place, name in enumerate(("Alex Reed", "Robin Dale")):
            patient = make_person(name, Role.PATIENT, service, BEFORE)
            give_password(patient)
            enrolment = enrol(patient, pat, jo, service, BEFORE)
            slot = REVIEW_SLOT + timedelta(minutes=15 * place)
            numbers[patient.called] = start_course(enrolment, slot=slot, at=BEFORE).review.id
            visit(enrolment, at=at(18, 19))
        for person in (pat, chris, jo, toni):
            give_password(person)
        db.session.commit()
        db.session.remove()
    return numbers


def answers_its_five_questions(patient: Visitor) -> None:
    """The patient's home page says what, when, how long, who reads it and when, and what if not."""
    answers = patient.page.locator("dl.five-questions > div")
    assert tuple(answers.locator("dt").all_inner_texts()) == QUESTIONS
    assert all(words.strip() for words in answers.locator("dd").all_inner_texts())


def who_reads(patient: Visitor) -> str:
    """The fourth answer."""
    answers_its_five_questions(patient)
    return patient.page.locator("dl.five-questions > div dd").nth(3).inner_text()


def row_of(supporter: Visitor, name: str) -> str:
    """The words of one person's row in *Today*."""
    rows = supporter.page.locator(".queue__row").filter(has_text=name)
    return " ".join(rows.first.inner_text().split())


def press_in_row(supporter: Visitor, action: str, name: str) -> None:
    """The action of one person's row; a reader of the screen hears for whom."""
    supporter.press(f"{action} for {name}")


def send_preview(supporter: Visitor, called: str) -> None:
    supporter.press(f"Preview as {called} will see it")
    supporter.press(f"Send to {called}")
    supporter.sees(f"Your review was sent to {called}")


def write_letter(supporter: Visitor, words: str, *, step: str, day: str) -> None:
    """A whole letter in short: the first section, and a next step."""
    supporter.fill("What I noticed", words)
    supporter.fill("What", step)
    supporter.fill("Why it helps, because …", "doing comes before feeling like it")
    supporter.select("Day", day)
