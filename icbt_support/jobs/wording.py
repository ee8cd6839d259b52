"""What an email shows: days, times, minutes, names and links. Never scores, answers or anybody's own
words.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from icbt_support.accounts.models import LinkPurpose
from icbt_support.cadence import to_local
from icbt_support.db import db
from icbt_support.delivery.rendering import Letter, Part
from icbt_support.implementation.weekly import weekly_of
from icbt_support.jobs.digest import Digest
from icbt_support.jobs.mail_words import initials_of, minutes_words, waited_words
from icbt_support.jobs.scene import Link, Person, Scene, check_in_of, load_titles, number_in
from icbt_support.links import make_token
from icbt_support.plan.words import clock_words, day_words
from icbt_support.reminders.claims import ClaimedMailing
from icbt_support.reminders.own_links import OwnLink, path_of
from icbt_support.reminders.rules import ReminderClass, ReminderKind
from icbt_support.reminders.verdicts import DueReminder
from icbt_support.reviews.models import Review, ReviewKind
from icbt_support.rhythm.lateness import told_by_at

CHECK_IN_MINUTES = 5
K = ReminderKind
_PATIENT_KINDS = frozenset(
    (
        K.WELCOME,
        K.REVIEW_READY,
        K.REVIEW_LATE,
        K.REVIEW_MOVED,
        K.NEW_WRITER,
        K.MESSAGE,
        K.MESSAGE_LATE,
        K.AGREED_STEP,
        K.CHECK_IN,
        K.SESSION,
        K.NUDGE,
        K.START_PROMPT,
        K.BOOSTER,
        K.COURSE_NEWS,
        K.SAMPLE,
    )
)


class Wording:
    """Makes the letters of one batch from its scene."""

    def __init__(
        self, scene: Scene, digests: Mapping[int, Digest], *, base_url: str, link_key: bytes, now: datetime
    ) -> None:
        self._scene = scene
        self._digests = digests
        self._base_url = base_url
        self._link_key = link_key
        self._now = now

    def read_titles(self, mailings: Sequence[ClaimedMailing]) -> None:
        """Reads the titles of sessions for those who chose *With detail*: one statement for the batch."""
        people = self._scene.people
        load_titles(
            self._scene,
            (
                number_in(row.subject, "plan_item") or 0
                for mailing in mailings
                if people[mailing.recipient_id].wants_detail
                for row in mailing.reminders
                if row.kind is K.SESSION
            ),
        )

    def address_of(self, mailing: ClaimedMailing) -> str:
        return self._scene.people[mailing.recipient_id].email

    def letter(self, mailing: ClaimedMailing, reminders: Sequence[DueReminder]) -> Letter:
        person = self._scene.people[mailing.recipient_id]
        return Letter(
            address=person.email,
            message_id=mailing.message_id,
            sender_name=self._sender_name(person, reminders[0]),
            called=person.called,
            parts=self._parts(reminders, person),
            at=self._now,
            stop_url=self._stop_url(reminders),
        )

    def _parts(self, reminders: Sequence[DueReminder], person: Person) -> list[Part]:
        """One part for each thing there is to say: three messages waiting are said once."""
        parts: list[Part] = []
        for row in reminders:
            part = Part(row.kind, self.facts(row, person))
            if part not in parts:
                parts.append(part)
        return parts

    def facts(self, row: DueReminder, person: Person) -> dict[str, Any]:
        return {"detail": person.wants_detail, **_FACTS[row.kind](self, row, person)}

    def _sender_name(self, person: Person, first: DueReminder) -> str:
        house = self._scene.house_of(first)
        if house is None:
            return "Online course"
        return house.name if person.wants_detail and first.kind in _PATIENT_KINDS else house.sender_name

    def _stop_url(self, reminders: Sequence[DueReminder]) -> str:
        prompt = next((row for row in reminders if row.reminder_class is ReminderClass.PROMPT), None)
        return self._own_link(OwnLink.STOP, prompt) if prompt is not None else ""

    # The facts of each kind
    # ------------------------------------------------------------------------------------

    def session(self, row: DueReminder, person: Person) -> dict[str, Any]:
        number = number_in(row.subject, "plan_item") or 0
        item = self._scene.items[number]
        day = f"{item.planned_on:%A}"
        time = clock_words(item.planned_time) if item.planned_time else ""
        return {
            "day": day,
            "time": time or "At any time",
            "day_and_time": f"{day} {time}" if time else f"{day}, at any time",
            "minutes": minutes_words(item.minutes),
            "title": self._scene.titles.get(number, "your session"),
            "link": self._page("/week"),
            "move_link": self._own_link(OwnLink.MOVE, row),
        }

    def agreed_step(self, row: DueReminder, person: Person) -> dict[str, Any]:
        item = self._scene.items[number_in(row.subject, "plan_item") or 0]
        return {
            "day": f"{item.planned_on:%A}",
            "time": clock_words(item.planned_time) if item.planned_time else "",
            "minutes": minutes_words(item.minutes),
            "link": self._page("/week"),
            "move_link": self._own_link(OwnLink.MOVE, row),
        }

    def check_in(self, row: DueReminder, person: Person) -> dict[str, Any]:
        week = self._scene.weeks[check_in_of(row.subject) or (0, 0)]
        return {
            "person": week.writer_called,
            "review_day": f"{week.review_on:%A}",
            "minutes": minutes_words(CHECK_IN_MINUTES),
            "link": self._page("/check-in"),
            "plan_link": self._page("/week"),
        }

    def nudge(self, row: DueReminder, person: Person) -> dict[str, Any]:
        return {"minutes": minutes_words(10), "link": self._page("/week")}

    def start_prompt(self, row: DueReminder, person: Person) -> dict[str, Any]:
        invitation = self._scene.invitations.get(row.recipient_id)
        if invitation is None:
            return {"until": "you are ready", "link": self._page("/")}
        return {"until": self._day_of(invitation.expires_at, person), "link": self._account_link(invitation)}

    def account_link(self, row: DueReminder, person: Person) -> dict[str, Any]:
        link = self._scene.links[number_in(row.subject, "account_link") or 0]
        local = to_local(link.expires_at, person.zone)
        house = self._scene.house_of(row)
        return {
            "until": f"{day_words(local)}, {clock_words(local)}",
            "sender": house.sender_name if house else "Online course",
            "link": self._account_link(link),
        }

    def security_notice(self, row: DueReminder, person: Person) -> dict[str, Any]:
        local = to_local(row.due_at, person.zone)
        return {
            "when": f"{day_words(local)}, {clock_words(local)}",
            "link": self._page("/forgotten-password"),
        }

    def sample(self, row: DueReminder, person: Person) -> dict[str, Any]:
        return {"link": self._page("/reminders")}

    def letter_news(self, row: DueReminder, person: Person) -> dict[str, Any]:
        """Neither a pause nor the last letter opens a week."""
        review = self._scene.reviews.get(number_in(row.subject, "review") or 0)
        if review is None or row.kind is K.WELCOME:
            return {"person": self._writer(row), "opens_week": False, "link": self._page("/messages")}
        return {
            "person": review.writer_called or "Your supporter",
            "opens_week": review.opens_week,
            "link": self._page(f"/reviews/{review.id}"),
        }

    def message(self, row: DueReminder, person: Person) -> dict[str, Any]:
        return {"person": self._writer(row), "link": self._page("/messages")}

    def review_news(self, row: DueReminder, person: Person) -> dict[str, Any]:
        review = self._scene.reviews[number_in(row.subject, "review") or 0]
        promised = to_local(review.promised_at, person.zone)
        return {
            "person": review.writer_called,
            "promised": f"{day_words(promised)}, {clock_words(promised)}",
            "moved_from": day_words(review.moved_from_on) if review.moved_from_on else "",
            "because": review.moved_because or "",
            "told_by": self._told_by(review.id, person) if row.kind is K.REVIEW_LATE else "",
            "link": self._page("/week"),
        }

    def new_writer(self, row: DueReminder, person: Person) -> dict[str, Any]:
        """One review that a colleague covers, or the new supporter; `promised` is empty for the latter."""
        review = self._scene.reviews.get(number_in(row.subject, "review") or 0)
        if review is None:
            return {"person": self._supporter(row), "promised": "", "link": self._page("/supporter")}
        promised = to_local(review.promised_at, person.zone)
        return {
            "person": review.writer_called,
            "promised": f"{day_words(promised)}, {clock_words(promised)}",
            "link": self._page("/week"),
        }

    def message_late(self, row: DueReminder, person: Person) -> dict[str, Any]:
        return {"person": self._supporter(row), "link": self._page("/messages")}

    def staff_message_late(self, row: DueReminder, person: Person) -> dict[str, Any]:
        return {
            "initials": self._initials(row),
            "supporter": self._supporter(row),
            "link": self._page("/supporting/today"),
        }

    def staff_review(self, row: DueReminder, person: Person) -> dict[str, Any]:
        review = self._scene.reviews[number_in(row.subject, "review") or 0]
        promised = to_local(review.promised_at, person.zone)
        course = self._scene.course_of(row)
        is_clinicians = course is not None and course.clinician_id == person.id != review.owner_id
        path = (
            f"/clinical/reviews/{review.id}/decide" if is_clinicians else f"/supporting/reviews/{review.id}"
        )
        return {
            "initials": self._initials(row),
            "is_welcome": review.kind is ReviewKind.WELCOME,
            "promised": f"{clock_words(promised)} on {promised:%A}",
            "link": self._page(path),
        }

    def booster(self, row: DueReminder, person: Person) -> dict[str, Any]:
        return {
            "minutes": minutes_words(CHECK_IN_MINUTES),
            "link": self._page("/check-in"),
            "plan_link": self._page("/week"),
        }

    def course_news(self, row: DueReminder, person: Person) -> dict[str, Any]:
        return {"person": self._supporter(row), "link": self._page("/week")}

    def staff_course_news(self, row: DueReminder, person: Person) -> dict[str, Any]:
        """A course has ended, its later check-in is answered, or a review `moved` since the service closes."""
        review = self._scene.reviews.get(number_in(row.subject, "review") or 0)
        about, course = self.staff_about_patient(row, person), self._scene.course_of(row)
        after_course = self._page(f"/after-course/{course.id}" if course else "/")
        return {
            **about,
            **({} if review else {"link": after_course}),
            "is_answer": row.subject.startswith("booster:"),
            "moved": day_words(to_local(review.promised_at, person.zone)) if review else "",
        }

    def staff_about_patient(self, row: DueReminder, person: Person) -> dict[str, Any]:
        course = self._scene.course_of(row)
        path = f"/supporting/patients/{course.id}" if course else "/"
        return {"initials": self._initials(row), "link": self._page(path)}

    def staff_hand_over(self, row: DueReminder, person: Person) -> dict[str, Any]:
        """A person, one review that is theirs to write (`promised`), or the days away of a colleague (`is_cover`)."""
        review = self._scene.reviews.get(number_in(row.subject, "review") or 0)
        promised = to_local(review.promised_at, person.zone) if review is not None else None
        return {
            **self.staff_about_patient(row, person),
            "is_cover": number_in(row.subject, "account") is not None,
            "promised": f"{clock_words(promised)} on {day_words(promised)}" if promised else "",
        }

    def risk_alert(self, row: DueReminder, person: Person) -> dict[str, Any]:
        alert = self._scene.alerts[number_in(row.subject, "alert") or 0]
        raised = to_local(alert.raised_at, person.zone)
        return {
            "initials": self._initials(row),
            "when": f"{clock_words(raised)} on {raised:%A}",
            "link": self._page("/"),
        }

    def nobody_on_duty(self, row: DueReminder, person: Person) -> dict[str, Any]:
        house = self._scene.house_of(row)
        return {"service": house.name if house else "the service", "link": self._page("/admin/duty")}

    def queue_stalled(self, row: DueReminder, person: Person) -> dict[str, Any]:
        since = to_local(row.due_at, person.zone)
        return {
            "waited": waited_words(self._now - row.due_at),
            "when": f"{clock_words(since)} on {since:%A}",
            "link": self._page("/admin/jobs"),
        }

    def staff_digest(self, row: DueReminder, person: Person) -> dict[str, Any]:
        digest = self._digests[row.id]
        first = digest.first_promised_at
        return {
            "summary": digest.summary,
            "first_due": clock_words(to_local(first, person.zone)) if first else "",
            "link": self._page("/supporting/today"),
        }

    def report_answered(self, row: DueReminder, person: Person) -> dict[str, Any]:
        return {"link": self._page("/your-reports")}

    def staff_report(self, row: DueReminder, person: Person) -> dict[str, Any]:
        as_vendor = number_in(row.subject, "vendor_report")
        house, own = self._scene.house_of(row), number_in(row.subject, "report")
        path = f"/vendor/reports/{as_vendor}" if as_vendor else f"/admin/feedback/{own}"
        return {"service": house.name if house else "the service", "link": self._page(path)}

    def leads_weekly(self, row: DueReminder, person: Person) -> dict[str, Any]:
        weekly = weekly_of(row.service_id or 0, now=self._now)
        return {
            "service": weekly.service_name,
            "week": f"{weekly.from_on:%A} {weekly.from_on.day} {weekly.from_on:%B}",
            "figures": weekly.figures,
            "to_look_at": weekly.to_look_at,
            "link": self._page("/implementation"),
        }

    # Small pieces
    # ----------------------------------------------------------------------------------------------

    def _page(self, path: str) -> str:
        return f"{self._base_url}{path}"

    def _own_link(self, purpose: OwnLink, row: DueReminder) -> str:
        return self._page(path_of(purpose, row.id, row.nonce, link_key=self._link_key))

    def _account_link(self, link: Link) -> str:
        token = make_token(self._link_key, link.purpose, link.id, link.nonce)
        place = "invitation" if link.purpose is LinkPurpose.INVITATION else "new-password"
        return f"{self._base_url}/{place}/{token}"

    def _supporter(self, row: DueReminder) -> str:
        course = self._scene.course_of(row)
        return course.supporter_called if course else "Your supporter"

    def _writer(self, row: DueReminder) -> str:
        message = self._scene.messages.get(number_in(row.subject, "message") or 0)
        return message.author_called if message else self._supporter(row)

    def _initials(self, row: DueReminder) -> str:
        course = self._scene.course_of(row)
        return initials_of(course.patient_full_name) if course else "Somebody"

    def _day_of(self, at: datetime, person: Person) -> str:
        return day_words(to_local(at, person.zone))

    def _told_by(self, review_id: int, person: Person) -> str:
        """By when a late review gets a new date, as the person's own page says it: 12pm on Friday."""
        at = to_local(told_by_at(db.session.get_one(Review, review_id), now=self._now), person.zone)
        return f"{clock_words(at)} on {at:%A}"


