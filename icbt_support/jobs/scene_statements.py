"""What a scene is read with: statements that are built once, for building them takes longer than running
them for a few reminders.
"""

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import aliased

from icbt_support.accounts.models import Account, AccountLink, ContactPreferences, LinkPurpose
from icbt_support.db import UtcDateTime
from icbt_support.enrolments.models import Consent, Enrolment
from icbt_support.id_lists import ID_LIST, IdList, among
from icbt_support.measures.models import FinishedCheckIn
from icbt_support.messages.models import Message
from icbt_support.plan.models import PlanItem, Week
from icbt_support.reminders.whole_results import WholeResult
from icbt_support.reviews.models import Review, ReviewLetter, ReviewState
from icbt_support.risk.models import RiskAlert
from icbt_support.service.models import Service

_NUMBERS = bindparam("numbers", type_=IdList())
_SINCE = bindparam("since", type_=UtcDateTime())
_NOW = bindparam("now", type_=UtcDateTime())
_PATIENT, _SUPPORTER = aliased(Account), aliased(Account)
_LINK = (
    AccountLink.id,
    AccountLink.account_id,
    AccountLink.purpose,
    AccountLink.nonce,
    AccountLink.expires_at,
    AccountLink.used_at,
    AccountLink.withdrawn_at,
)

PEOPLE = WholeResult(
    select(
        Account.id,
        Account.email,
        Account.called,
        Account.full_name,
        Account.zone,
        Account.disabled_at,
        Account.address_bounced_at,
        Account.last_signed_in_at,
        ContactPreferences.wording,
        ContactPreferences.prompts,
        ContactPreferences.quiet_from,
        ContactPreferences.quiet_until,
    )
    .outerjoin(ContactPreferences, ContactPreferences.account_id == Account.id)
    .where(among(Account.id, ID_LIST))
)
COURSES = WholeResult(
    select(
        Enrolment.id,
        Enrolment.state,
        Enrolment.started_at,
        Enrolment.starts_on,
        Enrolment.back_at,
        Enrolment.patient_id,
        Enrolment.supporter_id,
        Enrolment.clinician_id,
        _SUPPORTER.called,
        _PATIENT.full_name,
    )
    .join(_PATIENT, _PATIENT.id == Enrolment.patient_id)
    .join(_SUPPORTER, _SUPPORTER.id == Enrolment.supporter_id)
    .where(among(Enrolment.id, ID_LIST))
)
HOUSES = WholeResult(
    select(Service.id, Service.name, Service.sender_name, Service.zone, Service.rhythm_settings).where(
        among(Service.id, ID_LIST)
    )
)
ITEMS = WholeResult(
    select(
        PlanItem.id,
        PlanItem.state,
        PlanItem.planned_on,
        PlanItem.planned_time,
        PlanItem.minutes,
        Week.closed_at,
    )
    .join(Week, Week.id == PlanItem.week_id)
    .where(among(PlanItem.id, ID_LIST))
)
TITLES = WholeResult(select(PlanItem.id, PlanItem.title).where(among(PlanItem.id, ID_LIST)))
REVIEWS = WholeResult(
    select(
        Review.id,
        Review.kind,
        Review.state,
        Review.promised_at,
        Review.read_at,
        Review.owner_id,
        Review.pooled_at,
        Review.moved_from_on,
        Review.moved_because,
        Account.called,
        ReviewLetter.opens,
    )
    .join(Account, Account.id == Review.owner_id)
    .outerjoin(ReviewLetter, ReviewLetter.review_id == Review.id)
    .where(among(Review.id, ID_LIST))
)
MESSAGES = WholeResult(
    select(Message.id, Message.read_at, Message.author_id, Account.called)
    .join(Account, Account.id == Message.author_id)
    .where(among(Message.id, ID_LIST))
)
LINKS = WholeResult(select(*_LINK).where(among(AccountLink.id, ID_LIST)))
ALERTS = WholeResult(
    select(RiskAlert.id, RiskAlert.raised_at, RiskAlert.acknowledged_at).where(among(RiskAlert.id, ID_LIST))
)
WEEKS = WholeResult(
    select(Week.enrolment_id, Week.number, Week.closed_at, Week.review_on, Account.called)
    .outerjoin(Review, and_(Review.week_id == Week.id, Review.pooled_at.is_(None)))
    .outerjoin(Account, Account.id == Review.owner_id)
    .where(among(Week.enrolment_id, ID_LIST), among(Week.number, _NUMBERS))
)
CHECK_INS_DONE = WholeResult(
    select(FinishedCheckIn.enrolment_id, FinishedCheckIn.week_number).where(
        among(FinishedCheckIn.enrolment_id, ID_LIST), among(FinishedCheckIn.week_number, _NUMBERS)
    )
)
NEWEST_MESSAGES = WholeResult(
    select(Message.enrolment_id, Message.author_id, func.max(Message.sent_at))
    .where(among(Message.enrolment_id, ID_LIST), Message.sent_at > _SINCE)
    .group_by(Message.enrolment_id, Message.author_id)
)
NEWEST_REVIEWS = WholeResult(
    select(Review.enrolment_id, Review.sent_by, func.max(Review.sent_at))
    .where(among(Review.enrolment_id, ID_LIST), Review.state == ReviewState.SENT, Review.sent_at > _SINCE)
    .group_by(Review.enrolment_id, Review.sent_by)
)
_LAST_CONSENT = (
    select(Consent.enrolment_id, func.max(Consent.id).label("id"))
    .where(among(Consent.enrolment_id, ID_LIST))
    .group_by(Consent.enrolment_id)
    .subquery()
)
WITHOUT_CONSENT = WholeResult(
    select(Consent.enrolment_id).join(
        _LAST_CONSENT, and_(_LAST_CONSENT.c.id == Consent.id, Consent.withdrawn_at.is_not(None))
    )
)
INVITATIONS = WholeResult(
    select(*_LINK)
    .where(
        among(AccountLink.account_id, ID_LIST),
        AccountLink.purpose == LinkPurpose.INVITATION,
        AccountLink.used_at.is_(None),
        AccountLink.withdrawn_at.is_(None),
        AccountLink.expires_at > _NOW,
    )
    .order_by(AccountLink.id)
)
