"""Who stands where in *Today*, and how a row says why. No database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from icbt_support.accounts.models import Account
from icbt_support.engagement.caseload import (
    OpenAlert,
    OpenedTo,
    OwedReview,
    PersonNow,
    WaitingMessage,
    WeekNow,
)
from icbt_support.engagement.today import (
    Section,
    as_seen_by,
    build_queue,
    opened_nothing_this_week,
    section_of,
)
from icbt_support.enrolments.models import Enrolment, EnrolmentState, Purpose
from icbt_support.messages.models import MessageKind
from icbt_support.pages.supporter.today_reasons import Reader
from icbt_support.pages.supporter.today_rows import Address, Row, make_row, summary_parts
from icbt_support.pages.supporter.words import moment_words, promise_words, visit_words
from icbt_support.plan.models import ItemState, PlanItem, Week
from icbt_support.programme.library import load_library, programmes
from icbt_support.reviews.models import Review, ReviewClaim, ReviewKind, ReviewState
from icbt_support.risk.models import AlertSource, CallOutcome, Grade, RiskAlert
from icbt_support.service.models import Service

NOW = datetime(2026, 11, 19, 9, 35, tzinfo=UTC)
TODAY = date(2026, 11, 19)
ZONE = "Europe/London"
ME, COLLEAGUE = 7, 8


@pytest.fixture(scope="module", autouse=True)
def library() -> None:
    load_library()


def make_person(name: str = "Ruth Okafor", *, number: int = 1, **changes: object) -> PersonNow:
    enrolment = Enrolment(
        id=number,
        supporter_id=ME,
        state=EnrolmentState.ACTIVE,
        invited_at=NOW - timedelta(days=30),
        programme_slug="low-mood",
        programme_version=programmes()["low-mood"].version,
    )
    enrolment.patient = Account(full_name=name, called=name.split()[0], zone=ZONE)
    enrolment.supporter = Account(full_name="Priya Nair", called="Priya")
    person = PersonNow(enrolment, None, (), None, (), (), (), (), NOW - timedelta(days=1))
    return replace(person, **changes)  # type: ignore[arg-type]


def of_colleague(**changes: object) -> PersonNow:
    person = make_person(**changes)  # type: ignore[arg-type]
    person.enrolment.supporter_id = COLLEAGUE
    return person


def owed(
    *, promised_at: datetime, slot_at: datetime | None = None, owner: int = ME,
    kind: ReviewKind = ReviewKind.WEEKLY, drafted: datetime | None = None, told: datetime | None = None,
) -> OwedReview:  # fmt: skip
    review = Review(
        id=1, kind=kind, owner_id=owner, state=ReviewState.OPEN, promised_at=promised_at, slot_at=slot_at,
        due_on=promised_at.date(), told_late_at=told, number=2,
    )  # fmt: skip
    review.owner = Account(full_name="Chris Moor", called="Chris")
    return OwedReview(review, drafted, 12 if slot_at else None)


def due_at(hour: int, minute: int = 0, **changes: object) -> OwedReview:
    slot = NOW.replace(hour=hour, minute=minute)
    return owed(promised_at=NOW.replace(hour=17, minute=0), slot_at=slot, **changes)  # type: ignore[arg-type]


def alert(grade: Grade, **changes: object) -> OpenAlert:
    values = {
        "source": AlertSource.ITEM_9,
        "answer": 1,
        "answer_before": 0,
        "raised_at": NOW - timedelta(hours=1),
    }
    return OpenAlert(
        RiskAlert(grade=grade, **{**values, **changes}), "Dr Hana Weiss", NOW - timedelta(minutes=33)
    )


def open_week(*, step: ItemState | None = None, checked_in: bool = False) -> WeekNow:
    week = Week(number=4, opened_at=NOW - timedelta(days=7))
    item = PlanItem(state=step, planned_on=TODAY + timedelta(days=2)) if step else None
    return WeekNow(week, item, NOW - timedelta(hours=14) if checked_in else None)


def where(person: PersonNow) -> Section:
    return section_of(person, account_id=ME, now=NOW, zone=ZONE)


def row_of(person: PersonNow) -> Row:
    address = Address(
        "/person", "/review", "/welcome", "/messages", "/contact", "/start", "/release", "/take"
    )
    reader = Reader(ME, NOW, ZONE, {COLLEAGUE: date(2026, 12, 3)})
    return make_row(person, where(person), address, reader, is_first=False)


def quiet_for(days: int, *calls: CallOutcome, state: EnrolmentState = EnrolmentState.ACTIVE) -> PersonNow:
    """Somebody of a service with the product's numbers who was last here (or was invited) so many days ago."""
    rang_at = NOW - timedelta(days=1)
    since = NOW - timedelta(days=days)
    person = make_person(owed=(LATER,), last_visit_at=since, calls=tuple((rang_at, one) for one in calls))
    person.enrolment.purpose = Purpose.CARE
    person.enrolment.service = Service(rhythm_settings={})
    person.enrolment.state = state
    person.enrolment.invited_at = since
    return person


