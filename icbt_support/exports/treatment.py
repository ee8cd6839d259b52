"""What counts as treatment, and the log of internet-enabled therapy that it fills."""

from sqlalchemy import (
    FromClause,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from icbt_support.contacts.models import ContactKind, TreatmentContact
from icbt_support.contacts.queries import is_waiting_call, is_waiting_review
from icbt_support.db import UtcDateTime
from icbt_support.enrolments.models import Enrolment
from icbt_support.exports.columns import (
    CHOICE,
    MOMENT,
    NUMBER,
    PERSON,
    TEXT,
    WEEKS_OF_PEOPLE,
    YES_NO,
    ExportColumn,
    ExportTable,
    Source,
)
from icbt_support.measures.models import Questionnaire
from icbt_support.plan.models import Week
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.risk.models import CallLog


def _total_of(measure: str, week_number: Source) -> Source:
    asked = aliased(Questionnaire)
    return (
        select(asked.total)
        .where(asked.enrolment_id == Enrolment.id, asked.measure == measure, asked.week_number == week_number)
        .scalar_subquery()
    )


def _all_contacts() -> FromClause:
    """What clinicians decided about, and what still waits for them: sent reviews (not welcomes) and calls
    that were answered."""
    decided = select(
        TreatmentContact.enrolment_id,
        TreatmentContact.kind,
        TreatmentContact.contact_at,
        TreatmentContact.minutes,
        case((TreatmentContact.confirmed_at.is_not(None), 1), else_=0).label("is_confirmed"),
        func.coalesce(
            TreatmentContact.confirmed_at, TreatmentContact.not_counted_at, type_=UtcDateTime()
        ).label("decided_at"),
    )
    undecided = (literal(0), cast(null(), UtcDateTime))
    reviews = select(
        Review.enrolment_id,
        literal(ContactKind.REVIEW_SENT.value),
        Review.sent_at,
        Review.minutes,
        *undecided,
    ).where(is_waiting_review())
    calls = select(
        CallLog.enrolment_id,
        literal(ContactKind.CALL_ANSWERED.value),
        CallLog.called_at,
        CallLog.minutes,
        *undecided,
    ).where(is_waiting_call())
    return union_all(decided, reviews, calls).subquery("contacts")


_CONTACTS = _all_contacts()
TREATMENT_CONTACTS = ExportTable(
    slug="treatment-contacts",
    title="Treatment contacts",
    about=(
        "One row for each contact: reviews that were sent, calls that were answered, and what clinicians wrote "
        "down. Only a clinician's yes makes one count. A sign-in is never a contact."
    ),
    columns=(
        *PERSON,
        ExportColumn("kind", CHOICE, _CONTACTS.c.kind, "Which kind of contact.", "Kind of contact"),
        ExportColumn("contact_at", MOMENT, _CONTACTS.c.contact_at, "When it was.", "Date of the contact"),
        ExportColumn(
            "minutes", NUMBER, _CONTACTS.c.minutes, "How long it took, where that was said.",
            "Therapist's time for this person, in minutes",
        ),
        ExportColumn(
            "confirmed", YES_NO, _CONTACTS.c.is_confirmed, "Whether a clinician confirmed that it counts.",
            "Whether the contact counts",
        ),
        ExportColumn("decided_at", MOMENT, _CONTACTS.c.decided_at, "When that was decided. Empty: not yet."),
    ),
    rows=_CONTACTS.join(Enrolment.__table__, _CONTACTS.c.enrolment_id == Enrolment.id),
    dated_by=_CONTACTS.c.contact_at,
    dated_words="the day of the contact",
    order=(Enrolment.id, _CONTACTS.c.contact_at, _CONTACTS.c.kind),
)  # fmt: skip


def _is_confirmed_contact() -> Source:
    return (
        select(case((TreatmentContact.confirmed_at.is_not(None), 1), else_=0))
        .where(TreatmentContact.review_id == Review.id)
        .scalar_subquery()
    )


THERAPY_LOG = ExportTable(
    slug="therapy-log",
    title="Therapy log",
    about=(
        "One row for each week of each person with the review that was sent for it: what an "
        "internet-enabled-therapy log asks for, side by side."
    ),
    columns=(
        *PERSON,
        ExportColumn(
            "programme_version", TEXT, Enrolment.programme_version, "The version of the programme."
        ),
        ExportColumn(
            "course_started_at", MOMENT, Enrolment.started_at, "When the first week began.",
            "Start date of the therapy",
        ),
        ExportColumn(
            "course_ended_at", MOMENT, Enrolment.ended_at, "When the course ended. Empty: it is open.",
            "End date of the therapy",
        ),
        ExportColumn("end_code", CHOICE, Enrolment.end_code, "Why it ended.", "Reason for ending"),
        ExportColumn("week", NUMBER, Week.number, "The number of the week in the course.", "Session number"),
        ExportColumn("module", TEXT, Week.module, "The module of that week.", "Module"),
        ExportColumn("opened_at", MOMENT, Week.opened_at, "When the week opened.", "Date of the session"),
        ExportColumn("closed_at", MOMENT, Week.closed_at, "When the week closed. Empty: it is open."),
        ExportColumn(
            "reviewed_at", MOMENT, Review.sent_at, "When its review was sent. Empty: none was.",
            "Date of the therapist's contact",
        ),
        ExportColumn(
            "minutes", NUMBER, Review.minutes,
            "Minutes that the supporter said the review took. Empty: not said.",
            "Therapist's time for this person, in minutes",
        ),
        ExportColumn(
            "counts_as_contact", YES_NO, _is_confirmed_contact(),
            "Whether a clinician confirmed this review as a treatment contact. Empty: not decided yet.",
            "Whether the contact counts",
        ),
        *(
            ExportColumn(
                f"{short}_{when}", NUMBER, _total_of(measure, week),
                f"{name} {words}. Empty: not finished.", f"{name} score",
            )
            for measure, short, name in (("phq-9", "phq9", "PHQ-9"), ("gad-7", "gad7", "GAD-7"))
            for when, week, words in (
                ("at_start", literal(0), "before the first week"),
                ("of_week", Week.number, "at the check-in of this week"),
            )
        ),
    ),
    rows=WEEKS_OF_PEOPLE.outerjoin(
        Review.__table__, and_(Review.week_id == Week.id, Review.state == ReviewState.SENT)
    ),
    dated_by=Week.opened_at,
    dated_words="the day on which the week opened",
    order=(Week.id, Review.id),
)  # fmt: skip
