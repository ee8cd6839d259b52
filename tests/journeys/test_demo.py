"""The demo, built through time by the product's own verbs, shows each role its first minute."""

from datetime import time, timedelta

from flask import Flask
from sqlalchemy import func, select

from icbt_support import clock
from icbt_support.accounts.models import Account
from icbt_support.audit.seals import verify_audit
from icbt_support.boosters.models import Booster, BoosterState
from icbt_support.cadence import to_local
from icbt_support.contacts.models import TreatmentContact
from icbt_support.db import db
from icbt_support.delivery.mailbox import mails_in_mailbox
from icbt_support.demo.people import (
    ADMINISTRATOR,
    DANA,
    DR_WEISS,
    LEWIS,
    PRIYA,
    SAM,
    STANDS_AT,
    STANDS_ON,
    TOM,
    VENDOR,
    ZONE,
)
from icbt_support.demo.states import BRUNO, ELSIE, GUS, HOPE, MILES, PIA, THEO, WREN
from icbt_support.early_warning.models import EarlyWarningDecision
from icbt_support.early_warning.queries import early_warnings_of
from icbt_support.early_warning.rules import WarningChoice
from icbt_support.engagement.caseload import load_people
from icbt_support.engagement.this_week import this_week
from icbt_support.engagement.today import Section, build_queue
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from icbt_support.feedback.models import ProblemReport, ReportAnswer
from icbt_support.feedback.rules import AnswerSide, ReportState
from icbt_support.hours.queries import is_absent
from icbt_support.hours.working_day import load_working_day
from icbt_support.implementation.models import ServiceLead, TrainingCompletion
from icbt_support.implementation.rules import LeadKind
from icbt_support.job_log.models import JobState
from icbt_support.measures.queries import scores_of
from icbt_support.phrases.models import Phrase, PhraseUse
from icbt_support.plan.models import ItemState, OpenedBecause, Week
from icbt_support.reminders import queries as ledger
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import Channel, Reason, ReminderKind, ReminderState
from icbt_support.reviews.models import Review, ReviewKind, ReviewState
from icbt_support.reviews.queries import last_sent, next_review
from icbt_support.rhythm.handover import what_hangs_on
from icbt_support.rhythm.quiet import QuietReason, QuietTask, quiet_people
from icbt_support.risk.models import ReadFirst, RiskAlert
from icbt_support.supervision.letters import letters_read_with
from icbt_support.supervision.queries import discussions_of, meetings_of
from icbt_support.supervision.rules import FollowUp
from tests.journeys.demo import demo, demo_app, signed_in, the_account_of, the_course_of, words_of

__all__ = ["demo", "demo_app"]


PATIENTS, WEEKS = 40, 8


def count(statement: object) -> int:
    return db.session.scalar(statement) or 0


def test_it_ends_with_something_of_everything(demo: Flask) -> None:
    now = STANDS_AT
    owed = [review for review in db.session.scalars(select(Review)) if review.is_owed]

    assert [review for review in owed if review.state is ReviewState.OPEN and not review.is_late(now)]
    assert [r.enrolment.patient.full_name for r in owed if r.is_late(now)] == ["Ruth Okafor"]
    assert count(select(func.count()).where(ReadFirst.subject == "message", ReadFirst.read_at.is_(None))) == 1
    assert count(select(func.count()).where(RiskAlert.resolved_at.is_(None))) == 1
    for state, people in (
        (EnrolmentState.ONBOARDING, 1),
        (EnrolmentState.INVITED, 2),
        (EnrolmentState.AWAY, 1),
        (EnrolmentState.PAUSED, 1),
    ):
        assert count(select(func.count()).where(Enrolment.state == state)) == people, state
    codes = set(db.session.scalars(select(Enrolment.end_code).where(Enrolment.state == EnrolmentState.ENDED)))
    assert codes >= {
        EndCode.AGREED,
        EndCode.HAD_WHAT_I_NEEDED,
        EndCode.PATIENT_STOPPED_EARLIER,
        EndCode.NEVER_STARTED,
    }
    assert count(select(func.count()).where(Reminder.state == ReminderState.HELD_BACK)) > 5
    assert count(select(func.count()).where(Week.opened_because == OpenedBecause.REVIEW_LATE)) == 1
    changes = [
        scores["phq-9"][-1].total - scores["phq-9"][0].total
        for scores in scores_of(list(db.session.scalars(select(Enrolment.id)))).values()
    ]
    assert min(changes) <= -6
    assert max(changes) >= 6


def test_nothing_of_it_was_written_past_the_verbs(demo: Flask) -> None:
    """Each sent review has its letter and its audit line; the audit's seals hold; SMTP had nothing to do."""
    sent = count(
        select(func.count()).where(Review.state == ReviewState.SENT, Review.kind != ReviewKind.WELCOME)
    )
    assert sent > 40
    assert verify_audit(key=demo.config["SETTINGS"].seal_key, now=clock.real_now()) is None
    assert mails_in_mailbox() == []
    assert count(select(func.count()).where(Reminder.state == ReminderState.HANDED_OVER)) > 100
    assert not count(
        select(func.count()).where(Reminder.state.in_([ReminderState.FAILED, ReminderState.CLAIMED]))
    )