def claimed(by: int, *, minutes_ago: int) -> OwedReview:
    one = due_at(10)
    moment = NOW - timedelta(minutes=minutes_ago)
    claim = ReviewClaim(account_id=by, claimed_at=moment, last_active_at=moment)
    claim.account = Account(full_name="Chris Moor", called="Chris")
    return replace(one, claim=claim)


LATE = owed(promised_at=NOW - timedelta(hours=16, minutes=35), told=NOW - timedelta(hours=16, minutes=35))
LATER = owed(promised_at=NOW + timedelta(days=7))
UNREAD = WaitingMessage(MessageKind.MESSAGE, NOW - timedelta(hours=2), is_read=False)
UNREAD_TOO_LONG = WaitingMessage(MessageKind.MESSAGE, NOW - timedelta(days=3), is_read=False, is_late=True)


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


@pytest.mark.parametrize(
    ("person", "reason", "more"),
    [
        (
            lambda: make_person(alerts=(alert(Grade.URGENT),)),
            "Item 9: several days (was: not at all)",
            "Notice to Dr Hana Weiss today 9.02am",
        ),
        (
            lambda: make_person(alerts=(alert(Grade.URGENT, source=AlertSource.STATED),)),
            "Said: I need someone to know I am not safe",
            "Notice to Dr Hana Weiss today 9.02am",
        ),
        (
            lambda: make_person(owed=(LATE,)),
            "Review was due yesterday by 5pm",
            "Ruth was told at 5pm. No new date yet",
        ),
        (
            lambda: make_person(messages=(UNREAD_TOO_LONG,), owed=(LATER,)),
            "A message not read since Monday 9.35am",
            "Ruth was told that it is late",
        ),
        (
            lambda: quiet_for(15, CallOutcome.NO_ANSWER),
            "Not here for 15 days",
            "1 call tried, one more to make",
        ),
        (
            lambda: quiet_for(9, state=EnrolmentState.INVITED),
            "Invited 9 days ago, not started",
            "Ring to ask how it is going; two tries are enough",
        ),
        (
            lambda: quiet_for(22),
            "Not here for 22 days: the clinician decides",
            "Next review Thu 26 Nov",
        ),
        (
            lambda: make_person(
                owed=(due_at(10, drafted=NOW - timedelta(days=1)),),
                week=open_week(checked_in=True),
                last_sent=Review(),
                messages=(WaitingMessage(MessageKind.QUESTION, NOW, is_read=True),),
            ),
            "Check-in finished yesterday 7.35pm, asks one question",
            "Due today by 5pm · Draft saved yesterday 9.35am",
        ),
        (
            lambda: make_person(owed=(due_at(10),), week=open_week()),
            "First review: check-in not done",
            "Due today by 5pm · the review does not wait for it",
        ),
        (
            lambda: make_person(
                owed=(due_at(10),),
                week=open_week(step=ItemState.DONE, checked_in=True),
                last_sent=Review(),
                scores=(19, 12, 6),
            ),
            "Check-in finished yesterday 7.35pm, step done",
            "Due today by 5pm · PHQ-9 down 13 since the start",
        ),
        (
            lambda: make_person(owed=(due_at(10),), week=open_week(), last_visit_at=NOW - timedelta(days=8)),
            "Nothing opened this week",
            "Due today by 5pm · the short form fits",
        ),
        (
            lambda: make_person(owed=(LATER,), week=open_week(step=ItemState.PLANNED)),
            "Agreed step is due Saturday",
            "Next review Thu 26 Nov",
        ),
        (
            lambda: make_person(
                owed=(LATER,), last_sent=Review(sent_at=NOW - timedelta(minutes=5), state=ReviewState.SENT)
            ),
            "Review sent today at 9.30am",
            "Not opened yet. Next review Thu 26 Nov",
        ),
        (
            lambda: make_person(owed=(LATER,), messages=(UNREAD,)),
            "1 message not read since today 7.35am",
            "",
        ),
    ],
)
def test_a_row_says_why(person, reason: str, more: str) -> None:  # noqa: ANN001
    row = row_of(person())
    assert (row.reason, row.more) == (reason, more)


