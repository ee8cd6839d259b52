"""An owed review gets another named owner: the promise to the patient stays as it is."""

from datetime import datetime

from icbt_support.audit.models import Actor
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.hours.models import SlotBooking
from icbt_support.hours.queries import free_review_times
from icbt_support.hours.transitions import book_slot, release_booking
from icbt_support.reminders.operations import owe_reminder, withdraw_reminders
from icbt_support.reminders.rules import ReminderKind
from icbt_support.reviews.models import Review
from icbt_support.reviews.transitions import change_owner, put_with_pool, set_date, take_back_from_pool

NEW_WRITER = ReminderKind.NEW_WRITER


def give_review_to(review: Review, account_id: int, *, by: Actor, now: datetime) -> None:
    """Moves an owed review; its draft goes along, with the name of whoever wrote it. The day and time that the
    patient was told do not change.

    The new owner's own free place on that day is booked, if there is one.
    """
    if review.owner_id == account_id:
        return_review_from_pool(review, by=by, now=now)
        return
    release_place_of(review, now=now)
    change_owner(review, account_id, by=by, now=now)
    _stand_in(_place_on_the_day(review, account_id, by=by, now=now), review, by=by, now=now)


def give_review_to_pool(review: Review, *, by: Actor, now: datetime) -> None:
    """Whoever takes it writes it; until then it keeps its owner's name, and its place is free."""
    release_place_of(review, now=now)
    _stand_in(None, review, by=by, now=now)
    put_with_pool(review, by=by, now=now)


def return_review_from_pool(review: Review, *, by: Actor, now: datetime) -> None:
    """Nobody has taken it and its owner is there: it stands in their diary again, if the day has a free place."""
    if review.pooled_at is None:
        return
    take_back_from_pool(review, by=by, now=now)
    _stand_in(_place_on_the_day(review, review.owner_id, by=by, now=now), review, by=by, now=now)


def release_place_of(review: Review, *, now: datetime) -> None:
    """Frees the place in the diary that the review holds."""
    if review.booking_id is not None:
        release_booking(db.session.get_one(SlotBooking, review.booking_id), now=now)


def tell_of_hand_over(
    account_id: int, *, service_id: int, subject: str, context: str, key: str, now: datetime
) -> None:
    """Staff news: somebody's people have come to this person."""
    owe_reminder(
        key=f"hand-over:{key}:{account_id}",
        kind=ReminderKind.STAFF_HAND_OVER,
        recipient_id=account_id,
        service_id=service_id,
        subject=subject,
        context=context,
        due_at=now,
        now=now,
    )


def tell_of_new_supporter(enrolment: Enrolment, *, now: datetime) -> None:
    """News to the patient: somebody else reads and writes from now on. A newer hand-over takes its place."""
    subject = f"enrolment:{enrolment.id}"
    withdraw_reminders(now=now, reason="handed over again", subject=subject, kinds=[NEW_WRITER])
    _tell_of_new_writer(
        enrolment,
        subject,
        f"new-supporter:{enrolment.id}:{enrolment.supporter_id}:{int(now.timestamp())}",
        now,
    )


def tell_of_cover(review: Review, *, now: datetime) -> None:
    """News to the patient: this person writes this review; its date stays. A newer name takes its place."""
    subject = f"review:{review.id}"
    withdraw_reminders(now=now, reason="somebody else writes it", subject=subject, kinds=[NEW_WRITER])
    _tell_of_new_writer(
        review.enrolment, subject, f"cover:{review.id}:{review.owner_id}:{int(now.timestamp())}", now
    )


def _tell_of_new_writer(enrolment: Enrolment, subject: str, key: str, now: datetime) -> None:
    owe_reminder(
        key=key,
        kind=NEW_WRITER,
        recipient_id=enrolment.patient_id,
        service_id=enrolment.service_id,
        subject=subject,
        context=f"enrolment:{enrolment.id}",
        due_at=now,
        now=now,
    )


def _stand_in(place: SlotBooking | None, review: Review, *, by: Actor, now: datetime) -> None:
    """The same promise, in this place of a diary or in none."""
    set_date(
        review,
        due_on=review.due_on,
        promised_at=review.promised_at,
        booking_id=place.id if place else None,
        slot_at=place.starts_at if place else None,
        by=by,
        now=now,
    )


def _place_on_the_day(review: Review, account_id: int, *, by: Actor, now: datetime) -> SlotBooking | None:
    free = free_review_times(
        account_id, review.due_on, review.due_on, service=review.enrolment.service, now=now
    )
    in_time = [time for time in free if time.starts_at <= review.promised_at]
    if not in_time:
        return None
    return book_slot(account_id, in_time[0].starts_at, enrolment_id=review.enrolment_id, by=by, now=now)
