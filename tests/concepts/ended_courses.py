"""Ended courses as plain rows: what figures are made of, without living through every week."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icbt_support.contacts.models import ContactKind, TreatmentContact
from icbt_support.db import db
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState, Purpose
from icbt_support.measures.models import Occasion, Questionnaire
from icbt_support.plan.models import OpenedBecause, Week
from tests.cast import PROGRAMME, Cast

STARTED = datetime(2026, 8, 3, 9, tzinfo=UTC)
FIRST_CONTACT = STARTED + timedelta(days=10)


@dataclass
class EndedCourses:
    """Adds ended courses of the cast's patient at Northfield."""

    cast: Cast

    def course(
        self,
        first: tuple[int | None, int | None] = (17, 12),
        last: tuple[int | None, int | None] = (8, 6),
        *,
        contacts: int = 2,
        end_code: EndCode = EndCode.AGREED,
        ended_at: datetime = datetime(2026, 10, 20, 12, tzinfo=UTC),
        purpose: Purpose = Purpose.CARE,
        module: str = "getting-started",
    ) -> Enrolment:
        cast = self.cast
        enrolment = Enrolment(
            service_id=cast.service.id,
            patient_id=cast.patient.id,
            supporter_id=cast.supporter.id,
            clinician_id=cast.clinician.id,
            programme_slug=PROGRAMME,
            programme_version=cast.enrolment.programme_version,
            purpose=purpose,
            state=EnrolmentState.ENDED,
            invited_at=STARTED - timedelta(days=3),
            started_at=None if end_code is EndCode.NEVER_STARTED else STARTED,
            ended_at=ended_at,
            end_code=end_code,
        )
        db.session.add(enrolment)
        db.session.flush()
        for number in range(contacts):
            confirm(enrolment, FIRST_CONTACT + timedelta(weeks=number))
        for measure, total in zip(("phq-9", "gad-7"), first, strict=True):
            answer(enrolment, measure, 0, total, STARTED)
        for measure, total in zip(("phq-9", "gad-7"), last, strict=True):
            answer(enrolment, measure, 5, total, FIRST_CONTACT + timedelta(weeks=4))
        if end_code is not EndCode.NEVER_STARTED:
            db.session.add(
                Week(
                    enrolment_id=enrolment.id,
                    number=1,
                    module=module,
                    opened_on=STARTED.date(),
                    review_on=FIRST_CONTACT.date(),
                    opened_at=STARTED,
                    opened_because=OpenedBecause.REVIEW_SENT,
                )
            )
        db.session.flush()
        return enrolment


def confirm(enrolment: Enrolment, contact_at: datetime, *, is_confirmed: bool = True) -> None:
    db.session.add(
        TreatmentContact(
            service_id=enrolment.service_id,
            enrolment_id=enrolment.id,
            kind=ContactKind.ASSESSMENT,
            contact_at=contact_at,
            recorded_by=enrolment.clinician_id,
            recorded_at=contact_at,
            decided_by=enrolment.clinician_id,
            confirmed_at=contact_at if is_confirmed else None,
            not_counted_at=None if is_confirmed else contact_at,
        )
    )
    db.session.flush()


def answer(
    enrolment: Enrolment,
    measure: str,
    week_number: int,
    total: int | None,
    finished_at: datetime,
    occasion: Occasion | None = None,
) -> None:
    """A finished questionnaire; without a total it was begun and never finished."""
    db.session.add(
        Questionnaire(
            enrolment_id=enrolment.id,
            measure=measure,
            occasion=occasion or (Occasion.CHECK_IN if week_number else Occasion.BASELINE),
            week_number=week_number,
            started_at=finished_at,
            finished_at=None if total is None else finished_at,
            total=total,
        )
    )
    db.session.flush()
