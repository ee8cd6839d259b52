"""The facts at the head of the workspace and of the person's page: the risk answer first, as answered."""

from dataclasses import dataclass
from datetime import datetime

from icbt_support.accounts.models import Account
from icbt_support.cadence import local_day
from icbt_support.engagement import person
from icbt_support.engagement.knowledge import (
    Knowledge,
    answer_what_is_known,
    know_for_review,
    know_person,
)
from icbt_support.engagement.person import SessionsKept
from icbt_support.enrolments.models import Enrolment
from icbt_support.pages.guards import current_account
from icbt_support.pages.supporter.known_person import KnownPerson, known_person
from icbt_support.pages.supporter.review_scope import programme_of
from icbt_support.programme.content import Measure, Programme
from icbt_support.read_once import read_once
from icbt_support.reviews.models import Review


@dataclass(frozen=True)
class RiskFact:
    """The risk item as answered: "Not at all", "was: several days"."""

    label: str
    words: str
    before: str


@dataclass(frozen=True)
class ScoreFact:
    """One measure since the start: its totals, and how the change compares with a reliable one."""

    title: str
    totals: tuple[int, ...]
    note: str
    is_rising: bool


@dataclass(frozen=True)
class Facts:
    """The strip at the top of the workspace and of the person's page."""

    risk: tuple[RiskFact, ...]
    scores: tuple[ScoreFact, ...]
    sessions: SessionsKept


def workspace_facts(
    review: Review, programme: Programme, *, reader: Account, now: datetime
) -> tuple[Facts, KnownPerson]:
    """The facts of the head and what stands at the left of the letter; the same number of statements always."""
    known = know_now(review, now=now)
    return facts_of(known, programme), known_person(known, programme, review, reader=reader, now=now)


@read_once
def know_now(review: Review, *, now: datetime) -> Knowledge:
    """Loads what is known of the person, and answers with it what other rooms ask for the same page."""
    programme = programme_of(review)
    today = local_day(now, review.enrolment.patient.zone)
    known = know_for_review(review, _risk_items(programme), today=today)
    answer_what_is_known(
        known, review, [module.slug for module in programme.modules], reader_id=current_account().id
    )
    return known


def course_facts(enrolment: Enrolment, programme: Programme, *, now: datetime) -> tuple[Facts, Knowledge]:
    """The facts of the head as they stand now, and what is known, for the page about the whole course."""
    known = know_person(enrolment, _risk_items(programme), today=local_day(now, enrolment.patient.zone))
    return facts_of(known, programme), known


def facts_of(known: Knowledge, programme: Programme) -> Facts:
    measures = [programme.measures[slug] for slug in programme.check_in]
    return Facts(
        risk=tuple(_risk_fact(known, measure) for measure in measures if measure.risk_item),
        scores=tuple(_score_fact(measure, known.totals(measure.slug)) for measure in measures),
        sessions=known.facts.sessions,
    )


def _risk_items(programme: Programme) -> dict[str, int]:
    measures = (programme.measures[slug] for slug in programme.check_in)
    return {measure.slug: measure.risk_item for measure in measures if measure.risk_item}


def _risk_fact(known: Knowledge, measure: Measure) -> RiskFact:
    answer = known.risk_answer(measure.slug)
    words = measure.label_of(answer.value) if answer.value is not None else "Not answered yet"
    before = measure.label_of(answer.before) if answer.before is not None else ""
    return RiskFact(f"Item {measure.risk_item}", words, before[:1].lower() + before[1:])


def _score_fact(measure: Measure, totals: tuple[int, ...]) -> ScoreFact:
    if len(totals) < 2:
        return ScoreFact(measure.title, totals, "", False)
    is_reliable = abs(totals[-1] - totals[0]) >= measure.reliable_change
    size = f"{measure.reliable_change} or more" if is_reliable else f"less than {measure.reliable_change}"
    return ScoreFact(
        measure.title, totals, f"change of {size}", is_rising=is_reliable and totals[-1] > totals[0]
    )


def score_sentences(enrolment: Enrolment, programme: Programme) -> str:
    """How the scores moved, in words for the patient: number, range, change and what it means."""
    totals = person.totals_of(enrolment)
    sentences = []
    for slug in programme.check_in:
        measure, values = programme.measures[slug], totals.get(slug, ())
        if not values:
            continue
        band = measure.band_of(values[-1]).label
        name = measure.patient_title[:1].lower() + measure.patient_title[1:]
        if len(values) == 1:
            sentences.append(
                f"Your score for the {name} is {values[0]} out of {measure.maximum}. "
                f"This is in the {band} range."
            )
            continue
        change = abs(values[-1] - values[0])
        moved = f"That is a change of {change}" if change else "That is the same"
        sentences.append(
            f"Your score for the {name} was {values[0]} out of {measure.maximum} when we started and is "
            f"{values[-1]} now. {moved}, and it is in the {band} range."
        )
    return "\n".join(sentences)
