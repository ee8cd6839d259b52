"""What a supporter knows of each person at a glance: four statements, however many people there are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    SelectBase,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import joinedload, load_only

from icbt_support.accounts.models import Account
from icbt_support.activity.models import ActivityPerson
from icbt_support.db import db
from icbt_support.enrolments.models import ColleagueAccess, Enrolment, EnrolmentState
from icbt_support.hours.models import ReviewSlot, SlotBooking
from icbt_support.id_lists import among
from icbt_support.measures.models import FinishedCheckIn, Questionnaire
from icbt_support.messages.models import Message, MessageKind
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.reviews.models import Review, ReviewClaim, ReviewDraft, ReviewState
from icbt_support.risk.models import AlertNotice, CallLog, CallOutcome, NoticeReason, ReadFirst, RiskAlert
from icbt_support.service.models import Service

SCORE_SHOWN = "phq-9"
OWED = (ReviewState.SCHEDULED, ReviewState.OPEN, ReviewState.DRAFTED)
_READ, _LATE = 1, 2
_OUTCOMES = frozenset(CallOutcome)
_TOLD_BECAUSE_OF_DUTY = (NoticeReason.DUTY, NoticeReason.ESCALATION)


@dataclass(frozen=True)
class OwedReview:
    """One owed review, when its draft was last saved, the minutes planned for it in *My hours*, and who is at it."""

    review: Review
    draft_saved_at: datetime | None
    slot_minutes: int | None
    claim: ReviewClaim | None = None


@dataclass(frozen=True)
class OpenAlert:
    """One alert that nobody has resolved, and the clinician who was told of it last."""

    alert: RiskAlert
    told_name: str | None
    told_at: datetime | None


@dataclass(frozen=True)
class WaitingMessage:
    """A patient's message that nobody has read, or a question that nobody has answered; never its words.

    It is late once people were told that nobody has read it.
    """

    kind: MessageKind
    sent_at: datetime
    is_read: bool
    is_late: bool = False


@dataclass(frozen=True)
class OpenedTo:
    """One colleague (None: the pool) who may open a course while this review or message is owed."""

    subject: str
    account_id: int | None


@dataclass(frozen=True)
class WeekNow:
    """The open week, its agreed step if there is one, and when its check-in was finished."""

    week: Week
    step: PlanItem | None
    check_in_finished_at: datetime | None


@dataclass(frozen=True)
class PersonNow:
    """One person of the caseload as they stand now.

    `last_message_at` is when staff last wrote one, `read_first` when each unread mark was set, `calls` when
    somebody rang and what came of it. `opened_to` is who beside the supporter was let in, and because of which
    review or message. `open_reviews` are the numbers of a colleague's reviews that the reader may write or take;
    a guest sees to these, or to a message, alone. `reviews_of_week` stand at the two ends of the open week, by
    number, whatever became of them.
    """

    enrolment: Enrolment
    week: WeekNow | None
    owed: tuple[OwedReview, ...]
    last_sent: Review | None
    alerts: tuple[OpenAlert, ...]
    read_first: tuple[datetime, ...]
    messages: tuple[WaitingMessage, ...]
    scores: tuple[int, ...]
    last_visit_at: datetime | None
    last_message_at: datetime | None = None
    calls: tuple[tuple[datetime, CallOutcome], ...] = ()
    opened_to: tuple[OpenedTo, ...] = ()
    open_reviews: frozenset[int] = frozenset()
    is_guests: bool = False
    reviews_of_week: tuple[Review, ...] = ()

    @property
    def next_owed(self) -> OwedReview | None:
        return self.owed[0] if self.owed else None

    @property
    def unread(self) -> tuple[WaitingMessage, ...]:
        return tuple(message for message in self.messages if not message.is_read)

    @property
    def late_messages(self) -> tuple[WaitingMessage, ...]:
        return tuple(message for message in self.messages if message.is_late)

    @property
    def questions(self) -> tuple[WaitingMessage, ...]:
        return tuple(message for message in self.messages if message.kind is MessageKind.QUESTION)


def load_people(scope: Select[Enrolment]) -> tuple[PersonNow, ...]:
    """Everybody in `scope` whose course is open, and those who left with an alert that is not resolved; by name."""
    weeks = _people_and_weeks(scope)
    enrolments = sorted(weeks, key=lambda one: (one.patient.full_name.casefold(), one.id))
    ids = [enrolment.id for enrolment in enrolments]
    reviews = _reviews(ids)
    alerts = _alerts(ids)
    facts = _small_facts(ids)
    return tuple(
        PersonNow(
            enrolment=enrolment,
            week=weeks[enrolment],
            owed=tuple(reviews.owed[enrolment.id]),
            last_sent=reviews.last_sent.get(enrolment.id),
            alerts=tuple(alerts[enrolment.id]),
            read_first=tuple(facts[enrolment.id].read_first),
            messages=tuple(facts[enrolment.id].messages),
            scores=tuple(facts[enrolment.id].scores),
            last_visit_at=facts[enrolment.id].last_visit_at,
            last_message_at=facts[enrolment.id].last_message_at,
            calls=tuple(facts[enrolment.id].calls),
            opened_to=tuple(facts[enrolment.id].opened_to),
            reviews_of_week=tuple(reviews.of_week[enrolment.id]),
        )
        for enrolment in enrolments
    )


def _people_and_weeks(scope: Select[Enrolment]) -> dict[Enrolment, WeekNow | None]:
    rows = db.session.execute(
        scope.add_columns(Week, PlanItem, FinishedCheckIn.finished_at)
        .outerjoin(Week, and_(Week.enrolment_id == Enrolment.id, Week.closed_at.is_(None)))
        .outerjoin(PlanItem, and_(PlanItem.week_id == Week.id, PlanItem.kind == ItemKind.AGREED_STEP))
        .outerjoin(
            FinishedCheckIn,
            and_(FinishedCheckIn.enrolment_id == Enrolment.id, FinishedCheckIn.week_number == Week.number),
        )
        .where(or_(Enrolment.state != EnrolmentState.ENDED, _has_open_alert()))
        .options(
            joinedload(Enrolment.patient),
            joinedload(Enrolment.supporter),
            joinedload(Enrolment.service).lazyload(Service.help_lines),
            load_only(PlanItem.state, PlanItem.planned_on),
        )
        .order_by(None)
        .order_by(Enrolment.id, Week.number, PlanItem.planned_on, PlanItem.id)
    )
    found: dict[Enrolment, WeekNow | None] = {}
    for enrolment, week, step, finished_at in rows:
        known = found.get(enrolment)
        if known is None or known.week is not week or not _is_planned(known.step):
            found[enrolment] = WeekNow(week, step, finished_at) if week is not None else None
    return found


def _has_open_alert() -> ColumnElement[bool]:
    return (
        select(RiskAlert.id)
        .where(RiskAlert.enrolment_id == Enrolment.id, RiskAlert.resolved_at.is_(None))
        .exists()
    )


def _is_planned(step: PlanItem | None) -> bool:
    return step is not None and step.state is ItemState.PLANNED


def _is_open_week_of(ids: Sequence[int]) -> ColumnElement[bool]:
    """The courses are named once more, or PostgreSQL reads the weeks of the whole service."""
    return and_(
        Week.enrolment_id == Review.enrolment_id, among(Week.enrolment_id, ids), Week.closed_at.is_(None)
    )


@dataclass
class _Reviews:
    owed: dict[int, list[OwedReview]] = field(default_factory=lambda: defaultdict(list))
    last_sent: dict[int, Review] = field(default_factory=dict)
    of_week: dict[int, list[Review]] = field(default_factory=lambda: defaultdict(list))


def _reviews(ids: Sequence[int]) -> _Reviews:
    newest_sent = (
        select(func.max(Review.id))
        .where(among(Review.enrolment_id, ids), Review.state == ReviewState.SENT)
        .group_by(Review.enrolment_id)
    )
    rows = db.session.execute(
        select(Review, ReviewDraft.saved_at, ReviewSlot.minutes_per_review, ReviewClaim, Week.number)
        .outerjoin(Week, _is_open_week_of(ids))
        .outerjoin(ReviewDraft, ReviewDraft.review_id == Review.id)
        .outerjoin(SlotBooking, SlotBooking.id == Review.booking_id)
        .outerjoin(ReviewSlot, ReviewSlot.id == SlotBooking.slot_id)
        .outerjoin(ReviewClaim, and_(ReviewClaim.review_id == Review.id, ReviewClaim.released_at.is_(None)))
        .options(joinedload(Review.owner), joinedload(ReviewClaim.account))
        .where(
            among(Review.enrolment_id, ids),
            or_(Review.state.in_(OWED), Review.id.in_(newest_sent), Review.number >= Week.number - 1),
        )
        .order_by(Review.promised_at, Review.id)
    )
    found = _Reviews()
    for review, saved_at, minutes, claim, week_number in rows:
        if review.is_owed:
            found.owed[review.enrolment_id].append(OwedReview(review, saved_at, minutes, claim))
        elif review.state is ReviewState.SENT:
            found.last_sent[review.enrolment_id] = review
        if week_number is not None and review.number >= week_number - 1:
            found.of_week[review.enrolment_id].append(review)
    for of_week in found.of_week.values():
        of_week.sort(key=lambda review: review.number)
    return found


def _alerts(ids: Sequence[int]) -> dict[int, list[OpenAlert]]:
    rows = db.session.execute(
        select(RiskAlert, Account.full_name, AlertNotice.noticed_at)
        .options(
            load_only(
                RiskAlert.enrolment_id,
                RiskAlert.source,
                RiskAlert.answer,
                RiskAlert.answer_before,
                RiskAlert.grade,
                RiskAlert.raised_at,
                RiskAlert.acknowledged_at,
                RiskAlert.acknowledged_by,
                RiskAlert.resolved_at,
            )
        )
        .outerjoin(
            AlertNotice,
            and_(AlertNotice.alert_id == RiskAlert.id, AlertNotice.reason.in_(_TOLD_BECAUSE_OF_DUTY)),
        )
        .outerjoin(Account, Account.id == AlertNotice.account_id)
        .where(among(RiskAlert.enrolment_id, ids), RiskAlert.resolved_at.is_(None))
        .order_by(RiskAlert.raised_at, RiskAlert.id, AlertNotice.id)
    )
    newest_notice: dict[int, OpenAlert] = {}
    for alert, told_name, told_at in rows:
        newest_notice[alert.id] = OpenAlert(alert, told_name, told_at)
    found: dict[int, list[OpenAlert]] = defaultdict(list)
    for one in newest_notice.values():
        found[one.alert.enrolment_id].append(one)
    return found


@dataclass
class _SmallFacts:
    read_first: list[datetime] = field(default_factory=list)
    messages: list[WaitingMessage] = field(default_factory=list)
    scores: list[int] = field(default_factory=list)
    calls: list[tuple[datetime, CallOutcome]] = field(default_factory=list)
    opened_to: list[OpenedTo] = field(default_factory=list)
    last_visit_at: datetime | None = None
    last_message_at: datetime | None = None


def _small_facts(ids: Sequence[int]) -> dict[int, _SmallFacts]:
    """Marks, waiting messages, scores, calls, last visits and who was let in: small reads as one statement."""
    facts = union_all(
        _visits(ids), _written(ids), _marks(ids), _messages(ids), _scores(ids), _calls(ids), _openings(ids)
    ).subquery()
    found: dict[int, _SmallFacts] = defaultdict(_SmallFacts)
    for what, enrolment_id, at, number in db.session.execute(
        select(facts).order_by(facts.c.enrolment_id, facts.c.at, facts.c.number)
    ):
        fact = found[enrolment_id]
        if what == "visit":
            fact.last_visit_at = at
        elif what == "wrote":
            fact.last_message_at = at
        elif what == "mark":
            fact.read_first.append(at)
        elif what == "score":
            fact.scores.append(number)
        elif what in _OUTCOMES:
            fact.calls.append((at, CallOutcome(what)))
        elif ":" in what:
            fact.opened_to.append(OpenedTo(what, number or None))
        else:
            fact.messages.append(WaitingMessage(MessageKind(what), at, number == _READ, number == _LATE))
    return found


def _visits(ids: Sequence[int]) -> SelectBase:
    return select(
        literal("visit").label("what"),
        ActivityPerson.enrolment_id.label("enrolment_id"),
        ActivityPerson.last_at.label("at"),
        literal(0).label("number"),
    ).where(among(ActivityPerson.enrolment_id, ids))


def _written(ids: Sequence[int]) -> SelectBase:
    """When staff last wrote a message."""
    return (
        select(literal("wrote"), Message.enrolment_id, func.max(Message.sent_at), literal(0))
        .join(Enrolment, Enrolment.id == Message.enrolment_id)
        .where(among(Enrolment.id, ids), Message.author_id != Enrolment.patient_id)
        .group_by(Message.enrolment_id)
    )


def _marks(ids: Sequence[int]) -> SelectBase:
    return select(literal("mark"), ReadFirst.enrolment_id, ReadFirst.marked_at, literal(0)).where(
        among(ReadFirst.enrolment_id, ids), ReadFirst.read_at.is_(None)
    )


def _messages(ids: Sequence[int]) -> SelectBase:
    is_unanswered = and_(Message.kind == MessageKind.QUESTION, Message.answered_at.is_(None))
    return (
        select(
            cast(Message.kind, String),
            Message.enrolment_id,
            Message.sent_at,
            case((Message.read_at.is_not(None), _READ), (Message.told_late_at.is_not(None), _LATE), else_=0),
        )
        .join(Enrolment, Enrolment.id == Message.enrolment_id)
        .where(
            among(Enrolment.id, ids),
            Message.author_id == Enrolment.patient_id,
            or_(Message.read_at.is_(None), is_unanswered),
        )
    )


def _scores(ids: Sequence[int]) -> SelectBase:
    return select(
        literal("score"), Questionnaire.enrolment_id, Questionnaire.finished_at, Questionnaire.total
    ).where(
        among(Questionnaire.enrolment_id, ids),
        Questionnaire.measure == SCORE_SHOWN,
        Questionnaire.total.is_not(None),
    )


def _calls(ids: Sequence[int]) -> SelectBase:
    return select(cast(CallLog.outcome, String), CallLog.enrolment_id, CallLog.called_at, literal(0)).where(
        among(CallLog.enrolment_id, ids)
    )


def _openings(ids: Sequence[int]) -> SelectBase:
    """The subject is "review:7" or "message:7"; 0 stands for the pool."""
    return select(
        ColleagueAccess.subject,
        ColleagueAccess.enrolment_id,
        ColleagueAccess.opened_at,
        func.coalesce(ColleagueAccess.account_id, 0),
    ).where(among(ColleagueAccess.enrolment_id, ids), ColleagueAccess.ended_at.is_(None))