def test_sams_first_minute(demo: Flask) -> None:
    enrolment = the_course_of(SAM)
    week = this_week(enrolment, now=STANDS_AT)

    assert (week.kicker, week.title) == ("Week 3 of 8:", "Doing more of what matters")
    assert week.unread is not None
    assert f"{week.unread.sent_at:%H:%M}" == "09:40"
    assert week.next_item is not None
    assert week.next_item.item.title == "Choose 3 activities for the weekend"
    assert (week.next_item.item.planned_time, week.next_item.item.minutes) == (time(19), 10)
    assert week.next_review_at is not None
    assert f"{week.next_review_at:%A %d %B %H}" == "Thursday 26 November 17"
    assert week.reminders.words == "Reminders: 2 sent, 1 held back because Priya had written"
    done = [one for one in week.items if one.state is ItemState.DONE]
    assert [(one.item.title, f"{one.settled_at:%H:%M}") for one in done] == [
        ("Why doing comes first", "09:55")
    ]
    scores = scores_of([enrolment.id])[enrolment.id]
    assert [score.total for score in scores["phq-9"]] == [17, 14, 11]
    assert [score.total for score in scores["gad-7"]] == [12, 11, 9]


def test_sams_page_says_it(demo: Flask) -> None:
    page = words_of(signed_in(demo, SAM).get("/week"))

    assert "Priya has written to you" in page
    assert "Agreed with Priya: one walk with Mo by Sunday" in page
    assert "because doing comes before feeling like it" in page
    assert "Tonight 7pm · about 10 min" in page
    assert "Thursday 26 November" in page
    assert "2 sent, 1 held back because Priya had written" in page


def test_priyas_first_minute(demo: Flask) -> None:
    priya = the_account_of(PRIYA)
    queue = build_queue(
        load_people(enrolments.for_supporter(priya, now=STANDS_AT)),
        account_id=priya.id,
        covers=load_working_day(priya, the_course_of(SAM).service, now=STANDS_AT).covers,
        now=STANDS_AT,
        zone=ZONE,
    )
    names = {
        section: [person.enrolment.patient.full_name for person in people]
        for section, people in queue.sections.items()
    }

    assert names[Section.READ_FIRST] == ["Amira Khan"]
    assert names[Section.LATE] == ["Ruth Okafor"]
    assert names[Section.DUE] == ["Leo Grant", "Nadia Hussain", "Morgan Lee", "Grace Obi"]
    for section in (Section.POOL, Section.MESSAGES, Section.CALLS, Section.NOTES, Section.WELCOME):
        assert names[section] == [], section
    assert queue.minutes == 55
    page = words_of(signed_in(demo, PRIYA).get("/supporting/today"))
    assert "1 to read first, 1 late, 4 due, about 55 minutes" in page


def test_leos_letter_is_half_written(demo: Flask) -> None:
    review = next_review(the_course_of("leo.grant@example.org"))
    assert review is not None
    assert review.draft is not None
    assert review.state is ReviewState.DRAFTED
    page = words_of(signed_in(demo, PRIYA).get(f"/supporting/reviews/{review.id}"))
    assert "You went to bed before midnight on three nights" in page


def test_the_clinicians_and_the_administrators_first_minute(demo: Flask) -> None:
    page = words_of(signed_in(demo, DR_WEISS).get("/clinical/caseload"))
    for name in ("Amira Khan", "Dev Patel", "Joe Daniels", "Ruth Okafor"):
        assert name in page
    assert not [state.job for state in db.session.scalars(select(JobState)) if state.last_error]
    due_at = ledger.next_due_at()
    assert due_at is not None
    assert f"{to_local(due_at, ZONE):%d %H:%M}" == "19 18:30"
    assert "next email Today 6.30pm" in words_of(signed_in(demo, ADMINISTRATOR).get("/admin/jobs"))


def test_an_absence_has_cover_and_nobody_was_dropped(demo: Flask) -> None:
    """Dana is away: Elsie has a letter from Priya, Gus is owed one by her, and Wren waits until Dana is back."""
    dana, priya = the_account_of(DANA), the_account_of(PRIYA)
    absence = is_absent(dana.id, STANDS_ON)
    assert absence is not None
    assert absence.cover_id == priya.id
    assert absence.until_on > STANDS_ON

    elsie, gus, wren = (the_course_of(plan.email) for plan in (ELSIE, GUS, WREN))
    letter = last_sent(elsie)
    assert letter is not None
    assert (letter.sent_by, elsie.supporter_id) == (priya.id, dana.id)
    owed_to_gus, owed_to_wren = next_review(gus), next_review(wren)
    assert owed_to_gus is not None
    assert owed_to_wren is not None
    assert owed_to_gus.owner_id == priya.id
    assert owed_to_gus.due_on <= absence.until_on
    assert (owed_to_wren.owner_id, owed_to_wren.due_on > absence.until_on) == (dana.id, True)
    assert "For Dana Whitcombe, until 27 November" in words_of(
        signed_in(demo, PRIYA).get("/supporting/today")
    )
    assert "Moved from Monday 23 November" in words_of(signed_in(demo, WREN.email).get("/week"))


