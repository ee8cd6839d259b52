"""The verbs of risk.

Each alert, its audit line and its notices land in the caller's transaction, or none of them.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from icbt_support.audit.models import Actor, ActorKind
from icbt_support.audit.operations import record
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.posted_once import add_once, key_of_post
from icbt_support.reminders.operations import withdraw_reminders
from icbt_support.reminders.rules import ReminderKind
from icbt_support.risk import notices, rules
from icbt_support.risk.models import (
    AlertSource,
    CallLog,
    CallOutcome,
    Grade,
    RiskAlert,
    RiskAssessment,
    SafetyAnswer,
)
from icbt_support.risk.queries import alert_by_key, latest_assessment

ESCALATED_AT_ONCE = 200
RISK_CLOCK = Actor.system("risk clock")
_RANK = {Grade.KNOWN: 0, Grade.SAME_DAY: 1, Grade.URGENT: 2}


class OnlyAPersonMay(Exception):
    """Acknowledging and resolving are never done by a job, a command or the passing of time."""


class NoteMissing(Exception):
    """An alert is taken, and closed, with words."""


class AlreadyTaken(Exception):
    """Another person has acknowledged this alert."""

    def __init__(self, alert: RiskAlert) -> None:
        super().__init__(f"alert {alert.id}")
        self.alert = alert


class AlreadyResolved(Exception):
    """This alert was resolved before."""

    def __init__(self, alert: RiskAlert) -> None:
        super().__init__(f"alert {alert.id}")
        self.alert = alert


def hold_course(enrolment_id: int) -> None:
    """Lets one writer at a time act on a course, so that the same form posted twice at once is one row, not
    an error.
    """
    db.session.execute(
        select(Enrolment.id).where(Enrolment.id == enrolment_id).with_for_update(key_share=True)
    )


# Raising ----------------------------------------------------------------------------------------------------


def raise_item_9_alert(
    enrolment: Enrolment, *, answer: int, before: int | None, source_key: str, by: Actor, now: datetime
) -> RiskAlert:
    """One alert for one stored positive answer (`source_key`); the same key again returns the same alert.

    `before` is the answer of the questionnaire before this one, or None.
    """
    hold_course(enrolment.id)
    known = alert_by_key(enrolment.id, AlertSource.ITEM_9, source_key)
    if known is not None:
        return known
    alert_grade = rules.grade(answer, before, None, _assessed(enrolment.id), now, _thresholds(enrolment))
    alert = RiskAlert(source=AlertSource.ITEM_9, answer=answer, answer_before=before, grade=alert_grade)
    return _raise(enrolment, alert, source_key, by, now)


def answer_safety_question(
    alert: RiskAlert, answer: SafetyAnswer, *, posted_key: str, by: Actor, now: datetime
) -> RiskAlert:
    """Keeps the answer to "Can you keep yourself safe right now?". It can raise the grade and never lowers
    it.

    When somebody has already taken the alert, *no* and *not sure* raise a new one, each time that they are
    said, so that somebody is told as well. The same form (`posted_key`) posted twice says it once.
    """
    _lock(alert)
    is_unsafe = answer is not SafetyAnswer.YES
    if alert.is_taken and is_unsafe:
        words = f"Can you keep yourself safe right now? {rules.SAFETY_ANSWER_WORDS[answer]}."
        return raise_stated_risk(
            alert.enrolment,
            words,
            source_key=f"safety:{key_of_post(posted_key, words)}",
            by=by,
            now=now,
        )
    if alert.can_keep_safe is answer:
        return alert
    alert.can_keep_safe = answer
    _record("safety_question_answered", alert, by, now, detail=answer)
    if is_unsafe and _RANK[alert.grade] < _RANK[Grade.URGENT]:
        alert.grade = Grade.URGENT
        alert.escalation += 1
        notices.tell_first(alert, by=by, now=now)
    db.session.flush()
    return alert


def raise_stated_risk(
    enrolment: Enrolment, words: str, *, by: Actor, now: datetime, source_key: str = ""
) -> RiskAlert:
    """A person said that they are not safe: urgent. Without a `source_key` the instant makes it one."""
    key = source_key or f"at:{now.isoformat()}"
    hold_course(enrolment.id)
    known = alert_by_key(enrolment.id, AlertSource.STATED, key)
    if known is not None:
        return known
    alert = RiskAlert(source=AlertSource.STATED, grade=Grade.URGENT, words=words)
    return _raise(enrolment, alert, key, by, now)


def raise_concern(
    enrolment: Enrolment, words: str, concern_grade: Grade, *, posted_key: str, by: Actor, now: datetime
) -> RiskAlert:
    """A member of staff is worried about somebody: urgent or same day, as they judge."""
    if not words.strip():
        raise NoteMissing
    if concern_grade is Grade.KNOWN:
        raise ValueError("A concern is urgent or same day.")
    hold_course(enrolment.id)
    source_key = key_of_post(posted_key, words)
    known = alert_by_key(enrolment.id, AlertSource.CONCERN, source_key)
    if known is not None:
        return known
    alert = RiskAlert(source=AlertSource.CONCERN, grade=concern_grade, words=words)
    return _raise(enrolment, alert, source_key, by, now)


def _raise(enrolment: Enrolment, alert: RiskAlert, source_key: str, by: Actor, now: datetime) -> RiskAlert:
    alert.service_id = enrolment.service_id
    alert.enrolment = enrolment
    alert.source_key = source_key
    alert.raised_at = now
    alert.escalation = 0
    db.session.add(alert)
    db.session.flush()
    _record("risk_alert_raised", alert, by, now, detail=f"{alert.source}, {alert.grade}")
    if alert.grade is not Grade.KNOWN:
        notices.tell_first(alert, by=by, now=now)
    db.session.flush()
    return alert


# The clock --------------------------------------------------------------------------------------------------


def escalate_due_alerts(*, now: datetime, by: Actor = RISK_CLOCK) -> int:
    """Tells the next person of every alert whose time has run out unacknowledged.

    Returns how many went on.
    """
    due = db.session.scalars(
        select(RiskAlert)
        .where(RiskAlert.acknowledged_at.is_(None), RiskAlert.escalates_at <= now)
        .order_by(RiskAlert.escalates_at, RiskAlert.id)
        .limit(ESCALATED_AT_ONCE)
        .with_for_update(skip_locked=True, of=RiskAlert)
        .options(joinedload(RiskAlert.enrolment).joinedload(Enrolment.service))
    ).all()
    escalated = sum(notices.tell_next(alert, by=by, now=now) for alert in due)
    db.session.flush()
    return escalated


def move_alerts_to(enrolment: Enrolment, supporter_id: int, *, by: Actor, now: datetime) -> int:
    """The new supporter is told of every open alert; none is closed. Returns how many there are."""
    alerts = db.session.scalars(
        select(RiskAlert)
        .where(RiskAlert.enrolment_id == enrolment.id, RiskAlert.resolved_at.is_(None))
        .order_by(RiskAlert.id)
        .with_for_update()
    ).all()
    for alert in alerts:
        notices.tell_new_supporter(alert, supporter_id, now=now)
        _record("risk_alert_handed_over", alert, by, now, detail=f"account {supporter_id}")
    db.session.flush()
    return len(alerts)


# What people do about it ------------------------------------------------------------------------------------


def acknowledge_alert(alert: RiskAlert, note: str, *, by: Actor, now: datetime) -> None:
    """A person takes the alert and writes what they will do; the clock stops."""
    account_id = _person(by)
    if not note.strip():
        raise NoteMissing
    _lock(alert)
    if alert.is_taken:
        raise AlreadyTaken(alert)
    _take(alert, account_id, note, now)
    _record("risk_alert_acknowledged", alert, by, now)
    db.session.flush()


def resolve_alert(
    alert: RiskAlert, spoken_to: str, agreed: str, others_told: str, *, by: Actor, now: datetime
) -> None:
    """A person closes the alert: who was spoken to, what was agreed, who else was told.

    All three are needed.
    """
    account_id = _person(by)
    if not (spoken_to.strip() and agreed.strip() and others_told.strip()):
        raise NoteMissing
    _lock(alert)
    if alert.resolved_at is not None:
        raise AlreadyResolved(alert)
    if not alert.is_taken:
        _take(alert, account_id, agreed, now)
    alert.resolved_at = now
    alert.resolved_by = account_id
    alert.spoken_to = spoken_to
    alert.agreed = agreed
    alert.others_told = others_told
    _record("risk_alert_resolved", alert, by, now)
    db.session.flush()


def record_assessment(
    enrolment: Enrolment,
    answer: int,
    assessment: str,
    plan: str,
    *,
    by: Actor,
    now: datetime,
    posted_key: str = "",
) -> RiskAssessment:
    """A clinician's assessment and plan; posted twice, it is one.

    The same answer or a lower one is *known* for the next four weeks.
    """
    account_id = _person(by)
    if not (assessment.strip() and plan.strip()):
        raise NoteMissing
    key = key_of_post(posted_key, f"{answer} {assessment} {plan}")
    row = RiskAssessment(
        enrolment_id=enrolment.id,
        answer=answer,
        assessment=assessment,
        plan=plan,
        assessed_at=now,
        assessed_by=account_id,
        posted_key=key,
    )
    same = select(RiskAssessment).where(
        RiskAssessment.enrolment_id == enrolment.id, RiskAssessment.posted_key == key
    )
    row, is_new = add_once(row, same)
    if not is_new:
        return row
    record(
        "risk_assessment_recorded",
        by=by,
        now=now,
        object_kind="risk_assessment",
        object_id=row.id,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
    )
    return row


def log_call(
    enrolment: Enrolment,
    outcome: CallOutcome,
    note: str,
    minutes: int | None,
    *,
    by: Actor,
    now: datetime,
    alert: RiskAlert | None = None,
    posted_key: str = "",
) -> CallLog:
    """A call to a patient, answered or not; `alert` if it was about one. Posted twice, it is one try."""
    key = key_of_post(posted_key, f"{outcome} {minutes} {note}")
    call = CallLog(
        enrolment_id=enrolment.id,
        alert_id=alert.id if alert else None,
        outcome=outcome,
        note=note,
        minutes=minutes,
        called_at=now,
        called_by=_person(by),
        posted_key=key,
    )
    same = select(CallLog).where(CallLog.enrolment_id == enrolment.id, CallLog.posted_key == key)
    call, is_new = add_once(call, same)
    if not is_new:
        return call
    record(
        "call_logged",
        by=by,
        now=now,
        object_kind="call",
        object_id=call.id,
        enrolment_id=enrolment.id,
        service_id=enrolment.service_id,
        detail=outcome,
    )
    return call


# ------------------------------------------------------------------------------------------------------------


def _lock(alert: RiskAlert) -> None:
    """Reads the row again and holds it, so that two people cannot both act on what they saw."""
    db.session.refresh(alert, with_for_update=True)


def _take(alert: RiskAlert, account_id: int, note: str, now: datetime) -> None:
    alert.acknowledged_at = now
    alert.acknowledged_by = account_id
    alert.acknowledgement = note
    alert.escalates_at = None
    withdraw_reminders(
        now=now, reason="acknowledged", subject=f"alert:{alert.id}", kinds=(ReminderKind.RISK_ALERT,)
    )


def _person(by: Actor) -> int:
    if by.kind is not ActorKind.PERSON or by.account_id is None:
        raise OnlyAPersonMay
    return by.account_id


def _assessed(enrolment_id: int) -> rules.AssessedAnswer | None:
    newest = latest_assessment(enrolment_id)
    return rules.AssessedAnswer(newest.answer, newest.assessed_at) if newest else None


def _thresholds(enrolment: Enrolment) -> rules.GradeThresholds:
    return rules.GradeThresholds.of(enrolment.service.rhythm)


def _record(action: str, alert: RiskAlert, by: Actor, now: datetime, detail: str = "") -> None:
    record(
        action,
        by=by,
        now=now,
        object_kind="risk_alert",
        object_id=alert.id,
        enrolment_id=alert.enrolment_id,
        service_id=alert.service_id,
        detail=detail,
    )
