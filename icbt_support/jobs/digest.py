"""The staff digest: one email a morning that says what waits, in numbers only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Row, func, select

from icbt_support.accounts.models import Account, Membership, Role
from icbt_support.cadence import local_day, to_local, to_utc
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.hours import queries as hours
from icbt_support.hours.closed_days import closed_days
from icbt_support.messages.models import Message
from icbt_support.reminders.operations import owe_reminder
from icbt_support.reminders.rules import ReminderKind, WallTime
from icbt_support.reminders.verdicts import DueReminder
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.service.models import Service

MORNING = time(8)
OWED = (ReviewState.SCHEDULED, ReviewState.OPEN, ReviewState.DRAFTED)
LAST_WEEKDAY = 4


@dataclass(frozen=True)
class Digest:
    """What waits for one supporter today."""

    due: int = 0
    late: int = 0
    messages: int = 0
    first_promised_at: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.due or self.late or self.messages)

    @property
    def summary(self) -> str:
        parts = []
        if self.late:
            parts.append(f"{self.late} late")
        if self.due:
            parts.append(f"{self.due} due")
        reviews = self.late + self.due
        words = f"{' and '.join(parts)} review{'' if reviews == 1 else 's'}" if parts else ""
        if self.messages:
            news = f"{self.messages} message{'' if self.messages == 1 else 's'} to read"
            words = f"{words}, {news}" if words else news
        return words


def owe_digests(now: datetime) -> int:
    """On working mornings, one digest for each supporter who is not away. Returns how many are owed for
    today.
    """
    owed = 0
    for service in db.session.scalars(select(Service).order_by(Service.id)):
        today = local_day(now, service.zone)
        if to_local(now, service.zone).time() < MORNING or not _is_open(service, today):
            continue
        for account in _supporters(service.id):
            if hours.is_absent(account.id, today) is not None:
                continue
            _owe(account, service, today, now)
            owed += 1
    return owed


def _is_open(service: Service, on: date) -> bool:
    return on.weekday() <= LAST_WEEKDAY and on not in closed_days(service, on, on)


def _supporters(service_id: int) -> Sequence[Account]:
    statement = (
        select(Account)
        .join(Membership, Membership.account_id == Account.id)
        .where(
            Membership.service_id == service_id,
            Membership.role == Role.SUPPORTER,
            Membership.ended_at.is_(None),
            Account.disabled_at.is_(None),
        )
        .order_by(Account.id)
    )
    return db.session.scalars(statement).all()


def _owe(account: Account, service: Service, on: date, now: datetime) -> None:
    wall = WallTime(on, MORNING, service.zone)
    owe_reminder(
        key=f"digest:{service.id}:{account.id}:{on.isoformat()}",
        kind=ReminderKind.STAFF_DIGEST,
        recipient_id=account.id,
        service_id=service.id,
        subject=f"account:{account.id}",
        context=f"service:{service.id}",
        due_at=max(now, wall.instant()),
        wall=wall,
        now=now,
    )


def load_digests(due: Sequence[DueReminder], now: datetime) -> dict[int, Digest]:
    """The numbers behind each due digest: two statements for all of them."""
    rows = [row for row in due if row.kind is ReminderKind.STAFF_DIGEST and row.service_id is not None]
    if not rows:
        return {}
    zones = _zones({row.service_id for row in rows if row.service_id is not None})
    people = {row.recipient_id for row in rows}
    reviews = _owed_reviews(people, now)
    messages = _unread_messages(people)
    found: dict[int, Digest] = {}
    for row in rows:
        service_id = row.service_id or 0
        zone = zones.get(service_id, "UTC")
        end_of_day = to_utc(local_day(now, zone) + timedelta(days=1), time(0), zone)
        mine = [
            r.promised_at for r in reviews if (r.owner_id, r.service_id) == (row.recipient_id, service_id)
        ]
        today = sorted(at for at in mine if now < at < end_of_day)
        found[row.id] = Digest(
            due=len(today),
            late=sum(at <= now for at in mine),
            messages=messages.get((row.recipient_id, service_id), 0),
            first_promised_at=today[0] if today else None,
        )
    return found


def _zones(service_ids: set[int]) -> dict[int, str]:
    rows = db.session.execute(select(Service.id, Service.zone).where(Service.id.in_(service_ids)))
    return {row.id: row.zone for row in rows}


def _owed_reviews(people: set[int], now: datetime) -> Sequence[Row[int, int, datetime]]:
    return db.session.execute(
        select(Review.owner_id, Review.service_id, Review.promised_at).where(
            Review.owner_id.in_(people), Review.state.in_(OWED), Review.promised_at < now + timedelta(days=2)
        )
    ).all()


def _unread_messages(people: set[int]) -> dict[tuple[int, int], int]:
    rows = db.session.execute(
        select(Enrolment.supporter_id, Enrolment.service_id, func.count())
        .join(Message, Message.enrolment_id == Enrolment.id)
        .where(
            Enrolment.supporter_id.in_(people),
            Enrolment.state != EnrolmentState.ENDED,
            Message.author_id == Enrolment.patient_id,
            Message.read_at.is_(None),
        )
        .group_by(Enrolment.supporter_id, Enrolment.service_id)
    )
    return {(row[0], row[1]): row[2] for row in rows}
