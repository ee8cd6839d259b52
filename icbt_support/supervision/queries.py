"""Meetings, what was decided in them, and what came of it: each a fixed number of statements."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload

from icbt_support.accounts.models import Account
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentChange, EnrolmentState, Purpose
from icbt_support.enrolments.queries import is_about_others, is_of_others
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.service.models import Service
from icbt_support.supervision.models import SupervisionDiscussion, SupervisionMeeting
from icbt_support.supervision.rules import FollowUp, SupervisionDecision

DECISIONS_SHOWN = 60


@dataclass(frozen=True)
class SupporterRow:
    """A supporter as the first page of supervision shows them: never a figure to compare people by."""

    supporter_id: int
    full_name: str
    open_courses: int
    open_meeting: SupervisionMeeting | None
    last_meeting: SupervisionMeeting | None


@dataclass(frozen=True)
class Since:
    """What happened in a course since a decision: changes, newest first, and how many reviews were sent."""

    changes: tuple[EnrolmentChange, ...]
    reviews_sent: int


# Meetings -----------------------------------------------------------------------------------------------------


def supporter_rows(
    supporters: Sequence[Account], service: Service, *, reader_id: int | None = None
) -> list[SupporterRow]:
    """The supporters of a service as given, with their open and their last ended meeting."""
    ids = [one.id for one in supporters]
    counts = dict(
        db.session.execute(
            select(Enrolment.supporter_id, func.count())
            .where(
                Enrolment.service_id == service.id,
                Enrolment.state != EnrolmentState.ENDED,
                Enrolment.purpose == Purpose.CARE,
                is_of_others(reader_id),
            )
            .group_by(Enrolment.supporter_id)
        ).all()
    )
    newest = (
        select(func.max(SupervisionMeeting.id))
        .where(
            SupervisionMeeting.service_id == service.id,
            SupervisionMeeting.supporter_id.in_(ids),
            SupervisionMeeting.ended_at.is_not(None),
        )
        .group_by(SupervisionMeeting.supporter_id)
    )
    meetings = db.session.scalars(
        select(SupervisionMeeting).where(
            SupervisionMeeting.service_id == service.id,
            or_(SupervisionMeeting.ended_at.is_(None), SupervisionMeeting.id.in_(newest)),
        )
    ).all()
    still_open = {one.supporter_id: one for one in meetings if one.is_open}
    ended = {one.supporter_id: one for one in meetings if not one.is_open}
    return [
        SupporterRow(one.id, one.full_name, counts.get(one.id, 0), still_open.get(one.id), ended.get(one.id))
        for one in supporters
    ]


def scoped_meeting(service_ids: Collection[int], meeting_id: int) -> SupervisionMeeting | None:
    """A meeting in one of these services."""
    return db.session.scalars(
        select(SupervisionMeeting)
        .options(joinedload(SupervisionMeeting.supporter), joinedload(SupervisionMeeting.starter))
        .where(SupervisionMeeting.id == meeting_id, SupervisionMeeting.service_id.in_(service_ids))
    ).one_or_none()


def open_meeting_of(supporter_id: int, service: Service) -> SupervisionMeeting | None:
    return db.session.scalars(
        select(SupervisionMeeting).where(
            SupervisionMeeting.service_id == service.id,
            SupervisionMeeting.supporter_id == supporter_id,
            SupervisionMeeting.ended_at.is_(None),
        )
    ).one_or_none()


def meetings_of(supporter_id: int, service: Service) -> list[SupervisionMeeting]:
    """Meetings with this supporter, newest first."""
    return list(
        db.session.scalars(
            select(SupervisionMeeting)
            .options(joinedload(SupervisionMeeting.starter))
            .where(
                SupervisionMeeting.service_id == service.id, SupervisionMeeting.supporter_id == supporter_id
            )
            .order_by(SupervisionMeeting.started_at.desc(), SupervisionMeeting.id.desc())
        )
    )


def discussions_of(
    meeting: SupervisionMeeting, *, reader_id: int | None = None
) -> list[SupervisionDiscussion]:
    """Everybody on the list of a meeting, in its order."""
    return list(
        db.session.scalars(
            _discussions()
            .where(
                SupervisionDiscussion.meeting_id == meeting.id,
                is_about_others(SupervisionDiscussion.enrolment_id, reader_id),
            )
            .order_by(SupervisionDiscussion.position)
        )
    )


def scoped_discussion(
    service_ids: Collection[int], discussion_id: int, *, reader_id: int | None = None
) -> SupervisionDiscussion | None:
    """One person in one meeting, in one of these services; never the reader."""
    return db.session.scalars(
        _discussions()
        .join(SupervisionDiscussion.meeting)
        .where(
            SupervisionDiscussion.id == discussion_id,
            SupervisionMeeting.service_id.in_(service_ids),
            is_about_others(SupervisionDiscussion.enrolment_id, reader_id),
        )
    ).one_or_none()


def decided_before(
    meeting: SupervisionMeeting, *, reader_id: int | None = None
) -> list[SupervisionDiscussion]:
    """With what a meeting begins: decisions of earlier ones that ask for something, until they have happened.

    They are about people whom this supporter has now, whoever had them when it was decided, so that a hand-over
    loses no decision. What is answered during this meeting stays on its page.
    """
    return list(
        db.session.scalars(
            _discussions()
            .join(SupervisionDiscussion.meeting)
            .where(
                SupervisionMeeting.service_id == meeting.service_id,
                SupervisionDiscussion.enrolment.has(Enrolment.supporter_id == meeting.supporter_id),
                is_about_others(SupervisionDiscussion.enrolment_id, reader_id),
                SupervisionMeeting.id < meeting.id,
                SupervisionDiscussion.decision.is_not(None),
                SupervisionDiscussion.decision != SupervisionDecision.CONTINUE,
                or_(
                    SupervisionDiscussion.follow_up.is_(None),
                    SupervisionDiscussion.follow_up == FollowUp.NOT_YET,
                    SupervisionDiscussion.followed_up_at >= meeting.started_at,
                ),
            )
            .order_by(SupervisionDiscussion.decided_at, SupervisionDiscussion.id)
        )
    )


def happened_since(discussions: Sequence[SupervisionDiscussion]) -> dict[int, Since]:
    """What happened in each course since the decision, by discussion; two statements."""
    ids = [one.enrolment_id for one in discussions]
    changes = db.session.scalars(
        select(EnrolmentChange)
        .where(EnrolmentChange.enrolment_id.in_(ids))
        .order_by(EnrolmentChange.changed_at.desc(), EnrolmentChange.id.desc())
    ).all()
    sent = db.session.execute(
        select(Review.enrolment_id, Review.sent_at).where(
            Review.enrolment_id.in_(ids), Review.sent_at.is_not(None), Review.kind != ReviewKind.WELCOME
        )
    ).all()
    found = {}
    for one in discussions:
        since = one.decided_at
        if since is None:
            continue
        found[one.id] = Since(
            tuple(c for c in changes if c.enrolment_id == one.enrolment_id and c.changed_at > since),
            sum(1 for number, at in sent if number == one.enrolment_id and at is not None and at > since),
        )
    return found


def _discussions() -> Select[SupervisionDiscussion]:
    return select(SupervisionDiscussion).options(
        joinedload(SupervisionDiscussion.enrolment).joinedload(Enrolment.patient),
        joinedload(SupervisionDiscussion.decider),
    )


# Decisions, for those who read a record -----------------------------------------------------------------------


def decisions_about(enrolment: Enrolment) -> list[SupervisionDiscussion]:
    """What was decided about one person, newest first, with who decided: for the record's timeline."""
    return decisions_within(select(Enrolment).where(Enrolment.id == enrolment.id))


def decisions_within(scope: Select[Enrolment]) -> list[SupervisionDiscussion]:
    """What was decided about the people of a scope (a supporter's own, or under cover), newest first."""
    return list(
        db.session.scalars(
            _discussions()
            .where(
                SupervisionDiscussion.enrolment_id.in_(scope.with_only_columns(Enrolment.id)),
                SupervisionDiscussion.decided_at.is_not(None),
            )
            .order_by(SupervisionDiscussion.decided_at.desc(), SupervisionDiscussion.id.desc())
            .limit(DECISIONS_SHOWN)
        )
    )