_FACTS: dict[ReminderKind, Callable[[Wording, DueReminder, Person], dict[str, Any]]] = {
    K.RISK_ALERT: Wording.risk_alert,
    K.NOBODY_ON_DUTY: Wording.nobody_on_duty,
    K.QUEUE_STALLED: Wording.queue_stalled,
    K.INVITATION: Wording.account_link,
    K.PASSWORD_RESET: Wording.account_link,
    K.SECURITY_NOTICE: Wording.security_notice,
    K.SAMPLE: Wording.sample,
    K.WELCOME: Wording.letter_news,
    K.REVIEW_READY: Wording.letter_news,
    K.REVIEW_LATE: Wording.review_news,
    K.REVIEW_MOVED: Wording.review_news,
    K.NEW_WRITER: Wording.new_writer,
    K.MESSAGE: Wording.message,
    K.MESSAGE_LATE: Wording.message_late,
    K.STAFF_MESSAGE: Wording.staff_about_patient,
    K.STAFF_MESSAGE_LATE: Wording.staff_message_late,
    K.STAFF_REVIEW_WARNING: Wording.staff_review,
    K.STAFF_REVIEW_LATE: Wording.staff_review,
    K.STAFF_CALL_TASK: Wording.staff_about_patient,
    K.STAFF_HAND_OVER: Wording.staff_hand_over,
    K.AGREED_STEP: Wording.agreed_step,
    K.CHECK_IN: Wording.check_in,
    K.SESSION: Wording.session,
    K.NUDGE: Wording.nudge,
    K.START_PROMPT: Wording.start_prompt,
    K.BOOSTER: Wording.booster,
    K.COURSE_NEWS: Wording.course_news,
    K.STAFF_COURSE_NEWS: Wording.staff_course_news,
    K.REPORT_ANSWERED: Wording.report_answered,
    K.STAFF_REPORT: Wording.staff_report,
    K.STAFF_DIGEST: Wording.staff_digest,
    K.LEADS_WEEKLY: Wording.leads_weekly,
}