def test_actions_follow_the_section() -> None:
    def action(person: PersonNow) -> tuple[str, str, str]:
        row = row_of(person)
        return (row.action, row.action_href, row.start_href)

    assert action(make_person(owed=(LATE,))) == ("Start", "/review", "/start")
    assert action(make_person(owed=(due_at(10, drafted=NOW),))) == ("Continue", "/review", "/start")
    assert action(make_person(alerts=(alert(Grade.URGENT),))) == ("Open", "/person", "")
    assert action(make_person(alerts=(alert(Grade.URGENT),), owed=(due_at(10),))) == ("Open", "/review", "")
    assert action(make_person(owed=(LATER,), messages=(UNREAD,))) == ("Read", "/messages", "")
    assert action(make_person(owed=(due_at(10),), messages=(UNREAD_TOO_LONG,))) == ("Read", "/messages", "")
    assert action(quiet_for(14)) == ("Call", "/contact", "")
    assert action(make_person(owed=(LATER,))) == ("", "", "")


def test_a_week_of_quiet_asks_for_one_note_until_somebody_writes() -> None:
    row = row_of(quiet_for(8))
    assert (where(quiet_for(8)), row.action, row.action_href) == (Section.NOTES, "Write", "/messages")
    assert row.reason == "Not here for 8 days"
    assert where(quiet_for(6)) is Section.WAITING
    assert where(replace(quiet_for(8), last_message_at=NOW - timedelta(hours=1))) is Section.WAITING
    assert where(replace(quiet_for(8), last_message_at=NOW - timedelta(days=3))) is Section.NOTES


def test_who_is_at_a_review_is_said_and_decides_what_one_may_do() -> None:
    mine = row_of(make_person(owed=(claimed(ME, minutes_ago=5),)))
    assert mine.claim is not None
    assert (mine.claim.words, mine.action, mine.start_href, mine.release_href) == (
        "You are writing this, since 9.30am",
        "Continue",
        "/start",
        "/release",
    )
    theirs = row_of(make_person(owed=(claimed(COLLEAGUE, minutes_ago=5),)))
    assert theirs.claim is not None
    assert (theirs.claim.words, theirs.action, theirs.start_href, theirs.release_href) == (
        "Chris Moor is writing this, since 9.30am",
        "Look",
        "",
        "",
    )
    rested = row_of(make_person(owed=(claimed(COLLEAGUE, minutes_ago=25),)))
    assert rested.claim is not None
    assert rested.claim.words == "Chris Moor began this, and last wrote at 9.10am"
    assert (rested.action, rested.start_href) == ("Take over", "/start")


def test_chips_say_what_else_waits() -> None:
    week = open_week(checked_in=True)
    week.week.told_ready_at = NOW
    person = make_person(owed=(due_at(10),), week=week, messages=(UNREAD,))
    assert [words for words, _ in row_of(person).chips] == ["Message", "Ready for more"]


def test_nothing_opened_looks_at_the_open_week_alone() -> None:
    assert opened_nothing_this_week(make_person(week=open_week(), last_visit_at=None))
    assert not opened_nothing_this_week(make_person(week=open_week(), last_visit_at=NOW - timedelta(days=6)))
    assert not opened_nothing_this_week(make_person(last_visit_at=None))


@pytest.mark.parametrize(
    ("days", "hours", "words"),
    [
        (0, 2, "Today 7.35am"),
        (1, 0, "Yesterday 9.35am"),
        (2, 0, "Tue 9.35am"),
        (5, 0, "Sat 9.35am"),
        (6, 0, "6 days ago"),
        (8, 0, "8 days ago"),
    ],
)
def test_visits_in_words(days: int, hours: int, words: str) -> None:
    assert visit_words(NOW - timedelta(days=days, hours=hours), now=NOW, zone=ZONE) == words


def test_moments_and_promises_in_words() -> None:
    assert visit_words(None, now=NOW, zone=ZONE) == "Not yet"
    assert moment_words(NOW - timedelta(days=30), now=NOW, zone=ZONE) == "Tue 20 Oct, 10.35am"
    assert promise_words(NOW.replace(hour=17, minute=0), now=NOW, zone=ZONE) == "today by 5pm"
    assert promise_words(LATER.review.promised_at, now=NOW, zone=ZONE) == "Thursday 26 November by 9.35am"
