"""What a clinician decides about one course."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import AccountLink
from icbt_support.db import db
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState
from icbt_support.hours.transitions import record_absence_row
from icbt_support.plan.queries import open_week_of
from icbt_support.programme.library import find_programme
from icbt_support.rhythm.away import pause_course
from tests.concepts.beginnings import as_clinician, invite_robin, open_week_1


@pytest.fixture
def visitor(client, cast, now):
    open_week_1(cast, now)
    db.session.commit()
    return client.sign_in(cast.clinician)


def page_of(enrolment):
    return f"/clinical/patients/{enrolment.id}/decide"


def again(enrolment):
    db.session.rollback()
    return db.session.get_one(Enrolment, enrolment.id)


def decide(visitor, enrolment, what, **values):
    visitor.get(page_of(enrolment))
    return visitor.post(f"{page_of(enrolment)}/{what}", values)


def test_an_end_needs_its_code_and_its_reason(visitor, cast):
    page = decide(visitor, cast.enrolment, "end", end_code="46", end_reason="").get_data(as_text=True)
    assert "Write the reason in a sentence" in page
    assert again(cast.enrolment).state is EnrolmentState.ACTIVE
    decide(visitor, cast.enrolment, "end", end_code="46", end_reason="All done")
    assert again(cast.enrolment).end_code is EndCode.AGREED
    page = visitor.get(page_of(cast.enrolment)).get_data(as_text=True)
    assert "This course has ended" in page


def test_a_code_that_does_not_fit_cannot_be_chosen(visitor, cast):
    decide(visitor, cast.enrolment, "end", end_code="never_started", end_reason="No answer")
    assert again(cast.enrolment).state is EnrolmentState.ACTIVE


def test_somebody_who_never_began_is_invited_again_or_closed(visitor, cast, now):
    robin = invite_robin(cast, now - timedelta(days=21))
    db.session.commit()
    page = visitor.get(page_of(robin)).get_data(as_text=True)
    assert "21 days ago" in page
    assert "Close: never started" in page
    decide(visitor, robin, "invite-again")
    links = db.session.scalars(select(AccountLink).where(AccountLink.account_id == robin.patient_id)).all()
    assert len(links) == 2
    decide(visitor, robin, "end", end_code="never_started", end_reason="Two calls, no answer")
    assert again(robin).end_code is EndCode.NEVER_STARTED


def test_handing_over_says_what_went_along(visitor, cast):
    page = decide(
        visitor, cast.enrolment, "hand-over", to_supporter=str(cast.colleague.id), hand_over_reason="Leaves"
    ).get_data(as_text=True)
    assert (
        "Chris Moor is the supporter now. Went along: 1 owed review, 0 unread messages, 0 open alerts."
        in page
    )
    assert again(cast.enrolment).supporter_id == cast.colleague.id


def test_a_supporter_of_another_service_cannot_be_chosen(visitor, cast):
    decide(visitor, cast.enrolment, "hand-over", to_supporter=str(cast.other_supporter.id))
    assert again(cast.enrolment).supporter_id == cast.supporter.id


def test_a_supporter_who_is_away_is_refused_with_the_date(visitor, cast, now):
    record_absence_row(
        cast.colleague.id,
        service_id=cast.service.id,
        from_on=date(2026, 11, 26),
        until_on=date(2026, 11, 27),
        cover_id=None,
        by=as_clinician(cast),
        now=now,
    )
    db.session.commit()
    page = decide(visitor, cast.enrolment, "hand-over", to_supporter=str(cast.colleague.id)).get_data(
        as_text=True
    )
    assert "away until Friday 27 November" in page
    assert again(cast.enrolment).supporter_id == cast.supporter.id


def test_a_course_pauses_and_goes_on_with_a_new_week(visitor, cast):
    decide(visitor, cast.enrolment, "pause", pause_reason="Moving house")
    assert again(cast.enrolment).state is EnrolmentState.PAUSED
    visitor.get(page_of(cast.enrolment))
    module = open_modules(cast)[0]
    page = visitor.post(
        f"{page_of(cast.enrolment)}/resume",
        {"module": module, "review_at": "2026-12-03T09:00:00+00:00"},
    ).get_data(as_text=True)
    assert "Week 2 is open. Its review is promised for Thursday 3 December." in page
    assert open_week_of(again(cast.enrolment)).number == 2


def test_a_time_that_is_not_offered_is_refused(visitor, cast, now):
    pause_course(cast.enrolment, reason="x", by=as_clinician(cast), now=now)
    db.session.commit()
    decide(
        visitor,
        cast.enrolment,
        "resume",
        module=open_modules(cast)[0],
        review_at="2026-12-02T09:00:00+00:00",
    )
    assert again(cast.enrolment).state is EnrolmentState.PAUSED


def test_the_cadence_is_weekly_or_fortnightly(visitor, cast):
    decide(visitor, cast.enrolment, "cadence", cadence="14")
    assert again(cast.enrolment).cadence_days == 14
    decide(visitor, cast.enrolment, "cadence", cadence="10")
    assert again(cast.enrolment).cadence_days == 14


def test_a_decision_on_a_course_that_ended_meanwhile_is_refused(visitor, cast):
    visitor.get(page_of(cast.enrolment))
    visitor.post(f"{page_of(cast.enrolment)}/end", {"end_code": "46", "end_reason": "Done"})
    visitor.post(f"{page_of(cast.enrolment)}/pause", {"pause_reason": "Late"})
    assert again(cast.enrolment).state is EnrolmentState.ENDED


@pytest.mark.parametrize("what", ["end", "hand-over", "pause", "resume", "cadence", "invite-again"])
def test_another_services_patient_is_not_found(visitor, cast, what):
    visitor.get("/clinical/invite")
    assert visitor.http.get(page_of(cast.other_enrolment)).status_code == 404
    assert visitor.post(f"{page_of(cast.other_enrolment)}/{what}", {}).status_code == 404


@pytest.mark.parametrize("who", ["patient", "supporter", "administrator"])
def test_only_clinicians_decide(client, cast, who):
    client.sign_in(getattr(cast, who))
    assert client.http.get(page_of(cast.enrolment)).status_code == 404


def open_modules(cast):
    from_library = find_programme(cast.enrolment.programme_slug, cast.enrolment.programme_version)
    return [module.slug for module in from_library.modules]
