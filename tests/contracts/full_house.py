"""A house in which everybody has written everything: each typed text is a canary that names its owner and its place.

Alex (with Pat) and Sasha (with Chris) are at Northfield, Kim (with Lee) is at Southfield. All are in week 2,
with a letter read, a draft begun, shared and private entries, notes, alerts and calls.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Column, Table, select

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.contacts.models import ContactKind
from icbt_support.contacts.operations import write_down_contact
from icbt_support.db import EncryptedJson, EncryptedText, Subject, db
from icbt_support.early_warning.models import EarlyWarningDecision
from icbt_support.early_warning.rules import Sign, WarningChoice
from icbt_support.enrolments.models import Enrolment, EnrolmentChange
from icbt_support.enrolments.operations import ContactDetails, add_note, save_contact_sheet, set_goals
from icbt_support.feedback.operations import answer_report, close_report, report_problem, triage_report
from icbt_support.feedback.rules import AnswerKind, AnswerSide, ReportState
from icbt_support.implementation.operations import add_training, record_completion
from icbt_support.implementation.rules import NeededBy
from icbt_support.journal.operations import keep_draft
from icbt_support.measures.models import Occasion
from icbt_support.measures.operations import answer_item, start_questionnaire
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import post_message
from icbt_support.patient_groups.operations import add_group
from icbt_support.phrases.operations import add_phrase
from icbt_support.plan.models import ItemKind, ItemState, PlanItem, Week
from icbt_support.plan.rules import StepChoice
from icbt_support.programme.library import find_programme
from icbt_support.reviews.behaviours import TherapistBehaviour
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.reviews.operations import keep_text_apart
from icbt_support.reviews.rules import draft_content
from icbt_support.rhythm.acts import answer_page_exercise, keep_entry, settle_item
from icbt_support.risk.models import CallOutcome, Grade
from icbt_support.risk.operations import (
    acknowledge_alert,
    log_call,
    raise_concern,
    raise_stated_risk,
    record_assessment,
    resolve_alert,
)
from icbt_support.supervision.letters import letters_of_meeting
from icbt_support.supervision.operations import answer_form, decide_in_meeting, fill_in_form, start_meeting
from icbt_support.supervision.queries import discussions_of
from icbt_support.supervision.rules import Mark, SupervisionDecision
from icbt_support.tables import METADATA
from tests.cast import Cast, enrol, make_person
from tests.concepts.rhythm_steps import acting, at, letter, preview, send, start_course

CANARY = re.compile(r"canary-(alex|sasha|kim)-[a-z]+(?:-[a-z]+)*")
OF_PATIENTS_ALONE = {"privateentry", "exercise"}
OF_STAFF_ALONE = {
    "acknowledgement",
    "assessment",
    "callnote",
    "concern",
    "draft",
    "draftstep",
    "kept",
    "note",
    "plan",
    "spokento",
    "agreed",
    "otherstold",
    "changereason",
    "warningnote",
    "supervision",
    "letterform",
    "formanswer",
}
OF_REPORTS = {
    "report": {"patient", "administrator"},
    "reportanswer": {"patient", "administrator"},
    "reportclosing": {"patient", "administrator"},
    "reportvendor": {"vendor", "administrator"},
    "vendornote": {"vendor", "administrator"},
    "vendoranswer": {"patient", "vendor", "administrator"},
    "reportsaid": {"everybody"},
    "reportdid": {"everybody"},
}


@dataclass(frozen=True)
class House:
    cast: Cast
    sasha: Account
    vendor: Account
    sashas: Enrolment

    @property
    def people(self) -> dict[str, Account]:
        cast = self.cast
        return {
            "alex": cast.patient,
            "sasha": self.sasha,
            "kim": cast.other_patient,
            "pat": cast.supporter,
            "chris": cast.colleague,
            "lee": cast.other_supporter,
            "jo": cast.clinician,
            "max": cast.other_clinician,
            "toni": cast.administrator,
            "vendor": self.vendor,
        }


def furnish(cast: Cast, now: datetime) -> House:
    sasha = make_person("Sasha Vale", Role.PATIENT, cast.service, now)
    vendor = make_person("Vic Trade", Role.VENDOR, cast.service, now)
    sashas = enrol(sasha, cast.colleague, cast.clinician, cast.service, now)
    make_person("Val Else", Role.VENDOR, cast.elsewhere, now)
    cast.service.read_first_phrases = cast.elsewhere.read_first_phrases = ["walk with mo"]
    for enrolment, owner in ((cast.enrolment, "alex"), (sashas, "sasha"), (cast.other_enrolment, "kim")):
        _Living(enrolment, owner).live()
    return House(cast, sasha, vendor, sashas)


@dataclass
class _Living:
    """One patient's fortnight, told by the verbs that pages use."""

    enrolment: Enrolment
    owner: str

    def words(self, place: str) -> str:
        return f"canary-{self.owner}-{place}"

    def live(self) -> None:
        self.patient = acting(self.enrolment.patient, Role.PATIENT)
        self.supporter = acting(self.enrolment.supporter, Role.SUPPORTER)
        self.clinician = acting(self.enrolment.clinician, Role.CLINICIAN)
        self._begin()
        self._write()
        self._talk()
        self._send_and_draft()
        self._worry()
        self._supervise()
        db.session.commit()

    def _begin(self) -> None:
        now = at(5, 9)
        set_goals(self.enrolment, [self.words("goal")], by=self.patient, now=now)
        sheet = ContactDetails(
            phone=f"01632 960123 {self.words('phone')}",
            voicemail_ok=False,
            safe_times=self.words("safetimes"),
            gp=self.words("gp"),
            emergency_contact=self.words("emergency"),
            usually_at=self.words("usuallyat"),
        )
        save_contact_sheet(self.enrolment, sheet, by=self.patient, now=now)
        self.enrolment.end_reason = self.words("endreason")
        change = EnrolmentChange(
            enrolment_id=self.enrolment.id, what="cadence", reason=self.words("changereason"), changed_at=now
        )
        db.session.add(change)
        start_course(self.enrolment, review_at=at(12, 11), now=now)

    def _write(self) -> None:
        now = at(10, 19)
        programme = find_programme(self.enrolment.programme_slug, self.enrolment.programme_version)
        page = next(page for page in programme.modules[0].pages if page.exercise is not None)
        answer_page_exercise(
            self.enrolment,
            programme.modules[0].slug,
            page.exercise.key,
            self.words("exercise"),
            by=self.patient,
            now=now,
        )
        self._write_diary("privateentry", now, is_shared=False)
        keep_draft(
            self.enrolment,
            "thought-record",
            {"situation": self.words("privateentry")},
            posted_key="draftentry",
            by=self.patient,
            now=now,
        )
        self._answer(1, now)

    def _write_diary(self, place: str, now: datetime, *, is_shared: bool) -> None:
        keep_entry(
            self.enrolment,
            "mood-diary",
            {"mood": 2, "doing": self.words(place)},
            is_shared=is_shared,
            posted_key=f"{place}-{now:%d}",
            by=self.patient,
            now=now,
        )

    def _answer(self, week_number: int, now: datetime) -> None:
        programme = find_programme(self.enrolment.programme_slug, self.enrolment.programme_version)
        for slug in programme.check_in:
            measure = programme.measures[slug]
            questionnaire = start_questionnaire(
                self.enrolment,
                measure,
                occasion=Occasion.CHECK_IN,
                week_number=week_number,
                by=self.patient,
                now=now,
            )
            for item in range(1, len(measure.items) + 1):
                answer_item(questionnaire, item, 1, by=self.patient, now=now)

    def _talk(self) -> None:
        said = (
            (self.patient, MessageKind.MESSAGE, "message"),
            (self.patient, MessageKind.QUESTION, "question"),
            (self.supporter, MessageKind.MESSAGE, "reply"),
        )
        for by, kind, place in said:
            post_message(
                self.enrolment, self.words(place), kind=kind, posted_key=place, by=by, now=at(11, 12)
            )
        add_note(self.enrolment, self.words("note"), by=self.supporter, now=at(11, 12))
        add_phrase(
            self.enrolment.service_id,
            "Praise",
            "Well done for [what they did], {called}.",
            owner_id=self.supporter.account_id,
            posted_key=f"phrase-{self.owner}",
            by=self.supporter,
            now=at(11, 12),
        )

    def _send_and_draft(self) -> None:
        step = StepChoice(self.words("step"), self.words("why"), at(15, 9).date(), None)
        first = replace(letter(words=self.words("letter"), next_review_at=at(19, 11)), step=step)
        send(self._owed_review(), first, by=self.supporter, now=at(12, 11))
        review = self._owed_review()
        step = StepChoice(self.words("draftstep"), self.words("draftstep"), at(22, 9).date(), None)
        half = replace(letter(words=self.words("draft"), next_review_at=None), step=step)
        preview(review, half, by=self.supporter, now=at(19, 9))
        kept = draft_content(replace(half, sections=letter(words=self.words("kept")).sections))
        review_id = review.id
        db.session.commit()
        keep_text_apart(review_id, kept, by=self.supporter, now=at(19, 9))
        review = db.session.get_one(Review, review_id)
        review.closed_reason = self.words("changereason")
        item = db.session.scalars(
            select(PlanItem)
            .join(Week)
            .where(
                Week.enrolment_id == self.enrolment.id,
                Week.closed_at.is_(None),
                PlanItem.kind == ItemKind.AGREED_STEP,
            )
        ).one()
        self._write_diary("sharedentry", at(18, 20), is_shared=True)
        self._write_diary("privateentry", at(18, 20), is_shared=False)
        settle_item(item, ItemState.DONE, self.words("itemwords"), by=self.patient, now=at(16, 12))

    def _owed_review(self) -> Review:
        return db.session.scalars(
            select(Review).where(
                Review.enrolment_id == self.enrolment.id,
                Review.state.in_([ReviewState.SCHEDULED, ReviewState.OPEN, ReviewState.DRAFTED]),
            )
        ).one()

    def _worry(self) -> None:
        now = at(17, 12)
        stated = raise_stated_risk(self.enrolment, self.words("stated"), by=self.patient, now=now)
        acknowledge_alert(stated, self.words("acknowledgement"), by=self.clinician, now=now)
        resolve_alert(
            stated,
            self.words("spokento"),
            self.words("agreed"),
            self.words("otherstold"),
            by=self.clinician,
            now=now,
        )
        raise_concern(
            self.enrolment, self.words("concern"), Grade.SAME_DAY, posted_key="c", by=self.supporter, now=now
        )
        record_assessment(
            self.enrolment, 1, self.words("assessment"), self.words("plan"), by=self.clinician, now=now
        )
        log_call(self.enrolment, CallOutcome.SPOKE, self.words("callnote"), 5, by=self.clinician, now=now)
        self._report(now)

    def _report(self, now: datetime) -> None:
        """A patient's report goes the whole way: to the vendor in other words, and back with an answer."""
        service_id = self.enrolment.service_id
        [vendor] = staff_with_role(service_id, Role.VENDOR)
        by_service, by_vendor = self.clinician, acting(vendor, Role.VENDOR)
        report = report_problem(
            self.words("report"),
            page=f"/week/{self.enrolment.id}",
            product_version="1",
            service_id=service_id,
            reported_as=Role.PATIENT,
            by=self.patient,
            now=now,
        )
        triage_report(
            report,
            owner=self.enrolment.clinician,
            vendor_words=self.words("reportvendor"),
            by=by_service,
            now=now,
        )
        for place, kind, side, by in (
            ("reportanswer", AnswerKind.TO_REPORTER, AnswerSide.SERVICE, by_service),
            ("vendoranswer", AnswerKind.TO_REPORTER, AnswerSide.VENDOR, by_vendor),
            ("vendornote", AnswerKind.BETWEEN_US, AnswerSide.VENDOR, by_vendor),
        ):
            answer_report(report, self.words(place), kind=kind, side=side, posted_key=place, by=by, now=now)
        close_report(
            report,
            ReportState.RESOLVED,
            closing_words=self.words("reportclosing"),
            said_words=self.words("reportsaid"),
            did_words=self.words("reportdid"),
            by=by_service,
            now=now,
        )
        training = add_training(
            service_id,
            "Writing reviews",
            needed_by=NeededBy.EVERYBODY,
            valid_months=12,
            posted_key=self.owner,
            by=by_service,
            now=now,
        )
        record_completion(
            training, self.enrolment.supporter, now.date(), today=now.date(), by=self.supporter, now=now
        )

    def _supervise(self) -> None:
        now, enrolment = at(18, 12), self.enrolment
        db.session.add(
            EarlyWarningDecision(
                enrolment_id=enrolment.id,
                signs=Sign.NOT_HERE.value,
                facts=["Not signed in for 9 days"],
                choice=WarningChoice.CALL,
                note=self.words("warningnote"),
                decided_at=now,
                decided_by=enrolment.supporter_id,
            )
        )
        meeting = start_meeting(enrolment.supporter, enrolment.service, by=self.clinician, now=now)
        [discussion] = discussions_of(meeting)
        decide_in_meeting(
            discussion, SupervisionDecision.ADAPT, self.words("supervision"), by=self.clinician, now=now
        )
        [drawn] = letters_of_meeting(meeting)
        marks = dict.fromkeys(TherapistBehaviour, (Mark.SEEN, self.words("letterform")))
        fill_in_form(drawn, marks, self.words("letterform"), by=self.clinician, now=now)
        answer_form(drawn, self.words("formanswer"), by=self.supporter, now=now)
        write_down_contact(enrolment, ContactKind.ASSESSMENT, now, 40, by=self.clinician, now=now)
        add_group(enrolment.service, "18 to 25", by=self.clinician, now=now)


def typed_columns() -> list[tuple[Table, Column[object]]]:
    """Every column in which words of or about a patient stand; a service's own words are about none."""
    return [
        (table, column)
        for table in METADATA.sorted_tables
        if table.info["care"].whose is not Subject.SERVICE
        for column in table.columns
        if isinstance(column.type, EncryptedText | EncryptedJson)
    ]


def canaries_in(words: str) -> set[tuple[str, str]]:
    """(owner, place) of every canary in a text."""
    return {tuple(found.group().split("-", 2)[1:]) for found in CANARY.finditer(words)}  # type: ignore[misc]
