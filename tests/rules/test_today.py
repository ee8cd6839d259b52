"""Who stands where in *Today*. No database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from icbt_support.engagement.caseload import (
    OpenedTo,
)
from icbt_support.engagement.today import (
    Section,
    as_seen_by,
    build_queue,
    section_of,
)
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.pages.supporter.today_reasons import Reader
from icbt_support.pages.supporter.today_rows import Address, make_row, summary_parts
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.risk.models import CallOutcome, Grade
from tests.rules.people_today import (
    COLLEAGUE,
    LATE,
    LATER,
    ME,
    NOW,
    UNREAD,
    UNREAD_TOO_LONG,
    ZONE,
    alert,
    claimed,
    due_at,
    make_person,
    of_colleague,
    owed,
    quiet_for,
    row_of,
    where,
)

pytestmark = pytest.mark.usefixtures("library")


@pytest.mark.parametrize(
    ("person", "section"),
    [
        (lambda: make_person(alerts=(alert(Grade.URGENT),), owed=(LATE,)), Section.READ_FIRST),
        (lambda: make_person(read_first=(NOW,)), Section.READ_FIRST),
        (lambda: make_person(alerts=(alert(Grade.KNOWN),), owed=(due_at(10),)), Section.DUE),
        (lambda: make_person(owed=(LATE,)), Section.LATE),
        (lambda: make_person(owed=(due_at(10),)), Section.DUE),
        (lambda: make_person(owed=(owed(promised_at=LATER.review.promised_at, kind=ReviewKind.WELCOME),)),
         Section.WELCOME),
        (lambda: make_person(owed=(LATER,), messages=(UNREAD,)), Section.MESSAGES),
        (lambda: make_person(owed=(due_at(10),), messages=(UNREAD_TOO_LONG,)), Section.LATE),
        (lambda: quiet_for(13), Section.NOTES),
        (lambda: quiet_for(14), Section.CALLS),
        (lambda: quiet_for(14, CallOutcome.NO_ANSWER), Section.CALLS),
        (lambda: quiet_for(14, CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL), Section.WAITING),
        (lambda: quiet_for(14, CallOutcome.SPOKE), Section.WAITING),
        (lambda: quiet_for(8, state=EnrolmentState.INVITED), Section.CALLS),
        (lambda: quiet_for(21), Section.WAITING),
        (lambda: make_person(owed=(LATER,)), Section.WAITING),
        (lambda: make_person(), Section.WAITING),
        (lambda: make_person(owed=(owed(promised_at=LATE.review.promised_at, owner=COLLEAGUE),)),
         Section.WAITING),
    ],
)  # fmt: skip
def test_a_person_stands_in_the_first_section_that_fits(person, section) -> None:  # noqa: ANN001
    assert where(person()) is section


def test_a_review_of_somebody_whom_i_cover_is_mine_to_write() -> None:
    person = of_colleague(owed=(due_at(10, owner=COLLEAGUE),))
    seen = as_seen_by(person, account_id=ME, covers={COLLEAGUE})
    assert where(seen) is Section.DUE
    assert row_of(seen).cover == "For Priya Nair, until 3 December"
    given_on = of_colleague(owed=(due_at(10, owner=9),))
    assert where(as_seen_by(given_on, account_id=ME, covers={COLLEAGUE})) is Section.WAITING


def test_a_review_with_the_pool_is_taken_first_and_costs_nobody_minutes() -> None:
    one = due_at(10, owner=COLLEAGUE)
    one.review.pooled_at = NOW
    person = of_colleague(owed=(one,), opened_to=(OpenedTo("review:1", None),))
    for covers in ({COLLEAGUE}, set()):
        seen = as_seen_by(person, account_id=ME, covers=covers)
        row = row_of(seen)
        assert (where(seen), row.action, row.start_href) == (Section.POOL, "Take it", "/take")
        assert build_queue([person], account_id=ME, covers=covers, now=NOW, zone=ZONE).minutes == 0
    assert row.cover == "For Priya Nair, until 3 December"
    one.review.owner_id, one.review.pooled_at = ME, None
    assert row_of(as_seen_by(person, account_id=ME, covers=())).action == "Start"


def test_who_was_let_in_because_of_a_message_sees_to_that_alone() -> None:
    person = of_colleague(
        owed=(due_at(10, owner=COLLEAGUE),),
        messages=(UNREAD_TOO_LONG,),
        opened_to=(OpenedTo("message:5", None),),
    )
    queue = build_queue([person], account_id=ME, covers=(), now=NOW, zone=ZONE)
    assert (queue.count(Section.LATE), queue.minutes) == (1, 5)
    (seen,) = queue.sections[Section.LATE]
    address = Address("/person", "/review", "/welcome", "/messages")
    row = make_row(seen, Section.LATE, address, Reader(ME, NOW, ZONE), is_first=True)
    assert (row.action, row.start_href, row.minutes) == ("Read", "", 5)
    assert row.cover == "For Priya Nair, until this message is read"
    by_review = replace(person, opened_to=(OpenedTo("review:1", ME),))
    assert as_seen_by(by_review, account_id=ME, covers=()).messages == ()


@pytest.mark.parametrize("state", [EnrolmentState.AWAY, EnrolmentState.PAUSED])
def test_a_review_that_was_promised_is_owed_whatever_the_course_is_doing(state: EnrolmentState) -> None:
    """Going away moves a review that lies ahead and leaves a late one; a pause has a review at its end."""
    person = make_person(owed=(LATE,))
    person.enrolment.state = state
    assert where(person) is Section.LATE


def test_a_taken_alert_rests_once_a_letter_was_sent_after_it() -> None:
    taken = alert(Grade.SAME_DAY, acknowledged_at=NOW - timedelta(minutes=40))
    before, after = Review(sent_at=NOW - timedelta(days=7)), Review(sent_at=NOW - timedelta(minutes=5))

    assert where(make_person(alerts=(taken,), last_sent=before, owed=(LATER,))) is Section.READ_FIRST
    assert where(make_person(alerts=(taken,), last_sent=after, owed=(LATER,))) is Section.WAITING
    not_taken = make_person(alerts=(alert(Grade.SAME_DAY),), last_sent=after, owed=(LATER,))
    assert where(not_taken) is Section.READ_FIRST


def test_an_alert_wins_over_paused() -> None:
    person = make_person(alerts=(alert(Grade.SAME_DAY),))
    person.enrolment.state = EnrolmentState.PAUSED
    assert where(person) is Section.READ_FIRST


def test_due_reviews_come_in_the_order_of_the_slots_and_their_minutes_add_up() -> None:
    people = [
        make_person("Grace Obi", number=1, owed=(due_at(14, 30),)),
        make_person("Leo Grant", number=2, owed=(due_at(10, 30),)),
        make_person("Ruth Okafor", number=3, owed=(LATE,)),
        make_person("Kofi Mensah", number=4, owed=(LATER,)),
    ]
    queue = build_queue(people, account_id=ME, covers=(), now=NOW, zone=ZONE)
    assert [one.enrolment.patient.called for one in queue.sections[Section.DUE]] == ["Leo", "Grace"]
    assert queue.minutes == 12 + 12 + 15
    assert [words for words, _ in summary_parts(queue)] == ["1 late", "2 due"]
    assert queue.next_day is not None
    assert queue.next_day.on == date(2026, 11, 26)
    assert queue.count(Section.WAITING) == 1


def test_minutes_are_of_all_that_is_asked_for_and_not_of_what_a_colleague_writes() -> None:
    people = [
        make_person("A", number=1, alerts=(alert(Grade.URGENT),), owed=(due_at(10),)),
        make_person("B", number=2, read_first=(NOW,)),
        make_person("C", number=3, owed=(LATER,), messages=(UNREAD,)),
        quiet_for(15),
        make_person("D", number=4, owed=(claimed(COLLEAGUE, minutes_ago=5),)),
    ]
    assert build_queue(people, account_id=ME, covers=(), now=NOW, zone=ZONE).minutes == (2 + 12) + 2 + 5 + 15
    rested = make_person(owed=(claimed(COLLEAGUE, minutes_ago=25),))
    assert build_queue([rested], account_id=ME, covers=(), now=NOW, zone=ZONE).minutes == 12


def test_urgent_comes_before_same_day_and_marks() -> None:
    people = [
        make_person("A", number=1, read_first=(NOW - timedelta(days=1),)),
        make_person("B", number=2, alerts=(alert(Grade.SAME_DAY),)),
        make_person("C", number=3, alerts=(alert(Grade.URGENT),)),
    ]
    queue = build_queue(people, account_id=ME, covers=(), now=NOW, zone=ZONE)
    assert [one.enrolment.patient.full_name for one in queue.sections[Section.READ_FIRST]] == ["C", "B", "A"]


def test_an_empty_day_says_what_comes_next() -> None:
    queue = build_queue([make_person(owed=(LATER,))], account_id=ME, covers=(), now=NOW, zone=ZONE)
    assert queue.is_clear
    assert queue.next_day is not None
    assert queue.next_day.count == 1
    assert build_queue([], account_id=ME, covers=(), now=NOW, zone=ZONE).next_day is None


def test_days_begin_in_the_supporters_zone() -> None:
    slot = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)
    review = owed(promised_at=slot + timedelta(hours=6), slot_at=slot)
    review.review.due_on = date(2026, 11, 20)
    person = make_person(owed=(review,))
    assert section_of(person, account_id=ME, now=NOW, zone="Europe/London") is Section.DUE
    assert section_of(person, account_id=ME, now=NOW, zone="Europe/Athens") is Section.WAITING
