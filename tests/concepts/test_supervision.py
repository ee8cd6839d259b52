"""A supporter's people, lived through: pointed out early, talked about, decided on, and asked about again."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event, select

from icbt_support.accounts.models import Role
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.early_warning.operations import NothingToDecide, decide_on_warning
from icbt_support.early_warning.queries import decisions_on_warnings, early_warning_for, early_warnings_of
from icbt_support.early_warning.rules import Sign, WarningChoice
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from icbt_support.enrolments.queries import for_supporter
from icbt_support.plan.models import ItemKind, ItemState
from icbt_support.plan.queries import weeks_of
from icbt_support.reviews.behaviours import TherapistBehaviour
from icbt_support.rhythm.acts import finish_check_in, settle_item
from icbt_support.rhythm.ending import end_course
from icbt_support.rhythm.handover import hand_over
from icbt_support.risk.models import CallOutcome
from icbt_support.risk.operations import log_call
from icbt_support.supervision.letters import letters_of_meeting, letters_read_with, own_letter
from icbt_support.supervision.listing import supervision_list
from icbt_support.supervision.models import LetterAudit
from icbt_support.supervision.operations import (
    FormIsEmpty,
    FormIsFilledIn,
    MeetingHasEnded,
    answer_form,
    decide_in_meeting,
    end_meeting,
    fill_in_form,
    follow_up_decision,
    start_meeting,
)
from icbt_support.supervision.queries import (
    decided_before,
    decisions_about,
    decisions_within,
    discussions_of,
    happened_since,
)
from icbt_support.supervision.rules import FollowUp, Mark, Reason, SupervisionDecision
from tests.cast import Cast, enrol, make_person
from tests.concepts.rhythm_steps import acting, answer_check_in, at
from tests.concepts.slow_course import answer_baseline, live_slowly


@pytest.fixture
def alex(cast: Cast) -> Enrolment:
    return live_slowly(cast)


def newcomer(cast: Cast, name: str, now: datetime) -> Enrolment:
    return enrol(
        make_person(name, Role.PATIENT, cast.service, now), cast.supporter, cast.clinician, cast.service, now
    )


def facts_of(enrolment: Enrolment, now: datetime) -> tuple[str, ...]:
    warning = early_warning_for(enrolment, now=now)
    return warning.facts if warning is not None else ()


def statements(work: Callable[[], object]) -> int:
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return count


def test_somebody_is_pointed_out_from_week_3_and_quiet_after_a_decision_until_something_new_comes(
    alex: Enrolment,
) -> None:
    by = acting(alex.supporter, Role.SUPPORTER)
    assert facts_of(alex, at(18, 10)) == ()
    before = facts_of(alex, at(24, 10))
    assert before[-1] == "Not signed in for 19 days"
    assert before[0].startswith("0 of ")
    assert before[0].endswith(" plan items done in the last two weeks")

    decide_on_warning(alex, WarningChoice.CALL, "I call on Tuesday", by=by, now=at(24, 10))
    assert facts_of(alex, at(25, 10)) == ()
    with pytest.raises(NothingToDecide):
        decide_on_warning(alex, WarningChoice.LEAVE, "", by=by, now=at(24, 10))

    answer_check_in(alex, 3, value=2, now=at(25, 19))
    finish_check_in(alex, by=acting(alex.patient, Role.PATIENT), now=at(25, 19))
    assert facts_of(alex, at(26, 10))[0].startswith("PHQ-9 16 at the start, 16 now")
    assert facts_of(alex, at(date(2026, 12, 20), 10)) != ()
    decision = decisions_on_warnings(alex)[0]
    assert decision.sign_set == {Sign.PLAN_NOT_FOLLOWED, Sign.NOT_HERE}
    assert (decision.decider, decision.note) == (alex.supporter, "I call on Tuesday")
    assert "decided_on_early_warning" in db.session.scalars(select(AuditLine.action)).all()


def test_who_follows_the_plan_and_is_here_is_left_alone_and_so_is_who_is_away(alex: Enrolment) -> None:
    by = acting(alex.patient, Role.PATIENT)
    *earlier, now_open = weeks_of(alex)
    for item in now_open.items:
        if item.kind is not ItemKind.CHECK_IN:
            settle_item(item, ItemState.DONE, "", by=by, now=at(23, 19))
    for item in (item for week in earlier for item in week.items):
        item.state = ItemState.DONE
    db.session.commit()
    assert facts_of(alex, at(24, 10)) == ()
    assert facts_of(alex, at(30, 19)) != ()
    alex.state = EnrolmentState.AWAY
    assert facts_of(alex, at(30, 19)) == ()


def test_a_meeting_keeps_each_decision_at_once_and_the_next_one_begins_with_them(
    cast: Cast, alex: Enrolment
) -> None:
    clinician, supporter = acting(cast.clinician, Role.CLINICIAN), acting(cast.supporter, Role.SUPPORTER)
    sam = newcomer(cast, "Sam Ford", at(24, 9))
    listed = supervision_list(cast.supporter.id, cast.service, now=at(24, 10))
    assert [(one.enrolment.patient.called, one.reasons[0].reason) for one in listed.people] == [
        ("Alex", Reason.NO_CONTACT),
        ("Sam", Reason.NEW),
    ]
    log_call(alex, CallOutcome.SPOKE, "", 5, by=supporter, now=at(24, 9))
    reasons = supervision_list(cast.supporter.id, cast.service, now=at(24, 10)).people[0].reasons
    assert [one.reason for one in reasons] == [Reason.EARLY_WARNING]

    meeting = start_meeting(cast.supporter, cast.service, by=clinician, now=at(24, 10))
    assert start_meeting(cast.supporter, cast.service, by=clinician, now=at(24, 11)) is meeting
    first, second = discussions_of(meeting)
    decide_in_meeting(
        first, SupervisionDecision.DISCHARGE, "She has what she needs", by=clinician, now=at(24, 10)
    )
    db.session.commit()
    assert [one.decision for one in discussions_of(meeting)] == [SupervisionDecision.DISCHARGE, None]
    end_meeting(meeting, by=clinician, now=at(24, 11))
    with pytest.raises(MeetingHasEnded):
        decide_in_meeting(second, SupervisionDecision.CONTINUE, "", by=clinician, now=at(24, 12))

    end_course(alex, EndCode.HAD_WHAT_I_NEEDED, reason="agreed", by=clinician, now=at(25, 9))
    later = start_meeting(cast.supporter, cast.service, by=clinician, now=at(30, 10))
    [asked] = decided_before(later)
    assert asked.id == first.id
    assert "ended" in [change.to_value for change in happened_since([asked])[asked.id].changes]
    follow_up_decision(asked, FollowUp.HAPPENED, by=clinician, now=at(30, 10))
    assert decided_before(later) == [asked]
    end_meeting(later, by=clinician, now=at(30, 11))
    last = start_meeting(cast.supporter, cast.service, by=clinician, now=at(date(2026, 12, 7), 10))
    assert decided_before(last) == []
    assert [one.note for one in decisions_about(alex)] == ["She has what she needs"]
    assert decisions_about(sam) == []
    assert decisions_within(for_supporter(cast.colleague, now=at(30, 10))) == []


def test_what_was_decided_goes_along_when_somebody_changes_supporter(cast: Cast, alex: Enrolment) -> None:
    by = acting(cast.clinician, Role.CLINICIAN)
    meeting = start_meeting(cast.supporter, cast.service, by=by, now=at(24, 10))
    [about_alex] = discussions_of(meeting)
    decide_in_meeting(about_alex, SupervisionDecision.ADAPT, "A call first", by=by, now=at(24, 10))
    end_meeting(meeting, by=by, now=at(24, 11))
    hand_over(alex, cast.colleague, by=by, now=at(25, 9))

    assert decided_before(start_meeting(cast.supporter, cast.service, by=by, now=at(30, 10))) == []
    [asked] = decided_before(start_meeting(cast.colleague, cast.service, by=by, now=at(30, 11)))
    assert asked.id == about_alex.id


def test_a_letter_is_drawn_read_in_words_and_answered_and_only_its_supporter_sees_it(
    cast: Cast, alex: Enrolment
) -> None:
    clinician, supporter = acting(cast.clinician, Role.CLINICIAN), acting(cast.supporter, Role.SUPPORTER)
    meeting = start_meeting(cast.supporter, cast.service, by=clinician, now=at(24, 10))
    [drawn] = letters_of_meeting(meeting)
    assert drawn.review.sent_by == cast.supporter.id
    own = for_supporter(cast.supporter, now=at(24, 12))
    assert letters_read_with(cast.supporter.id, own) == []
    with pytest.raises(FormIsEmpty):
        answer_form(drawn, "Thank you", by=supporter, now=at(24, 12))

    marks = dict.fromkeys(TherapistBehaviour, (Mark.SEEN, ""))
    fill_in_form(drawn, marks, "Warm, and one clear step", by=clinician, now=at(24, 11))
    with pytest.raises(FormIsFilledIn):
        fill_in_form(drawn, marks, "Again", by=clinician, now=at(24, 12))
    assert letters_read_with(cast.supporter.id, own) == [drawn]
    answer_form(drawn, "Thank you", by=supporter, now=at(24, 12))
    assert (drawn.answer, drawn.answered_at) == ("Thank you", at(24, 12))
    theirs = for_supporter(cast.colleague, now=at(24, 12))
    assert own_letter(cast.colleague.id, theirs, drawn.id) is None

    end_meeting(meeting, by=clinician, now=at(24, 12))
    for day in (25, 26):
        end_meeting(
            start_meeting(cast.supporter, cast.service, by=clinician, now=at(day, 9)),
            by=clinician,
            now=at(day, 10),
        )
    assert len(db.session.scalars(select(LetterAudit)).all()) == 2


def test_somebody_who_has_just_come_back_was_not_without_contact_while_away(cast: Cast) -> None:
    """As the engagement page and the tasks of a quiet week count: from the day on which the course went on."""
    returned = newcomer(cast, "Robin Back", at(2, 9) - timedelta(days=30))
    quiet = newcomer(cast, "Quinn Still", at(2, 9) - timedelta(days=30))
    returned.back_at = at(23, 9)
    db.session.flush()
    listed = {
        one.enrolment.id: {seen.reason for seen in one.reasons}
        for one in supervision_list(cast.supporter.id, cast.service, now=at(24, 10)).people
    }
    assert Reason.NO_CONTACT in listed[quiet.id]
    assert Reason.NO_CONTACT not in listed.get(returned.id, set())


def test_the_list_and_the_warnings_cost_the_same_for_one_person_and_for_twelve(
    cast: Cast, alex: Enrolment
) -> None:
    def read() -> None:
        supervision_list(cast.supporter.id, cast.service, now=at(24, 10))

    db.session.commit()
    assert cast.service.zone
    alone = statements(read)
    people = [newcomer(cast, f"Person{n} Ford", at(2, 9)) for n in range(11)]
    for enrolment in people:
        answer_baseline(enrolment, 21, at(2, 10))
    db.session.commit()
    assert cast.service.zone
    assert statements(read) <= alone
    assert alone <= 6
    everybody = db.session.scalars(select(Enrolment)).all()
    assert all(one.service.zone for one in everybody)
    assert statements(lambda: early_warnings_of(everybody, now=at(24, 10))) == 1
