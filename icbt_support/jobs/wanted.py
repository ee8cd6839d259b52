"""Is a due reminder still wanted? Asked for a batch at the moment of sending, of the things that it is
about.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from icbt_support.accounts.models import PromptLevel, Role
from icbt_support.accounts.queries import holds_role
from icbt_support.cadence import end_of_quiet, local_day
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.implementation.queries import leads_service
from icbt_support.jobs import digest
from icbt_support.jobs.scene import Course, House, Person, Scene, check_in_of, load_scene, number_in
from icbt_support.plan.models import ItemState
from icbt_support.reminders import queries as ledger
from icbt_support.reminders.rules import Reason, ReminderClass, ReminderKind, waits_for_quiet_hours
from icbt_support.reminders.verdicts import (
    SEND,
    Decision,
    DueReminder,
    Judgement,
    RecipientDay,
    Verdict,
    put_off_or_hold_back,
)
from icbt_support.reviews.models import ReviewState

STALLED_AFTER = timedelta(minutes=15)
FEWER_IN_SEVEN_DAYS = 1
OWED_STATES = (ReviewState.SCHEDULED, ReviewState.OPEN, ReviewState.DRAFTED)
K = ReminderKind
# Asked with the same moment, zone and hours for most rows of a batch.
_local_day = lru_cache(maxsize=1024)(local_day)
_end_of_quiet = lru_cache(maxsize=1024)(end_of_quiet)
OUTSIDE_A_COURSE = (K.START_PROMPT, K.BOOSTER)
# Asked of every row of a batch: a member that is named through its class is looked up by a function each time.
_PROMPT, _DIGEST = ReminderClass.PROMPT, K.STAFF_DIGEST
_ACTIVE, _PLANNED = EnrolmentState.ACTIVE, ItemState.PLANNED
_OFF, _FEWER = PromptLevel.OFF, PromptLevel.FEWER


def withdraw(reason: Reason) -> Verdict:
    return Verdict(Decision.WITHDRAW, reason)


def hold_back(reason: Reason) -> Verdict:
    return Verdict(Decision.HOLD_BACK, reason)


GONE = withdraw(Reason.NO_LONGER_THERE)
DONE = withdraw(Reason.ALREADY_DONE)
NOT_ACTIVE = withdraw(Reason.NOT_ACTIVE)


class InboxJudge:
    """What stands in the app: only what is still so."""

    def __call__(self, due: Sequence[DueReminder], now: datetime) -> Judgement:
        scene = load_scene(due, now)
        return Judgement({row.id: about_subject(row, scene, now) for row in due})


class EmailJudge:
    """What goes out by email; keeps the scene, from which the mails of this batch are worded."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.digests: dict[int, digest.Digest] = {}

    def __call__(self, due: Sequence[DueReminder], now: datetime) -> Judgement:
        self.scene = load_scene(due, now)
        self.digests = digest.load_digests(due, now)
        judgement = Judgement()
        judgement.verdicts = {row.id: self._verdict(row, now) for row in due}
        of_each_recipient = {row.recipient_id: row for row in reversed(due)}
        judgement.recipients = {
            recipient_id: self._day(row, now) for recipient_id, row in of_each_recipient.items()
        }
        return judgement

    def _day(self, row: DueReminder, now: datetime) -> RecipientDay:
        person = self.scene.people.get(row.recipient_id)
        house = self.scene.house_of(row)
        zone = person.zone if person else "UTC"
        if house is None:
            return RecipientDay(_local_day(now, zone), 1, 3)
        in_seven_days = house.rhythm.prompts_in_seven_days
        if person is not None and person.prompts is _FEWER:
            in_seven_days = min(in_seven_days, FEWER_IN_SEVEN_DAYS)
        return RecipientDay(_local_day(now, zone), house.rhythm.prompts_a_day, in_seven_days)

    def _verdict(self, row: DueReminder, now: datetime) -> Verdict:
        person = self.scene.people.get(row.recipient_id)
        if person is None or person.disabled_at is not None or not person.email:
            return withdraw(Reason.NO_ADDRESS)
        verdict = about_subject(row, self.scene, now)
        if verdict is not SEND:
            return verdict
        if row.kind is _DIGEST and self.digests[row.id].is_empty:
            return withdraw(Reason.NOTHING_TO_SAY)
        if person.address_bounced_at is not None:
            return hold_back(Reason.ADDRESS_BOUNCED)
        if row.reminder_class is _PROMPT:
            verdict = about_prompt(row, person, self.scene, now)
        return about_quiet_hours(row, person, now) if verdict is SEND else verdict


