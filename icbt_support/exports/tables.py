"""Every table that can be taken away, column by column: the files and the data dictionary both come from here.

No column holds what a patient typed, a letter, a note or a contact sheet. People are their course's number; a
name comes only with `PATIENT_NAME`, where it is asked for. No column says who of the staff did
something: time spent is for the log of one person's treatment and for totals, never for comparing colleagues.
"""

from sqlalchemy import (
    String,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
)

from icbt_support.accounts.models import Role
from icbt_support.enrolments.models import Enrolment
from icbt_support.exports.columns import (
    CHOICE,
    DAY,
    FOR_ADMINISTRATORS_TOO,
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
from icbt_support.exports.treatment import THERAPY_LOG, TREATMENT_CONTACTS
from icbt_support.measures.models import FinishedCheckIn, Questionnaire
from icbt_support.plan.models import ItemState, PlanItem, Week
from icbt_support.reminders.models import Reminder
from icbt_support.reminders.rules import ReminderClass
from icbt_support.reviews.models import Review

ENROLMENTS = ExportTable(
    slug="enrolments",
    title="Enrolments",
    about="One row for each course of care.",
    columns=(
        *PERSON,
        ExportColumn(
            "programme_version", TEXT, Enrolment.programme_version, "The version of the programme."
        ),
        ExportColumn("state", CHOICE, Enrolment.state, "Where the course stands now."),
        ExportColumn("invited_at", MOMENT, Enrolment.invited_at, "When the person was invited."),
        ExportColumn(
            "started_at", MOMENT, Enrolment.started_at, "When the first week began. Empty: not yet.",
            "Start date of the therapy",
        ),
        ExportColumn(
            "ended_at", MOMENT, Enrolment.ended_at, "When the course ended. Empty: it is still open.",
            "End date of the therapy",
        ),
        ExportColumn(
            "end_code", CHOICE, Enrolment.end_code,
            "Why it ended. 46, 47 and 48 are the end codes of NHS Talking Therapies.", "Reason for ending",
        ),
        ExportColumn("days_between_reviews", NUMBER, Enrolment.cadence_days, "7: weekly. 14: fortnightly."),
        ExportColumn(
            "weeks_opened",
            NUMBER,
            select(func.count(Week.id)).where(Week.enrolment_id == Enrolment.id).scalar_subquery(),
            "How many weeks of the plan have opened.",
        ),
    ),
    rows=Enrolment.__table__,
    dated_by=Enrolment.invited_at,
    dated_words="the day of the invitation",
    order=(Enrolment.id,),
)  # fmt: skip


def _items_of_week(*only: Source) -> Source:
    return select(func.count(PlanItem.id)).where(PlanItem.week_id == Week.id, *only).scalar_subquery()


WEEKS = ExportTable(
    slug="weeks",
    title="Weeks",
    about="One row for each week of the plan of each person.",
    columns=(
        *PERSON,
        ExportColumn("week", NUMBER, Week.number, "The number of the week in the course.", "Session number"),
        ExportColumn("module", TEXT, Week.module, "The module of that week.", "Module"),
        ExportColumn("opened_at", MOMENT, Week.opened_at, "When the week opened."),
        ExportColumn("opened_because", CHOICE, Week.opened_because, "What opened it."),
        ExportColumn("review_on", DAY, Week.review_on, "The day by which its review was promised."),
        ExportColumn("closed_at", MOMENT, Week.closed_at, "When the week closed. Empty: it is open."),
        ExportColumn("items_planned", NUMBER, _items_of_week(), "How many things the plan held."),
        ExportColumn(
            "items_done", NUMBER, _items_of_week(PlanItem.state == ItemState.DONE),
            "How many of them were marked as done. The check-in counts by its own column.",
        ),
        ExportColumn(
            "check_in_finished_at",
            MOMENT,
            select(FinishedCheckIn.finished_at)
            .where(
                FinishedCheckIn.enrolment_id == Week.enrolment_id, FinishedCheckIn.week_number == Week.number
            )
            .scalar_subquery(),
            "When the questionnaires of the week were done. Empty: they were not.",
        ),
    ),
    rows=WEEKS_OF_PEOPLE,
    dated_by=Week.opened_at,
    dated_words="the day on which the week opened",
    order=(Week.id,),
)  # fmt: skip

REVIEWS = ExportTable(
    slug="reviews",
    title="Reviews",
    about="One row for each review that was owed, whatever became of it. Minutes stand in the therapy log.",
    columns=(
        *PERSON,
        ExportColumn("review", NUMBER, Review.number, "The number of the review in the course."),
        ExportColumn("kind", CHOICE, Review.kind, "Which kind of review."),
        ExportColumn("week", NUMBER, Week.number, "The week that it is about. Empty: none."),
        ExportColumn("module", TEXT, Week.module, "The module of that week.", "Module"),
        ExportColumn("state", CHOICE, Review.state, "What became of it."),
        ExportColumn(
            "first_promised_at", MOMENT, Review.first_promised_at, "The time that the person was told first."
        ),
        ExportColumn("promised_at", MOMENT, Review.promised_at, "The time that was told last."),
        ExportColumn("sent_at", MOMENT, Review.sent_at, "When it was sent. Empty: it was not."),
        ExportColumn(
            "was_on_time",
            YES_NO,
            case(
                (
                    Review.sent_at.is_not(None),
                    and_(Review.told_late_at.is_(None), Review.sent_at <= Review.promised_at),
                ),
                else_=null(),
            ),
            "Whether it was sent by the time promised and nobody had to be told that it is late. Empty: not sent.",
        ),
        ExportColumn("read_at", MOMENT, Review.read_at, "When the person opened it."),
    ),
    rows=Review.__table__.join(Enrolment.__table__, Review.enrolment_id == Enrolment.id).outerjoin(
        Week.__table__, Review.week_id == Week.id
    ),
    dated_by=Review.first_promised_at,
    dated_words="the day promised first",
    order=(Review.id,),
)  # fmt: skip

QUESTIONNAIRES = ExportTable(
    slug="questionnaires",
    title="Questionnaires",
    about="One row for each questionnaire that was begun. One that is not finished has no total.",
    columns=(
        *PERSON,
        ExportColumn("measure", TEXT, Questionnaire.measure, "Which questionnaire.", "Assessment"),
        ExportColumn("occasion", CHOICE, Questionnaire.occasion, "On which occasion it was asked."),
        ExportColumn("week", NUMBER, Questionnaire.week_number, "The week of the course; 0 is before the first."),
        ExportColumn("started_at", MOMENT, Questionnaire.started_at, "When it was begun."),
        ExportColumn(
            "finished_at", MOMENT, Questionnaire.finished_at, "When it was finished. Empty: it was not.",
            "Date of the assessment",
        ),
        ExportColumn("total", NUMBER, Questionnaire.total, "The total.", "Score"),
    ),
    rows=Questionnaire.__table__.join(Enrolment.__table__, Questionnaire.enrolment_id == Enrolment.id),
    dated_by=Questionnaire.started_at,
    dated_words="the day on which it was begun",
    order=(Questionnaire.id,),
)  # fmt: skip

REMINDERS = ExportTable(
    slug="reminders",
    title="Reminders",
    about="One row for each reminder about a course, to the patient or to staff, and what became of it.",
    columns=(
        *PERSON,
        ExportColumn("kind", CHOICE, Reminder.kind, "What it reminds of."),
        ExportColumn("class", CHOICE, Reminder.reminder_class, "How it behaves: only prompts have limits."),
        ExportColumn("channel", CHOICE, Reminder.channel, "Where it goes."),
        ExportColumn(
            "to", TEXT,
            case((Reminder.recipient_id == Enrolment.patient_id, "patient"), else_="staff"), "To whom.",
        ),
        ExportColumn("due_at", MOMENT, Reminder.due_at, "When it is or was due."),
        ExportColumn("state", CHOICE, Reminder.state, "What became of it. handed_over: sent."),
        ExportColumn("reason", TEXT, Reminder.reason, "Why it was held back, withdrawn or given up."),
        ExportColumn("settled_at", MOMENT, Reminder.settled_at, "When that was decided."),
    ),
    rows=Enrolment.__table__.join(
        Reminder.__table__, Reminder.context == literal("enrolment:") + cast(Enrolment.id, String)
    ),
    dated_by=Reminder.due_at,
    dated_words="the day on which it was due",
    order=(Enrolment.id, Reminder.due_at, Reminder.id),
)  # fmt: skip

SENDING = ExportTable(
    slug="sending",
    title="Sending, without people",
    about=(
        "One row for each reminder of the service: no person, no course, not what it was about. Urgent notices "
        "are left out."
    ),
    columns=(
        ExportColumn("due_on", DAY, Reminder.due_at, "The day on which it was due."),
        ExportColumn("class", CHOICE, Reminder.reminder_class, "How it behaves: only prompts have limits."),
        ExportColumn("channel", CHOICE, Reminder.channel, "Where it goes."),
        ExportColumn("state", CHOICE, Reminder.state, "What became of it. handed_over: sent."),
    ),
    rows=Reminder.__table__,
    dated_by=Reminder.due_at,
    dated_words="the day on which it was due",
    order=(Reminder.id,),
    only=(Reminder.reminder_class != ReminderClass.URGENT,),
    service=Reminder.service_id,
    programme=None,
    readers=FOR_ADMINISTRATORS_TOO,
)

MINUTES = ExportTable(
    slug="minutes",
    title="Minutes",
    about=(
        "One row for each calendar week: the team together, never one supporter. Always whole weeks and every "
        "programme, so that no two files can be subtracted from each other."
    ),
    columns=(
        ExportColumn("week_from", DAY, null(), "The Monday of the week."),
        ExportColumn("reviews_sent", NUMBER, null(), "How many reviews were sent."),
        ExportColumn("reviews_with_minutes", NUMBER, null(), "At how many of them the minutes were said."),
        ExportColumn(
            "minutes", NUMBER, null(), "Those minutes together. Empty where fewer than two people said any."
        ),
    ),
    rows=Review.__table__,
    dated_by=Review.sent_at,
    dated_words="the day on which the review was sent",
    order=(Review.sent_at, Review.id),
    only=(Review.sent_at.is_not(None),),
    service=Review.service_id,
    programme=None,
    readers=FOR_ADMINISTRATORS_TOO,
)


EXPORT_TABLES = (
    THERAPY_LOG,
    ENROLMENTS,
    WEEKS,
    REVIEWS,
    QUESTIONNAIRES,
    TREATMENT_CONTACTS,
    MINUTES,
    REMINDERS,
    SENDING,
)
DICTIONARY_HEADS = ("table", "about", "column", "kind", "meaning", "values", "therapy_log_column", "dated_by")


def tables_for(role: Role) -> tuple[ExportTable, ...]:
    """What somebody in this role may take away. An administrator never gets a row about one person."""
    return tuple(table for table in EXPORT_TABLES if role in table.readers)


def dictionary_rows(tables: tuple[ExportTable, ...]) -> list[tuple[str, ...]]:
    """The data dictionary: one row for each column of each table."""
    return [
        (
            table.slug,
            table.about,
            column.name,
            column.kind.value,
            column.meaning,
            column.choices,
            column.feeds,
            table.dated_words,
        )
        for table in tables
        for column in table.columns
    ]
