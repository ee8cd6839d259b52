"""Treatment contacts: suggested from what staff did, counted once a clinician has said so."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from icbt_support.contacts.models import ContactKind, TreatmentContact
from icbt_support.contacts.operations import (
    NotWrittenDownByHand,
    NotYet,
    change_decision,
    confirm_contact,
    leave_out_contact,
    write_down_contact,
)
from icbt_support.contacts.queries import (
    confirmed_contacts_by_course,
    courses_with_waiting_contacts,
    decided_contacts,
    waiting_among,
    waiting_contacts,
)
from icbt_support.db import db
from icbt_support.enrolments.models import Purpose
from icbt_support.patient_groups.operations import OtherService, add_group, remove_group, set_group
from icbt_support.patient_groups.queries import group_of
from icbt_support.reviews.models import ReviewKind
from icbt_support.risk.models import CallOutcome
from icbt_support.risk.operations import log_call
from tests.cast import Cast
from tests.concepts.beginnings import as_clinician, audited
from tests.concepts.service_of_many import review, visit


def confirmed(cast: Cast) -> int:
    counted = confirmed_contacts_by_course(cast.service).subquery()
    return db.session.scalar(select(func.coalesce(func.sum(counted.c.contacts), 0))) or 0


def test_a_contact_from_suggestion_to_decision_and_back(cast: Cast, now: datetime) -> None:
    by, course = as_clinician(cast), cast.enrolment
    review(course, 0, now.date(), kind=ReviewKind.WELCOME, sent_at=now)
    review(course, 1, now.date(), sent_at=now - timedelta(days=7))
    review(course, 2, now.date())
    log_call(course, CallOutcome.SPOKE, "", 12, by=by, now=now - timedelta(days=2))
    log_call(course, CallOutcome.NO_ANSWER, "", None, by=by, now=now - timedelta(days=1))
    visit(course, now)  # a sign-in is never a contact
    review(cast.other_enrolment, 1, now.date(), sent_at=now)
    sent, call = waiting_contacts([course.id])
    assert [sent.kind, call.kind] == [ContactKind.REVIEW_SENT, ContactKind.CALL_ANSWERED]
    assert (call.minutes, call.contact_at) == (12, now - timedelta(days=2))
    assert courses_with_waiting_contacts(cast.service, offset=0, limit=9) == [course]
    [elsewhere] = waiting_contacts([cast.other_enrolment.id])
    keys = [sent.key, call.key, elsewhere.key, "call_answered-x", "nonsense"]
    assert waiting_among(cast.service, keys) == [sent, call]
    assert confirmed(cast) == 0

    confirm_contact(sent, by=by, now=now)
    leave_out_contact(call, by=by, now=now)
    leave_out_contact(sent, by=by, now=now)  # a colleague was quicker: that decision stays
    assert confirmed(cast) == 1
    assert waiting_contacts([course.id]) == []
    assert courses_with_waiting_contacts(cast.service, offset=0, limit=9) == []
    kept, left_out = decided_contacts([course.id])
    assert (kept.is_confirmed, left_out.is_confirmed) == (True, False)
    assert (kept.recorded_by, kept.decided_by) == (cast.supporter.id, cast.clinician.id)
    change_decision(left_out, by=by, now=now)
    assert confirmed(cast) == 2
    change_decision(kept, by=by, now=now)
    assert confirmed(cast) == 1
    assert audited().count("confirmed_contact") == 2
    assert audited().count("left_out_contact") == 2


def test_a_course_of_training_suggests_nothing(cast: Cast, now: datetime) -> None:
    cast.enrolment.purpose = Purpose.TRAINING
    review(cast.enrolment, 1, now.date(), sent_at=now)
    assert waiting_contacts([cast.enrolment.id]) == []
    assert courses_with_waiting_contacts(cast.service, offset=0, limit=9) == []


def test_what_is_written_down_has_been_and_is_no_review(cast: Cast, now: datetime) -> None:
    by = as_clinician(cast)
    posted = {"posted_key": "a", "by": by, "now": now}
    contact = write_down_contact(cast.enrolment, ContactKind.ASSESSMENT, now, 40, **posted)
    assert write_down_contact(cast.enrolment, ContactKind.ASSESSMENT, now, 40, **posted) is contact
    assert contact.is_confirmed
    with pytest.raises(NotYet):
        write_down_contact(
            cast.enrolment, ContactKind.MESSAGES, now + timedelta(days=1), None, by=by, now=now
        )
    with pytest.raises(NotWrittenDownByHand):
        write_down_contact(cast.enrolment, ContactKind.REVIEW_SENT, now, None, by=by, now=now)
    assert db.session.scalar(select(func.count(TreatmentContact.id))) == 1


def test_groups_come_go_and_stay_with_those_who_are_in_them(cast: Cast, now: datetime) -> None:
    by = as_clinician(cast)
    young = add_group(cast.service, " 18 to 25 ", by=by, now=now)
    assert add_group(cast.service, "18 to 25", by=by, now=now) is young
    set_group(cast.enrolment, young, by=by, now=now)
    remove_group(young, by=by, now=now)
    assert group_of(cast.enrolment) is young
    assert add_group(cast.service, "18 to 25", by=by, now=now).removed_at is None
    with pytest.raises(OtherService):
        set_group(cast.other_enrolment, young, by=by, now=now)
    set_group(cast.enrolment, None, by=by, now=now)
    assert group_of(cast.enrolment) is None
