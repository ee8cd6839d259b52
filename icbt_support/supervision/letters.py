"""Letters that are read together: which can be drawn, which wait, and who may see the form on one."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from icbt_support.cadence import local_day, to_utc
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, Purpose
from icbt_support.enrolments.queries import is_about_others
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.service.models import Service
from icbt_support.supervision.models import LetterAudit, SupervisionMeeting
from icbt_support.supervision.rules import LETTERS_LOOK_BACK_DAYS


def letters_to_draw_from(supporter_id: int, service: Service, *, now: datetime) -> list[int]:
    """Letters that this supporter sent in the last month, to people whom they still have, never read before."""
    return list(
        db.session.scalars(
            select(Review.id)
            .join(Review.enrolment)
            .outerjoin(LetterAudit, LetterAudit.review_id == Review.id)
            .where(
                Review.service_id == service.id,
                Review.sent_by == supporter_id,
                Enrolment.supporter_id == supporter_id,
                Enrolment.purpose == Purpose.CARE,
                Review.kind != ReviewKind.WELCOME,
                Review.sent_at > now - timedelta(days=LETTERS_LOOK_BACK_DAYS),
                LetterAudit.id.is_(None),
            )
            .order_by(Review.id)
        )
    )


def letters_drawn_this_month(supporter_id: int, service: Service, *, now: datetime) -> int:
    """How many letters of this supporter were drawn in this calendar month."""
    first = local_day(now, service.zone).replace(day=1)
    return (
        db.session.scalar(
            select(func.count())
            .select_from(LetterAudit)
            .join(LetterAudit.meeting)
            .where(
                SupervisionMeeting.service_id == service.id,
                SupervisionMeeting.supporter_id == supporter_id,
                LetterAudit.drawn_at >= to_utc(first, datetime.min.time(), service.zone),
            )
        )
        or 0
    )


def letters_of_meeting(meeting: SupervisionMeeting, *, reader_id: int | None = None) -> list[LetterAudit]:
    """The letters that wait at this meeting: those drawn for it, and earlier ones that nobody has filled in."""
    return list(
        db.session.scalars(
            _letters()
            .where(
                SupervisionMeeting.service_id == meeting.service_id,
                SupervisionMeeting.supporter_id == meeting.supporter_id,
                SupervisionMeeting.id <= meeting.id,
                is_about_others(LetterAudit.enrolment_id, reader_id),
                or_(LetterAudit.meeting_id == meeting.id, LetterAudit.filled_in_at.is_(None)),
            )
            .order_by(LetterAudit.drawn_at, LetterAudit.id)
        )
    )


def scoped_letter(
    service_ids: Collection[int], audit_id: int, *, reader_id: int | None = None
) -> LetterAudit | None:
    """A drawn letter in one of these services, for its clinicians; never one to the reader."""
    return db.session.scalars(
        _letters().where(
            LetterAudit.id == audit_id,
            SupervisionMeeting.service_id.in_(service_ids),
            is_about_others(LetterAudit.enrolment_id, reader_id),
        )
    ).one_or_none()


def letters_read_with(supporter_id: int, scope: Select[Enrolment]) -> list[LetterAudit]:
    """Filled-in forms on this supporter's letters, newest first, to people whom they may read about now."""
    return list(
        db.session.scalars(
            _of_supporter(supporter_id, scope).order_by(
                LetterAudit.filled_in_at.desc(), LetterAudit.id.desc()
            )
        )
    )


def own_letter(supporter_id: int, scope: Select[Enrolment], audit_id: int) -> LetterAudit | None:
    """One filled-in form on this supporter's letter, within the scope of what they may read now."""
    return db.session.scalars(
        _of_supporter(supporter_id, scope).where(LetterAudit.id == audit_id)
    ).one_or_none()


def _of_supporter(supporter_id: int, scope: Select[Enrolment]) -> Select[LetterAudit]:
    return _letters().where(
        SupervisionMeeting.supporter_id == supporter_id,
        LetterAudit.filled_in_at.is_not(None),
        LetterAudit.enrolment_id.in_(scope.with_only_columns(Enrolment.id)),
    )


def _letters() -> Select[LetterAudit]:
    return (
        select(LetterAudit)
        .join(LetterAudit.meeting)
        .options(
            contains_eager(LetterAudit.meeting).joinedload(SupervisionMeeting.supporter),
            joinedload(LetterAudit.review).joinedload(Review.letter),
            joinedload(LetterAudit.enrolment).joinedload(Enrolment.patient),
            joinedload(LetterAudit.reader),
        )
    )
