"""How a course ends, what ends with it and what stays."""

import pytest
from sqlalchemy import select

from icbt_support.db import db
from icbt_support.enrolments.models import EndCode, EnrolmentState
from icbt_support.enrolments.queries import changes_of
from icbt_support.enrolments.refusals import NotPossibleNow, UnknownCadence
from icbt_support.hours.queries import held_booking
from icbt_support.plan.queries import open_week_of
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.reviews.queries import welcome_of
from icbt_support.rhythm.ending import (
    CodeDoesNotFit,
    ReasonMissing,
    change_cadence,
    codes_that_fit,
    end_course,
    finish_with_what_i_needed,
)
from icbt_support.risk.models import RiskAlert
from icbt_support.risk.operations import raise_stated_risk
from tests.concepts.beginnings import (
    THURSDAY_AT_NINE,
    as_clinician,
    as_patient,
    audited,
    invite_robin,
    open_week_1,
    owed_kinds,
)


def end(cast, now, code=EndCode.AGREED, reason="All modules done"):
    end_course(cast.enrolment, code, reason=reason, by=as_clinician(cast), now=now)


def test_an_end_keeps_its_code_and_reason_and_lets_go_of_the_rhythm(cast, now):
    open_week_1(cast, now)
    end(cast, now)
    enrolment = cast.enrolment
    assert (enrolment.state, enrolment.end_code, enrolment.end_reason) == (
        EnrolmentState.ENDED,
        EndCode.AGREED,
        "All modules done",
    )
    assert enrolment.ended_at == now
    assert open_week_of(enrolment) is None
    assert held_booking(cast.supporter.id, THURSDAY_AT_NINE) is None
    assert {review.state for review in db.session.scalars(select(Review))} == {ReviewState.CANCELLED}
    assert not {"session", "check_in", "nudge", "agreed_step"} & set(owed_kinds(cast.patient))
    assert "end code" in [change.what for change in changes_of(enrolment)]
    assert "changed_state" in audited()


def test_an_open_alert_outlives_the_course(cast, now):
    raise_stated_risk(cast.enrolment, "I am not safe", by=as_patient(cast), now=now)
    end(cast, now)
    alert = db.session.scalars(select(RiskAlert)).one()
    assert alert.resolved_at is None
    assert alert.escalates_at is not None
    assert "risk_alert" in owed_kinds(cast.clinician)


def test_staff_say_why(cast, now):
    with pytest.raises(ReasonMissing):
        end(cast, now, reason="  ")


def test_an_ended_course_does_not_end_again(cast, now):
    end(cast, now)
    with pytest.raises(NotPossibleNow):
        end(cast, now)


def test_what_i_needed_is_the_patients_own_ending(cast, now):
    open_week_1(cast, now)
    finish_with_what_i_needed(cast.enrolment, "", by=as_patient(cast), now=now)
    assert cast.enrolment.end_code is EndCode.HAD_WHAT_I_NEEDED
    assert cast.enrolment.end_reason is None


def test_never_started_is_for_those_who_never_began(cast, now):
    robin = invite_robin(cast, now)
    assert codes_that_fit(robin) == [EndCode.NEVER_STARTED]
    assert EndCode.NEVER_STARTED not in codes_that_fit(cast.enrolment)
    with pytest.raises(CodeDoesNotFit):
        end(cast, now, code=EndCode.NEVER_STARTED)
    with pytest.raises(CodeDoesNotFit):
        end_course(robin, EndCode.LOST, reason="No answer", by=as_clinician(cast), now=now)


def test_closing_a_person_who_never_started_lets_go_of_the_welcome_and_prompts(cast, now):
    robin = invite_robin(cast, now)
    welcome = welcome_of(robin)
    end_course(robin, EndCode.NEVER_STARTED, reason="No answer to two calls", by=as_clinician(cast), now=now)
    assert welcome.state is ReviewState.CANCELLED
    assert "start_prompt" not in owed_kinds(robin.patient)


def test_the_cadence_changes_and_the_promised_date_stays(cast, now):
    week = open_week_1(cast, now)
    change_cadence(cast.enrolment, 14, reason="Works shifts", by=as_clinician(cast), now=now)
    assert cast.enrolment.cadence_days == 14
    assert week.review_on == THURSDAY_AT_NINE.date()
    with pytest.raises(UnknownCadence):
        change_cadence(cast.enrolment, 10, reason="", by=as_clinician(cast), now=now)
