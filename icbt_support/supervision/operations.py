"""Running a meeting: each decision is kept at once, so that nothing is lost when the meeting breaks off."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from icbt_support import audit
from icbt_support.accounts.models import Account
from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.reviews.behaviours import TherapistBehaviour
from icbt_support.reviews.models import Review
from icbt_support.service.models import Service
from icbt_support.supervision.letters import letters_drawn_this_month, letters_to_draw_from
from icbt_support.supervision.listing import supervision_list
from icbt_support.supervision.models import LetterAudit, SupervisionDiscussion, SupervisionMeeting
from icbt_support.supervision.queries import open_meeting_of
from icbt_support.supervision.rules import FollowUp, Mark, SupervisionDecision, draw_letters


class MeetingHasEnded(Exception):
    """What was decided in a meeting that has ended is not changed any more."""


class NothingWasDecided(Exception):
    """Only a decision can be followed up."""


class FormIsFilledIn(Exception):
    """The form on a letter is filled in once; the supporter may have read it."""


class FormIsEmpty(Exception):
    """A supporter answers a form that somebody has filled in."""


def start_meeting(supporter: Account, service: Service, *, by: Actor, now: datetime) -> SupervisionMeeting:
    """The open meeting of this supporter, or a new one with its list as it is now and a letter drawn at random."""
    db.session.execute(select(Account.id).where(Account.id == supporter.id).with_for_update())
    held = open_meeting_of(supporter.id, service)
    if held is not None:
        return held
    meeting = SupervisionMeeting(
        service_id=service.id, supporter_id=supporter.id, started_by=by.account_id, started_at=now
    )
    db.session.add(meeting)
    db.session.flush()
    _write_list(meeting, supporter, service, now)
    _draw_letters(meeting, supporter, service, now)
    audit.record(
        "started_supervision",
        by=by,
        now=now,
        object_kind="supervision_meeting",
        object_id=meeting.id,
        service_id=service.id,
    )
    return meeting


def _write_list(meeting: SupervisionMeeting, supporter: Account, service: Service, now: datetime) -> None:
    people = supervision_list(supporter.id, service, now=now).people
    db.session.add_all(
        SupervisionDiscussion(
            meeting_id=meeting.id,
            enrolment_id=person.enrolment.id,
            position=place,
            reasons=[[one.reason.value, one.words] for one in person.reasons],
        )
        for place, person in enumerate(people, start=1)
    )
    db.session.flush()


def _draw_letters(meeting: SupervisionMeeting, supporter: Account, service: Service, now: datetime) -> None:
    drawn = draw_letters(
        letters_to_draw_from(supporter.id, service, now=now),
        seed=meeting.id,
        drawn_this_month=letters_drawn_this_month(supporter.id, service, now=now),
    )
    for review_id in drawn:
        review = db.session.get_one(Review, review_id)
        db.session.add(
            LetterAudit(
                meeting_id=meeting.id,
                review_id=review.id,
                enrolment_id=review.enrolment_id,
                drawn_at=now,
            )
        )
    db.session.flush()


def decide_in_meeting(
    discussion: SupervisionDiscussion,
    decision: SupervisionDecision,
    note: str,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Keeps what was decided about one person; until the meeting ends it can be decided again.

    It changes nothing in the course: stepping up and discharge are done on the page of decisions.
    """
    db.session.refresh(discussion.meeting, with_for_update=True)
    if not discussion.meeting.is_open:
        raise MeetingHasEnded
    discussion.decision = decision
    discussion.note = note
    discussion.decided_at = now
    discussion.decided_by = by.account_id
    db.session.flush()
    audit.record(
        "decided_in_supervision",
        by=by,
        now=now,
        object_kind="supervision_discussion",
        object_id=discussion.id,
        enrolment_id=discussion.enrolment_id,
        detail=decision.value,
    )


def follow_up_decision(
    discussion: SupervisionDiscussion, follow_up: FollowUp, *, by: Actor, now: datetime
) -> None:
    """Says at a later meeting whether what was decided has happened."""
    if discussion.decision is None:
        raise NothingWasDecided
    discussion.follow_up = follow_up
    discussion.followed_up_at = now
    discussion.followed_up_by = by.account_id
    db.session.flush()
    audit.record(
        "followed_up_supervision",
        by=by,
        now=now,
        object_kind="supervision_discussion",
        object_id=discussion.id,
        enrolment_id=discussion.enrolment_id,
        detail=follow_up.value,
    )


def end_meeting(meeting: SupervisionMeeting, *, by: Actor, now: datetime) -> None:
    """Ends a meeting; people without a decision come back by the rules. Once ended it stays so."""
    if not meeting.is_open:
        return
    meeting.ended_at = now
    db.session.flush()
    audit.record(
        "ended_supervision",
        by=by,
        now=now,
        object_kind="supervision_meeting",
        object_id=meeting.id,
        service_id=meeting.service_id,
    )


def fill_in_form(
    letter: LetterAudit,
    marks: Mapping[TherapistBehaviour, tuple[Mark, str]],
    comment: str,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """What a clinician saw of the nine behaviours in one letter, for the supporter to read and answer."""
    db.session.refresh(letter, ["filled_in_at"], with_for_update=True)
    if letter.filled_in_at is not None:
        raise FormIsFilledIn
    letter.marks = {
        behaviour.value: {"mark": mark.value, "comment": words} for behaviour, (mark, words) in marks.items()
    }
    letter.comment = comment
    letter.filled_in_at = now
    letter.filled_in_by = by.account_id
    db.session.flush()
    _record_letter("read_letter_in_supervision", letter, by, now)


def answer_form(letter: LetterAudit, words: str, *, by: Actor, now: datetime) -> None:
    """The supporter's answer; a later one takes the place of an earlier one."""
    if letter.filled_in_at is None:
        raise FormIsEmpty
    letter.answer = words
    letter.answered_at = now
    db.session.flush()
    _record_letter("answered_letter_form", letter, by, now)


def _record_letter(action: str, letter: LetterAudit, by: Actor, now: datetime) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        object_kind="letter_audit",
        object_id=letter.id,
        enrolment_id=letter.enrolment_id,
    )