def test_a_leaver_handed_everybody_over(demo: Flask) -> None:
    lewis = the_account_of(LEWIS)

    assert lewis.disabled_at is not None
    assert what_hangs_on(lewis, now=STANDS_AT).is_nothing
    assert the_course_of(HOPE.email).supporter_id == the_account_of(PRIYA).id
    assert the_course_of(MILES.email).supporter_id == the_account_of(TOM).id
    assert "Priya is your supporter since" in words_of(signed_in(demo, HOPE.email).get("/week"))


def test_somebody_is_quiet_and_somebody_never_started(demo: Flask) -> None:
    quiet = {
        person.enrolment.patient.email: person
        for person in quiet_people([the_course_of(SAM).service_id], now=STANDS_AT)
    }

    theo, pia = quiet[THEO.email], quiet[PIA.email]
    assert (theo.reason, theo.days, theo.tries, theo.task) == (QuietReason.NOT_SEEN, 15, 1, QuietTask.CALL)
    assert (pia.reason, pia.days, pia.task) == (QuietReason.NEVER_STARTED, 10, QuietTask.CALL)
    assert quiet["joe.daniels@example.org"].days == 9
    toms_day = words_of(signed_in(demo, TOM).get("/supporting/today"))
    for name in ("Theo Marchetti", "Pia Sandoval"):
        assert name in toms_day
    assert "It is fine to come back" in words_of(signed_in(demo, THEO.email).get("/week"))


def test_a_fortnight_and_a_check_in_after_the_course(demo: Flask) -> None:
    bruno = the_course_of(BRUNO.email)
    review = next_review(bruno)

    assert review is not None
    assert bruno.cadence_days == 14
    assert (review.number, review.due_on) == (4, BRUNO.starts_on + timedelta(weeks=5))
    assert "Now Priya writes every two weeks." in words_of(signed_in(demo, BRUNO.email).get("/week"))
    boosters = db.session.scalars(select(Booster)).all()
    assert boosters
    assert {one.state for one in boosters} == {BoosterState.PLANNED}
    assert all(one.due_on > STANDS_ON for one in boosters)


def test_phrases_are_kept_and_used(demo: Flask) -> None:
    phrases = db.session.scalars(select(Phrase)).all()
    used = set(db.session.scalars(select(PhraseUse.phrase_id)))

    assert {phrase.owner_id for phrase in phrases} == {None, the_account_of(PRIYA).id}
    assert {phrase.owner_id for phrase in phrases if phrase.id in used} == {None, the_account_of(PRIYA).id}
    assert "I have worked with people in this course" in words_of(signed_in(demo, SAM).get("/supporter"))


def test_early_warnings_and_supervision(demo: Flask) -> None:
    service, priya = the_course_of(SAM).service, the_account_of(PRIYA)
    dev = the_course_of("dev.patel@example.org")

    assert dev.id in early_warnings_of([dev], now=STANDS_AT)
    assert {one.choice for one in db.session.scalars(select(EarlyWarningDecision))} == {
        WarningChoice.SLOWER_PACE,
        WarningChoice.LEAVE,
    }
    newest, first = meetings_of(priya.id, service)
    assert newest.ended_at is not None
    discussions = discussions_of(newest)
    assert len(discussions) >= 3
    assert all(one.decision is not None and one.note for one in discussions)
    assert {one.follow_up for one in discussions_of(first)} <= {None, FollowUp.HAPPENED}
    (read, *_) = letters_read_with(priya.id, enrolments.for_supporter(priya, now=STANDS_AT))
    assert read.answer is not None
    assert read.answer.startswith("Thank you")


def test_the_structures_around_the_course(demo: Flask) -> None:
    reports = db.session.scalars(select(ProblemReport).order_by(ProblemReport.id)).all()
    done = db.session.scalars(select(TrainingCompletion)).all()

    assert {lead.kind for lead in db.session.scalars(select(ServiceLead))} == set(LeadKind)
    assert [report.state for report in reports] == [ReportState.RESOLVED, ReportState.NEW]
    assert count(select(func.count()).where(ReportAnswer.side == AnswerSide.VENDOR)) == 1
    assert {one.confirmed_at is None for one in done} == {True, False}
    assert count(select(func.count()).where(TreatmentContact.confirmed_at.is_not(None))) >= 3
    page = signed_in(demo, VENDOR).get("/").get_data(as_text=True)
    for patient in db.session.scalars(select(Account).join(Enrolment, Enrolment.patient_id == Account.id)):
        assert patient.full_name not in page


def test_what_was_held_back_says_why(demo: Flask) -> None:
    rows = ledger.ledger_of(
        since=STANDS_AT - timedelta(days=1), until=STANDS_AT, recipient_id=the_course_of(SAM).patient_id
    )
    held = [row for row in rows if row.state is ReminderState.HELD_BACK]
    assert [(row.kind, row.reason, row.channel) for row in held] == [
        (ReminderKind.SESSION, Reason.PERSON_WROTE, Channel.EMAIL)
    ]
    assert last_sent(the_course_of(SAM)) is not None
