"""What a row of Today says about a person, and what may be done from it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from icbt_support.engagement.caseload import (
    PersonNow,
    WaitingMessage,
)
from icbt_support.engagement.today import (
    Section,
    opened_nothing_this_week,
)
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.messages.models import MessageKind
from icbt_support.pages.supporter.words import moment_words, promise_words, visit_words
from icbt_support.plan.models import ItemState
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.risk.models import AlertSource, CallOutcome, Grade
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
    open_week,
    quiet_for,
    row_of,
    where,
)

pytestmark = pytest.mark.usefixtures("library")


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
