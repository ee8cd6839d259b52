"""One person's whole course, for their supporter."""

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import func, select

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.enrolments.models import SupporterNote
from icbt_support.enrolments.operations import set_goals
from icbt_support.messages.models import Message
from icbt_support.rhythm.acts import keep_entry
from icbt_support.risk.models import ReadFirst
from tests.browsing import PageClient
from tests.cast import Cast
from tests.conftest import THURSDAY
from tests.pages.supporter.course import actor, start_course, write_as_patient
from tests.pages.supporter.long_course import live_through


@pytest.fixture
def visitor(cast: Cast, client: PageClient) -> PageClient:
    start_course(cast.enrolment)
    clock.stop_clock_at(THURSDAY)
    return client.sign_in(cast.supporter)


def path(cast: Cast, rest: str = "") -> str:
    return f"/supporting/patients/{cast.enrolment.id}{rest}"


def test_the_course_shows_facts_weeks_and_everything_that_happened(cast: Cast, visitor: PageClient) -> None:
    patient = actor(cast.patient, Role.PATIENT, cast.service.id)
    set_goals(cast.enrolment, ["Draw again"], by=patient, now=THURSDAY)
    write_as_patient(cast.enrolment, "Hello there", at=THURSDAY - timedelta(hours=1))
    html = visitor.get(path(cast)).get_data(as_text=True)
    for words in (
        "Item 9",
        "Not answered yet",
        "Week 1 opened",
        "Hello there",
        "Draw again",
        "Open the review of week 1",
    ):
        assert words in html, words


def test_private_entries_are_nowhere(cast: Cast, visitor: PageClient) -> None:
    patient = actor(cast.patient, Role.PATIENT, cast.service.id)
    keep_entry(
        cast.enrolment, "activity-plan", {"what": "Private canary"}, is_shared=False, posted_key="p",
        by=patient, now=THURSDAY,
    )  # fmt: skip
    db.session.commit()
    assert "Private canary" not in visitor.get(path(cast)).get_data(as_text=True)


def test_a_note_is_saved_for_staff(cast: Cast, visitor: PageClient) -> None:
    visitor.get(path(cast))
    html = visitor.post(path(cast, "/notes"), {"words": "Prefers calls after 4pm."}).get_data(as_text=True)
    assert "Your note is saved." in html
    assert "Prefers calls after 4pm." in html
    assert "Pat Lane, Today 10.05am" in html


def test_an_empty_note_is_refused_in_words(cast: Cast, visitor: PageClient) -> None:
    response = visitor.post(path(cast, "/notes"), {"words": "  "})
    assert response.status_code == 400
    assert response.get_data(as_text=True).count("Write a note before you save it") == 2
    assert db.session.scalar(select(func.count(SupporterNote.id))) == 0


def test_words_to_read_first_stay_until_a_person_has_read_them(cast: Cast, visitor: PageClient) -> None:
    message = write_as_patient(cast.enrolment, "A hard evening", at=THURSDAY)
    db.session.add(
        ReadFirst(
            enrolment_id=cast.enrolment.id, subject="message", subject_id=message.id, marked_at=THURSDAY
        )
    )
    db.session.commit()
    assert "I have read this" in visitor.get(path(cast)).get_data(as_text=True)
    assert "I have read this" not in visitor.post(path(cast, "/read-first"), {}).get_data(as_text=True)
    mark = db.session.scalars(select(ReadFirst)).one()
    assert mark.read_by == cast.supporter.id


def test_others_find_nothing_and_change_nothing(cast: Cast, visitor: PageClient) -> None:
    for account in (cast.colleague, cast.other_supporter, cast.patient, cast.administrator):
        visitor.sign_in(account)
        assert visitor.http.get(path(cast)).status_code == 404
    visitor.sign_in(cast.other_supporter)
    foreign = f"/supporting/patients/{cast.other_enrolment.id}"
    assert visitor.get(foreign).status_code == 200
    assert "Kim Hill" in visitor.get(foreign).get_data(as_text=True)
    assert db.session.scalar(select(func.count(Message.id))) == 0


def test_opening_the_page_reads_no_message(cast: Cast, visitor: PageClient) -> None:
    message = write_as_patient(cast.enrolment, "Hello", at=THURSDAY)
    visitor.get(path(cast))
    db.session.expire_all()
    assert db.session.get_one(Message, message.id).read_at is None


def test_the_timeline_is_read_by_kind_and_a_page_at_a_time(cast: Cast, client: PageClient) -> None:
    live_through(cast.enrolment, weeks=52)
    clock.stop_clock_at(THURSDAY)
    visitor = client.sign_in(cast.supporter)
    newest = visitor.get(path(cast)).get_data(as_text=True)
    assert "November 2026</h3>" in newest
    assert "Review of week 51 sent" in newest
    assert "Review of week 40 sent" not in newest
    seen: list[str] = []
    address: str | None = f"{path(cast)}?kind=messages"
    while address is not None:
        html = visitor.get(address).get_data(as_text=True)
        assert "Review of week" not in html[html.index('id="timeline"') : html.index("columns__side")]
        seen += re.findall(r"Question of week \d+", html)
        earlier = re.search(r'href="([^"]+)" rel="next"', html)
        address = unescape(earlier.group(1)).split("#")[0] if earlier else None
    assert seen == [f"Question of week {number}" for number in range(52, 0, -1)]


@pytest.mark.parametrize("query", ["?kind=nonsense", "?before=yesterday", "?before=2026-11-19T10:00:00"])
def test_an_address_that_asks_for_nothing_there_is_shows_the_newest(
    cast: Cast, visitor: PageClient, query: str
) -> None:
    assert "Week 1 opened" in visitor.get(path(cast, query)).get_data(as_text=True)
