"""A course changes from a letter on: slower, fortnightly, in another order, paused; each holds once it is sent."""

from dataclasses import replace
from datetime import date, time

from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentChange, EnrolmentState
from icbt_support.phrases.models import PhraseUse
from icbt_support.phrases.operations import add_phrase
from icbt_support.phrases.queries import usable_phrases
from icbt_support.plan.models import ItemKind, ItemState
from icbt_support.plan.queries import open_week_of
from icbt_support.plan.rules import StepChoice
from icbt_support.reviews.course import CourseChanges
from icbt_support.reviews.queries import letters_sent_lately, owed_reviews, review_of_week, review_owed
from icbt_support.reviews.rules import PAUSE, LetterSection
from icbt_support.rhythm.acts import keep_entry
from icbt_support.rhythm.proposing import propose_next_week
from tests.cast import Cast
from tests.concepts.rhythm_steps import (
    SYSTEM,
    acting,
    at,
    item_of,
    letter,
    open_due_weeks,
    read_session,
    send,
    start_course,
)

SLOWER = CourseChanges(14, 1, ("managing-worry", "doing-more"))
FORTNIGHT_ON, TWO_FORTNIGHTS_ON = date(2026, 12, 10), date(2026, 12, 24)


def test_a_course_goes_on_as_its_letters_say(cast: Cast) -> None:
    enrolment, by = cast.enrolment, acting(cast.supporter, Role.SUPPORTER)
    start_course(enrolment, review_at=at(26, 9), now=at(19, 10))
    praise = add_phrase(
        cast.service.id,
        "Praise",
        "That took courage, {called}: [what they did].",
        owner_id=None,
        posted_key="praise",
        by=by,
        now=at(19, 10),
    )

    # The first letter: one session a week, fortnightly, two modules in another order, and a step with a tool.
    step = StepChoice("Write one thought down", "it shows the link", date(2026, 11, 29), time(18))
    first = replace(
        letter(next_review_at=at(FORTNIGHT_ON, 9), words="That took courage, Alex: you walked."),
        step=replace(step, subject="tool:mood-diary"),
        changes=SLOWER,
        phrases=(praise.id, praise.id + 1),
    )
    review = review_owed(enrolment)
    proposed = propose_next_week(review, first.choice, now=at(26, 10))
    assert [item.kind for item in proposed.items].count(ItemKind.SESSION) == 1
    db.session.refresh(enrolment)
    assert (enrolment.cadence_days, enrolment.sessions_a_week, enrolment.modules_ahead) == (7, None, None)

    sent = send(review, first, by=by, now=at(26, 10))
    assert (enrolment.cadence_days, enrolment.sessions_a_week) == (14, 1)
    assert enrolment.modules_ahead == ["managing-worry", "doing-more"]
    assert [section["heading"] for section in sent.letter.sections] == ["What I noticed", "From here on"]
    assert sent.letter.sections[1]["words"].startswith(
        "From now on we go every two weeks. From now on we go more"
    )
    week = open_week_of(enrolment)
    assert [item.kind for item in week.items].count(ItemKind.SESSION) == 1
    agreed = item_of(week, ItemKind.AGREED_STEP)
    assert (agreed.subject, agreed.planned_time) == ("tool:mood-diary", time(18))
    assert agreed.minutes < step.minutes
    assert set(db.session.scalars(select(EnrolmentChange.what))) >= {
        "cadence",
        "sessions a week",
        "order of modules",
    }
    assert "changed_order_of_modules" in set(db.session.scalars(select(AuditLine.action)))

    # The phrase that is still in the letter counts once; the stranger's number counts for nothing.
    assert db.session.scalars(select(PhraseUse.phrase_id)).all() == [praise.id]
    lately = letters_sent_lately(enrolment, 5)
    [use] = usable_phrases([cast.service.id], cast.supporter.id, since=at(1, 0), letters=lately)
    assert (use.by_me, use.in_letters, use.letters) == (1, 1, 1)

    # The tool does the agreed step.
    patient = acting(cast.patient, Role.PATIENT)
    keep_entry(
        enrolment,
        "mood-diary",
        {"mood": 2, "doing": "x"},
        is_shared=True,
        posted_key="e",
        by=patient,
        now=at(28, 9),
    )
    assert item_of(open_week_of(enrolment), ItemKind.AGREED_STEP).state is ItemState.DONE

    # The next review is late: at this pace the module goes on, because only half of it was read.
    read_session(enrolment, "understanding-low-mood", 0, now=at(30, 19))
    late = review_owed(enrolment)
    open_due_weeks(now=at(date(2026, 12, 14), 18), by=SYSTEM)
    db.session.commit()
    week = open_week_of(enrolment)
    assert (week.number, week.module, week.review_on) == (3, "understanding-low-mood", TWO_FORTNIGHTS_ON)
    assert enrolment.modules_ahead == ["managing-worry", "doing-more"]

    # Its letter follows: what it changes holds from here on, and the open week stays as it is.
    again = replace(
        letter(by_on=date(2026, 12, 18)), opens="", changes=CourseChanges(sessions_a_week=0, cadence_days=14)
    )
    followed = send(late, again, by=by, now=at(date(2026, 12, 15), 9))
    assert (followed.is_late_follow, enrolment.sessions_a_week, enrolment.cadence_days) == (True, None, 14)
    assert followed.letter.sections[-1] == {
        "heading": "From here on",
        "words": "From now on a week holds all the sessions of its module.",
    }

    # The module is read, and the person's own order opens next; its first place is used.
    read_session(enrolment, "understanding-low-mood", 1, now=at(date(2026, 12, 16), 19))
    open_due_weeks(now=at(date(2026, 12, 31), 18), by=SYSTEM)
    db.session.commit()
    week = open_week_of(enrolment)
    assert (week.number, week.module, enrolment.modules_ahead) == (4, "managing-worry", ["doing-more"])

    # A pause with a date: nothing opens, and nothing that did not change is said to have changed.
    pause = replace(
        letter(opens=PAUSE, next_review_at=at(date(2027, 1, 21), 9), by_on=date(2027, 1, 4)),
        sections=(LetterSection("What I noticed", "A rest is fine."),),
        changes=CourseChanges(cadence_days=14, modules_after=("doing-more",)),
    )
    for owed in owed_reviews(enrolment)[:-1]:
        assert owed.number < week.number
    paused = send(review_of_week(enrolment, 4), pause, by=by, now=at(date(2026, 12, 31), 19))
    assert [section["heading"] for section in paused.letter.sections] == ["What I noticed"]
    assert (enrolment.state, open_week_of(enrolment)) == (EnrolmentState.PAUSED, None)
    assert enrolment.modules_ahead == ["doing-more"]
