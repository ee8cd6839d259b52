"""The home page in the states that a real life brings: a return, a pause, a fortnight, more weeks, other people."""

from datetime import date, timedelta

import pytest

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.engagement.this_week import this_week
from icbt_support.enrolments.models import EndCode
from icbt_support.plan.models import ItemKind, ItemState
from icbt_support.plan.queries import open_week_of
from icbt_support.programme.library import find_programme
from icbt_support.reviews.queries import review_owed
from icbt_support.reviews.rules import PAUSE, NextWeekChoice
from icbt_support.rhythm.absence import record_absence
from icbt_support.rhythm.acts import note_sign_in, settle_item
from icbt_support.rhythm.away import pause_course, resume_course
from icbt_support.rhythm.ending import change_cadence_and_tell, end_course
from icbt_support.rhythm.handover import hand_over
from icbt_support.rhythm.new_owner import give_review_to, give_review_to_pool
from icbt_support.rhythm.strips import strip_of_proposal
from tests.concepts.rhythm_steps import (
    acting,
    at,
    item_of,
    letter,
    read_session,
    reminders,
    send,
    start_course,
)
from tests.pages.visits import status_of

THIRD = at(date(2026, 12, 3), 9)


@pytest.fixture
def course(cast, now):
    start_course(cast.enrolment, review_at=at(26, 9), now=now)
    db.session.commit()
    return cast.enrolment


def at_home(cast, client, instant):
    db.session.commit()
    clock.stop_clock_at(instant)
    return client.sign_in(cast.patient).get("/week").text


def as_supporter(cast):
    return acting(cast.supporter, Role.SUPPORTER)


def as_clinician(cast):
    return acting(cast.clinician, Role.CLINICIAN)


def test_after_a_week_of_silence_the_page_welcomes_and_the_plan_gets_new_days(cast, client, course):
    assert "It is fine to come back" not in at_home(cast, client, at(25, 9))
    home = at_home(cast, client, at(26, 8))
    assert "It is fine to come back" in home
    assert "things in your plan had a day that has passed" in home
    before = {item.id: item.planned_on for item in open_week_of(course).items}
    assert "Thursday 26 November, 7pm" in client.get("/week/new-days").text
    assert {item.id: item.planned_on for item in open_week_of(course).items} == before
    client.post("/week/new-days")
    days = {item.planned_on for item in open_week_of(course).items if item.kind is not ItemKind.CHECK_IN}
    assert days == {date(2026, 11, 26)}
    assert "Nothing needs a new day" in client.get("/week/new-days").text
    client.post("/week/new-days")
    # Somebody who was here yesterday is not told that it is fine to come back.
    note_sign_in(course, now=at(25, 9))
    assert "It is fine to come back" not in at_home(cast, client, at(26, 9))
    assert status_of(client.app, cast.supporter, "/week/new-days") == 404


def test_a_pause_with_a_date_stands_on_the_strip_until_the_review(cast, client, course):
    send(
        review_owed(course),
        letter(opens=PAUSE, next_review_at=at(date(2026, 12, 10), 9), by_on=date(2026, 11, 29)),
        by=as_supporter(cast),
        now=at(26, 9),
    )
    home = at_home(cast, client, at(27, 9))
    assert "Until the next review" in home
    strip = this_week(course, now=at(27, 9)).strip
    assert (len(strip.columns), strip.left.state, strip.right.state) == (15, "sent", "planned")
    assert strip.sentences[-1] == "Thursday 10 December: Pat writes by 5pm"
    assert "Nothing. Your course is paused. If you like, there is what you agreed: " in home
    assert {"session", "check_in", "nudge"}.isdisjoint(dict(reminders(course)))


def test_a_pause_without_a_date_is_told_and_so_is_going_on(cast, client, course, now):
    pause_course(course, reason="Moving house", by=as_clinician(cast), now=now)
    assert "course_news" in dict(reminders(course))
    assert this_week(course, now=now).strip is None
    resume_course(course, module="getting-started", review_at=THIRD, by=as_clinician(cast), now=at(30, 9))
    home = at_home(cast, client, at(30, 10))
    assert "Your course goes on since Monday 30 November." in home
    assert "Week 2 of" in home


def test_every_two_weeks_is_said_and_drawn(cast, client, course, now):
    change_cadence_and_tell(course, 14, by=as_clinician(cast), now=now)
    change_cadence_and_tell(course, 14, by=as_clinician(cast), now=now)
    assert [kind for kind, _ in reminders(course)].count("course_news") == 1
    home = at_home(cast, client, at(20, 9))
    assert "From the next review on, Pat writes every two weeks." in home
    send(
        review_owed(course),
        letter(next_review_at=at(date(2026, 12, 10), 9), by_on=date(2026, 11, 29)),
        by=as_supporter(cast),
        now=at(26, 9),
    )
    home = at_home(cast, client, at(26, 10))
    strip = this_week(course, now=at(26, 10)).strip
    assert (len(strip.columns), strip.right.when) == (15, "by 5pm")
    assert "Every two weeks you get a review." in home