# About the thing itself
# -----------------------------------------------------------------------------------------


def about_subject(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    """Whether what the reminder is about is still as it was: the item open, the review unread, the link
    unused.
    """
    return _ABOUT[row.kind](row, scene, now)


def _always(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    return SEND


def _about_alert(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    alert = scene.alerts.get(number_in(row.subject, "alert") or 0)
    if alert is None:
        return GONE
    return SEND if alert.acknowledged_at is None else DONE


def _about_link(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    link = scene.links.get(number_in(row.subject, "account_link") or 0)
    if link is None or link.withdrawn_at is not None or link.expires_at <= now:
        return GONE
    return SEND if link.used_at is None else DONE


def _about_letter(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    """A welcome or a review that was sent: news until it is read."""
    review = scene.reviews.get(number_in(row.subject, "review") or 0)
    if review is None:
        return _about_message(row, scene, now)
    return SEND if review.read_at is None else DONE


def _about_owed_review(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    review = scene.reviews.get(number_in(row.subject, "review") or 0)
    if review is None:
        return GONE
    return SEND if review.state in OWED_STATES else DONE


def _about_writer(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    """Somebody else writes: one review that is still owed, or everything of a course that has not ended.

    What the pool holds is nobody's by name any more: whoever takes it is told of anew.
    """
    number = number_in(row.subject, "review")
    if number is not None:
        review = scene.reviews.get(number)
        if review is not None and review.pooled_at is not None:
            return GONE
        return _about_owed_review(row, scene, now)
    course = scene.course_of(row)
    if course is None:
        return GONE
    return SEND if course.state is not EnrolmentState.ENDED else NOT_ACTIVE


def _about_staff_news(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    """A review that has come to somebody, or moved, is news while it is theirs to write."""
    number = number_in(row.subject, "review")
    if number is None:
        return SEND
    review = scene.reviews.get(number)
    if review is None or review.owner_id != row.recipient_id or review.pooled_at is not None:
        return GONE
    return SEND if review.state in OWED_STATES else DONE


def _about_message(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    message = scene.messages.get(number_in(row.subject, "message") or 0)
    if message is None:
        return GONE
    return SEND if message.read_at is None else DONE


def _about_item(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    item = scene.items.get(number_in(row.subject, "plan_item") or 0)
    if item is None:
        return GONE
    if item.state is not _PLANNED:
        return DONE
    return SEND if item.week_closed_at is None else GONE


def _about_check_in(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    check_in = check_in_of(row.subject)
    week = scene.weeks.get(check_in) if check_in else None
    if week is None or week.closed_at is not None:
        return GONE
    return DONE if check_in in scene.check_ins_done else SEND


def _about_start(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    course = scene.course_of(row)
    if course is None:
        return GONE
    if course.state is EnrolmentState.ONBOARDING:
        return SEND
    if course.state is not EnrolmentState.INVITED:
        return DONE
    return SEND if row.recipient_id in scene.invitations else GONE


def _about_queue(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    oldest = ledger.next_due_at()
    return SEND if oldest is not None and oldest < now - STALLED_AFTER else DONE


def _about_answer(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    """An answer to what somebody reported: news until they have read it."""
    report = scene.reports.get(number_in(row.subject, "report") or 0)
    if report is None or report.reported_by != row.recipient_id:
        return GONE
    return SEND if report.has_news else DONE


def _about_report(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    """A report waits for its owner or for the vendor: said while it is open, to those who are still there."""
    as_vendor = number_in(row.subject, "vendor_report")
    report = scene.reports.get(as_vendor or number_in(row.subject, "report") or 0)
    if report is None or row.service_id is None:
        return GONE
    if report.is_closed:
        return DONE
    role = Role.VENDOR if as_vendor else Role.ADMINISTRATOR
    return SEND if holds_role(row.recipient_id, row.service_id, role) else GONE


def _about_lead(row: DueReminder, scene: Scene, now: datetime) -> Verdict:
    """The weekly email is for those who lead now, whoever led when it was owed."""
    if row.service_id is None or not leads_service(row.recipient_id, row.service_id):
        return GONE
    return SEND


_ABOUT: dict[ReminderKind, Callable[[DueReminder, Scene, datetime], Verdict]] = {
    K.RISK_ALERT: _about_alert,
    K.NOBODY_ON_DUTY: _always,
    K.QUEUE_STALLED: _about_queue,
    K.INVITATION: _about_link,
    K.PASSWORD_RESET: _about_link,
    K.SECURITY_NOTICE: _always,
    K.SAMPLE: _always,
    K.WELCOME: _about_letter,
    K.REVIEW_READY: _about_letter,
    K.REVIEW_LATE: _about_owed_review,
    K.REVIEW_MOVED: _about_owed_review,
    K.NEW_WRITER: _about_writer,
    K.MESSAGE: _about_message,
    K.MESSAGE_LATE: _about_message,
    K.STAFF_MESSAGE: _about_message,
    K.STAFF_MESSAGE_LATE: _about_message,
    K.STAFF_REVIEW_WARNING: _about_owed_review,
    K.STAFF_REVIEW_LATE: _about_owed_review,
    K.STAFF_CALL_TASK: _always,
    K.STAFF_HAND_OVER: _about_staff_news,
    K.AGREED_STEP: _about_item,
    K.CHECK_IN: _about_check_in,
    K.SESSION: _about_item,
    K.NUDGE: _always,
    K.START_PROMPT: _about_start,
    K.BOOSTER: _always,
    K.COURSE_NEWS: _always,
    K.STAFF_COURSE_NEWS: _about_staff_news,
    K.REPORT_ANSWERED: _about_answer,
    K.STAFF_REPORT: _about_report,
    K.STAFF_DIGEST: _always,
    K.LEADS_WEEKLY: _about_lead,
}


# About the person
# -----------------------------------------------------------------------------------------------


def about_prompt(row: DueReminder, person: Person, scene: Scene, now: datetime) -> Verdict:
    """A prompt is for somebody whose course runs, who wants prompts, and to whom nobody has just written."""
    course, house = scene.course_of(row), scene.house_of(row)
    if course is None or house is None:
        return GONE
    if row.kind not in OUTSIDE_A_COURSE and course.state is not _ACTIVE:
        return NOT_ACTIVE
    if course.id in scene.without_consent:
        return NOT_ACTIVE
    if person.prompts is _OFF:
        return hold_back(Reason.PROMPTS_OFF)
    if row.kind not in OUTSIDE_A_COURSE and _is_quiet_week(person, course, house, now):
        return hold_back(Reason.QUIET_WEEK)
    return _after_writing(person, course, scene, house, now)


def _is_quiet_week(person: Person, course: Course, house: House, now: datetime) -> bool:
    """Nobody who has not been here for a week is prompted on and on: their supporter writes instead."""
    days = timedelta(days=house.rhythm.quiet_prompts_stop_days)
    seen = (person.last_signed_in_at, course.started_at, course.back_at)
    last_seen = max((moment for moment in seen if moment is not None), default=None)
    has_begun = course.starts_on is None or course.starts_on <= _local_day(now - days, person.zone)
    return has_begun and last_seen is not None and last_seen < now - days


def _after_writing(person: Person, course: Course, scene: Scene, house: House, now: datetime) -> Verdict:
    written = scene.written.get(course.id)
    if written is None or written.at <= now - timedelta(hours=house.rhythm.held_back_after_writing_hours):
        return SEND
    reason = Reason.PATIENT_WROTE if written.author_id == person.id else Reason.PERSON_WROTE
    return Verdict(Decision.HOLD_BACK, reason, about_id=written.author_id, about_at=written.at)


def about_quiet_hours(row: DueReminder, person: Person, now: datetime) -> Verdict:
    if (
        not waits_for_quiet_hours(row.reminder_class)
        or person.quiet_from is None
        or person.quiet_until is None
    ):
        return SEND
    until = _end_of_quiet(now, person.zone, person.quiet_from, person.quiet_until)
    return SEND if until == now else put_off_or_hold_back(until, row.expires_at)
