"""A house in which everybody has written everything: each typed text is a canary that names its owner and its place.

Alex (with Pat) and Sasha (with Chris) are at Northfield, Kim (with Lee) is at Southfield. All are in week 2,
with a letter read, a draft begun, shared and private entries, notes, alerts and calls.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import JSON, Column, Enum, LargeBinary, String, Table, select

from icbt_support.accounts.models import Account, Role
from icbt_support.accounts.operations import describe_supporter
from icbt_support.accounts.portraits import keep_photo
from icbt_support.accounts.queries import staff_with_role
from icbt_support.contacts.models import ContactKind
from icbt_support.contacts.operations import write_down_contact
from icbt_support.db import EncryptedJson, EncryptedText, db
from icbt_support.early_warning.models import EarlyWarningDecision
from icbt_support.early_warning.rules import Sign, WarningChoice
from icbt_support.enrolments.models import Enrolment, EnrolmentChange
from icbt_support.enrolments.operations import ContactDetails, add_note, save_contact_sheet, set_goals
from icbt_support.feedback.operations import answer_report, close_report, report_problem, triage_report
from icbt_support.feedback.rules import AnswerKind, AnswerSide, ReportState
from icbt_support.hours.operations import close_service_on
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
from icbt_support.reviews.drafts import draft_content
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.reviews.operations import keep_text_apart
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
from icbt_support.supervision.rules import Mark, Reason, SupervisionDecision
from icbt_support.tables import METADATA
from tests.cast import Cast, enrol, make_person
from tests.concepts.rhythm_steps import acting, at, letter, preview, send, start_course

Canary = tuple[str, str]
NAMES = ("Alex Reed", "Sasha Vale", "Kim Hill")
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
    "facts",
    "reasons",
}
OF_ONE_SUPPORTER = {"phrase"}
OF_A_SUPPORTER_AND_THEIR_PATIENT = {"about", "photo"}
STAFF = {"supporter", "clinician", "administrator"}
OF_SERVICES = {
    "training": STAFF,
    "group": {"clinician", "administrator"},
    "closure": {"administrator"},
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

WITHOUT_WORDS = {
    "account_links": "nonce",
    "accounts": "email full_name called zone password_hash",
    "activity_events": "subject",
    "activity_people": "modules",
    "audit_lines": "actor_role action object_kind detail address request_id",
    "audit_seals": "merkle_root previous_mac mac",
    "call_logs": "posted_key",
    "colleague_access": "subject",
    "consents": "version",
    "early_warning_decisions": "signs",
    "enrolment_changes": "what from_value to_value",
    "enrolments": "programme_slug programme_version modules_ahead",
    "entries": "tool posted_key",
    "exercise_answers": "module exercise",
    "heartbeats": "process",
    "help_lines": "title href words",
    "inbox_items": "subject context",
    "job_runs": "job did error",
    "job_states": "job purpose every last_did last_error",
    "mailbox_mails": "message_id address data",
    "mailings": "message_id claimed_by claim_token reply",
    "messages": "posted_key",
    "page_reads": "module page",
    "periods_done": "job period",
    "phrases": "posted_key",
    "plan_items": "subject",
    "problem_reports": "posted_key page product_version",
    "questionnaires": "measure",
    "read_first_marks": "subject",
    "reminders": "key subject context wall_zone reason nonce",
    "report_answers": "posted_key",
    "review_letters": "opens",
    "reviews": "moved_because",
    "risk_alerts": "source_key",
    "risk_assessments": "posted_key",
    "service_targets": "stored",
    "services": "name product_name sender_name zone country duty_phone contact_words out_of_hours_words "
    "out_of_hours_contact read_first_phrases rhythm_settings",
    "sign_ins": "token_hash address",
    "supporter_notes": "posted_key",
    "supporter_photos": "image",
    "throttles": "key",
    "trainings": "posted_key",
    "treatment_contacts": "posted_key",
    "weeks": "module",
}
"""Names and addresses, our own keys and words, and what a service says in public."""


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
        self.enrolment.pronouns = self.words("pronouns")
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
            self.words("phrase"),
            f"Well done for [what they did], {{called}}. {self.words('phrase')}",
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
            self.words("training"),
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
                facts=[self.words("facts")],
                choice=WarningChoice.CALL,
                note=self.words("warningnote"),
                decided_at=now,
                decided_by=enrolment.supporter_id,
            )
        )
        meeting = start_meeting(enrolment.supporter, enrolment.service, by=self.clinician, now=now)
        [discussion] = discussions_of(meeting)
        discussion.reasons = [[Reason.RISK_OPEN.value, self.words("reasons")]]
        decide_in_meeting(
            discussion, SupervisionDecision.ADAPT, self.words("supervision"), by=self.clinician, now=now
        )
        [drawn] = letters_of_meeting(meeting)
        marks = dict.fromkeys(TherapistBehaviour, (Mark.SEEN, self.words("letterform")))
        fill_in_form(drawn, marks, self.words("letterform"), by=self.clinician, now=now)
        answer_form(drawn, self.words("formanswer"), by=self.supporter, now=now)
        write_down_contact(enrolment, ContactKind.ASSESSMENT, now, 40, by=self.clinician, now=now)
        self._tell_of_service(now)

    def _tell_of_service(self, now: datetime) -> None:
        """What a service and a supporter say of themselves: for those who are there."""
        service, supporter = self.enrolment.service, self.enrolment.supporter
        add_group(service, self.words("group"), by=self.clinician, now=now)
        closed_on = now.date() + timedelta(days=200 + self.enrolment.id)
        close_service_on(service, closed_on, self.words("closure"), by=self.clinician, now=now)
        describe_supporter(
            supporter, job_title=self.words("about"), about=self.words("about"), by=self.supporter, now=now
        )
        keep_photo(supporter, b"a picture", alt=self.words("photo"), by=self.supporter, now=now)


def columns_with_words() -> list[tuple[Table, Column[object]]]:
    """Every column that could hold somebody's words, but those of which we know that they hold none."""
    kinds = (String, LargeBinary, JSON, EncryptedText, EncryptedJson)
    return [
        (table, column)
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, kinds)
        and not isinstance(column.type, Enum)
        and column.name not in WITHOUT_WORDS.get(table.name, "").split()
    ]


def canaries_in(words: str) -> set[tuple[str, str]]:
    """(owner, place) of every canary in a text."""
    return {tuple(found.group().split("-", 2)[1:]) for found in CANARY.finditer(words)}  # type: ignore[misc]


def is_for_everybody(canary: Canary) -> bool:
    return "everybody" in OF_REPORTS.get(canary[1], set())


def is_of_a_patient(canary: Canary) -> bool:
    """What a service or a supporter says of itself is not, and what is told to everybody is not any more."""
    of_others = OF_SERVICES.keys() | OF_ONE_SUPPORTER | OF_A_SUPPORTER_AND_THEIR_PATIENT
    return canary[1] not in of_others and not is_for_everybody(canary)


def shows_a_patient(words: str) -> bool:
    return any(map(is_of_a_patient, canaries_in(words))) or any(name in words for name in NAMES)
