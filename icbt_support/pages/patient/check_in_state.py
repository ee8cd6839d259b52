"""Which check-in a patient is asked now, and how far it is."""

from dataclasses import dataclass
from datetime import date, datetime

from icbt_support.boosters.queries import booster_of
from icbt_support.enrolments.models import Enrolment, EnrolmentState, OnboardingStep
from icbt_support.enrolments.queries import local_today
from icbt_support.measures.models import Occasion
from icbt_support.measures.operations import programme_of
from icbt_support.measures.queries import begun_week, finished_check_in, questionnaires_of_week
from icbt_support.plan.models import Week
from icbt_support.plan.queries import latest_week_of, open_week_of
from icbt_support.plan.rules import check_in_opens_on
from icbt_support.programme.content import Measure
from icbt_support.rhythm.booster import is_booster_open

BASELINE_WEEK = 0


@dataclass(frozen=True)
class Asked:
    """The check-in that is asked now: whose week, when it opens, and how far it is."""

    enrolment: Enrolment
    occasion: Occasion
    week_number: int
    opens_on: date
    review_on: date | None
    today: date
    measures: tuple[Measure, ...]
    answers: dict[str, dict[int, int]]
    is_finished: bool
    is_of_open_week: bool

    @property
    def is_open(self) -> bool:
        return self.today >= self.opens_on

    @property
    def is_baseline(self) -> bool:
        return self.occasion is Occasion.BASELINE

    @property
    def is_booster(self) -> bool:
        return self.occasion is Occasion.BOOSTER

    @property
    def name(self) -> str:
        return {
            Occasion.BASELINE: "First questions",
            Occasion.CHECK_IN: "Weekly check-in",
            Occasion.BOOSTER: "How you are, some weeks on",
        }[self.occasion]

    @property
    def minutes(self) -> int:
        return sum(measure.minutes for measure in self.measures)

    @property
    def places(self) -> list[tuple[Measure, int]]:
        """Every item in the order in which it is asked."""
        return [(measure, item) for measure in self.measures for item in range(1, len(measure.items) + 1)]

    @property
    def answered(self) -> int:
        return sum(self.answer_to(measure.slug, item) is not None for measure, item in self.places)

    def answer_to(self, measure: str, item: int) -> int | None:
        return self.answers.get(measure, {}).get(item)

    def first_unanswered(self) -> tuple[Measure, int] | None:
        return next(
            ((measure, item) for measure, item in self.places if self.answer_to(measure.slug, item) is None),
            None,
        )


def asked_now(enrolment: Enrolment, now: datetime) -> Asked | None:
    """The baseline while someone is in onboarding, the check-in after the course when it is due, else the open
    week's.

    One that was begun stays open until the next one opens, also when its week has closed meanwhile or the
    person is away: an answer that was on its way, and above all one to the risk item, is never refused.
    """
    today = local_today(enrolment, now)
    if enrolment.state is EnrolmentState.ONBOARDING:
        is_early = enrolment.onboarding_step is OnboardingStep.CONSENT
        return None if is_early else _asked(enrolment, Occasion.BASELINE, BASELINE_WEEK, today, None, today)
    if enrolment.state is EnrolmentState.ENDED:
        after = _asked_after_the_course(enrolment, today, now)
        if after is not None:
            return after
    week = open_week_of(enrolment) if enrolment.state is EnrolmentState.ACTIVE else None
    current = _asked_in(enrolment, week, today) if week is not None else None
    if current is not None and current.is_open:
        return current
    return _begun_before(enrolment, today) or current


def _asked_after_the_course(enrolment: Enrolment, today: date, now: datetime) -> Asked | None:
    booster = booster_of(enrolment)
    if booster is None or not (booster.answered_at or is_booster_open(enrolment, booster, now=now)):
        return None
    return _asked(enrolment, Occasion.BOOSTER, booster.week_number, booster.due_on, None, today)


def _asked_in(enrolment: Enrolment, week: Week, today: date) -> Asked:
    opens_days = enrolment.service.rhythm.check_in_opens_days
    opens_on = check_in_opens_on(week.review_on, opens_days, week.opened_on)
    return _asked(enrolment, Occasion.CHECK_IN, week.number, opens_on, week.review_on, today)


def _begun_before(enrolment: Enrolment, today: date) -> Asked | None:
    latest = latest_week_of(enrolment)
    number = begun_week(enrolment)
    if latest is None or number is None or number < latest.number - 1:
        return None
    return _asked(enrolment, Occasion.CHECK_IN, number, today, None, today)


def _asked(
    enrolment: Enrolment, occasion: Occasion, number: int, opens_on: date, review_on: date | None, today: date
) -> Asked:
    programme = programme_of(enrolment)
    begun = questionnaires_of_week(enrolment, number)
    return Asked(
        enrolment=enrolment,
        occasion=occasion,
        week_number=number,
        opens_on=opens_on,
        review_on=review_on,
        today=today,
        measures=tuple(programme.measures[slug] for slug in programme.check_in),
        answers={slug: questionnaire.current_answers for slug, questionnaire in begun.items()},
        is_finished=finished_check_in(enrolment, number) is not None,
        is_of_open_week=review_on is not None,
    )