def test_a_new_supporter_is_named_with_the_day(cast, client, course):
    hand_over(course, cast.colleague, by=as_clinician(cast), now=at(20, 9))
    home = at_home(cast, client, at(20, 10))
    assert "Chris is your supporter since Friday 20 November, in place of Pat." in home
    assert "Chris is your supporter since" not in at_home(cast, client, at(date(2026, 12, 5), 10))


def test_weeks_beyond_the_programme_are_extra_weeks(cast, client, course):
    programme = find_programme(course.programme_slug, course.programme_version)
    last, day = programme.modules[-1].slug, date(2026, 11, 26)
    for _ in programme.modules:
        send(
            review_owed(course),
            letter(
                opens=f"module:{last}",
                next_review_at=at(day + timedelta(days=7), 9),
                by_on=day + timedelta(days=3),
            ),
            by=as_supporter(cast),
            now=at(day, 9),
        )
        day += timedelta(days=7)
    home = at_home(cast, client, at(day - timedelta(days=7), 10))
    assert f"Week {len(programme.modules) + 1}, an extra week:" in home
    assert programme.modules[-1].title in home


def test_done_early_looks_ahead_and_tells_the_supporter_once(cast, client, course, now):
    for item in open_week_of(course).items:
        if item.kind is not ItemKind.CHECK_IN:
            settle_item(item, ItemState.DONE, by=acting(cast.patient, Role.PATIENT), now=now)
    home = at_home(cast, client, now)
    assert "Done for now" in home
    assert "Tell Pat I&#39;m ready" in home
    client.post("/week/ready")
    home = client.get("/week").text
    assert "Pat can see that you are ready for more." in home
    assert "Tell Pat" not in home

    # What is read ahead counts when its week opens.
    read_session(course, "understanding-low-mood", 0, now=at(21, 9))
    send(
        review_owed(course),
        letter(next_review_at=THIRD, by_on=date(2026, 11, 29)),
        by=as_supporter(cast),
        now=at(26, 9),
    )
    assert "You read 1 session of this week early. It counts." in at_home(cast, client, at(26, 10))
    week = open_week_of(course)
    assert item_of(week, ItemKind.SESSION).subject != "session:understanding-low-mood/one"


@pytest.mark.parametrize(
    ("code", "title"),
    [
        (EndCode.AGREED, "What you have is yours"),
        (EndCode.LOST, "It is fine to come back"),
        (EndCode.STEPPED_UP, "You go on with other help"),
    ],
)
def test_each_ending_has_its_words_and_is_told(cast, client, course, now, code, title):
    end_course(course, code, reason="As agreed", by=as_clinician(cast), now=now)
    assert "course_news" in dict(reminders(course))
    home = at_home(cast, client, now)
    assert title in home
    assert "As agreed" not in home


# Who writes ------------------------------------------------------------------------------------------------


def test_the_page_names_whoever_covers_and_nobody_while_the_pool_holds_the_review(cast, client, course):
    review = review_owed(course)
    give_review_to(review, cast.colleague.id, by=as_clinician(cast), now=at(20, 9))
    home = at_home(cast, client, at(20, 10))
    assert "Chris reads what you share and writes by Thursday 26 November, 5pm." in home
    assert "Chris still writes. Nothing is lost" in home
    give_review_to_pool(review, by=as_clinician(cast), now=at(20, 11))
    home = at_home(cast, client, at(20, 12))
    assert "Chris" not in home
    assert "You still get your review. Nothing is lost" in home
    clock.stop_clock_at(at(24, 9))
    assert "Someone in Pat's team reads your answers" in client.get("/check-in").text.replace("&#39;", "'")
    home = at_home(cast, client, at(26, 17))
    assert "Your review is not here yet. That is on us, not you." in home
    assert "By 12pm on Friday 27 November we will tell you who writes, and when." in home
    assert "review is not here yet" not in home.replace("Your review is not here yet", "")


def test_the_supporter_reads_who_would_write_the_next_review_before_sending(cast, client, course, now):
    record_absence(
        cast.supporter,
        service=cast.service,
        from_on=date(2026, 12, 1),
        until_on=date(2026, 12, 4),
        cover_id=cast.colleague.id,
        choices={},
        by=as_supporter(cast),
        now=now,
    )
    review = review_owed(course)
    strip = strip_of_proposal(review, NextWeekChoice("module:getting-started", None, THIRD), now=at(26, 9))
    assert strip.right.label == "Chris writes"
    later = NextWeekChoice("module:getting-started", None, at(date(2026, 12, 10), 9))
    assert strip_of_proposal(review, later, now=at(26, 9)).right.label == "Pat writes"
