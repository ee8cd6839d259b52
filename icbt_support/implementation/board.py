"""The implementation board: seven figures a month, each against the service's own target, each defined."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Select, func, select

from icbt_support.accounts.models import Membership, Role
from icbt_support.cadence import local_day, to_utc
from icbt_support.db import db
from icbt_support.engagement.service_days import reviews_of
from icbt_support.enrolments.models import Enrolment, Purpose
from icbt_support.feedback.models import ProblemReport
from icbt_support.implementation.queries import TrainingBook, targets_of
from icbt_support.implementation.rules import Figure, Targets, added_up, months_outside
from icbt_support.journal.models import PageRead
from icbt_support.messages.models import Message
from icbt_support.programme.library import find_programme
from icbt_support.reviews.models import Review, ReviewState
from icbt_support.service.models import Service

MONTHS_SHOWN = 6
SAID_FOR_THE_HALF_YEAR = {
    "invited": "started",
    "started": "started",
    "first_module": "first_module",
    "reviews_on_time": "reviews_on_time",
}
"""The lines whose months add up to a figure of *What colleagues ask*, and the figure that says so there."""


@dataclass(frozen=True)
class Measured:
    """One line of the board: its name in `Targets`, its words, and what exactly is counted."""

    name: str
    label: str
    definition: str
    is_share: bool = True
    is_most: bool = False


LINES = (
    Measured(
        "invited",
        "Invited",
        "People invited to a course of care in the month. Somebody who is invited again before they begin counts "
        "in the month of the newest invitation.",
        is_share=False,
    ),
    Measured("started", "Started", "Of the people invited in the month, those who have started by now."),
    Measured(
        "first_module",
        "First module",
        "Of the people who started in the month, those who have read every page of the first module by now.",
    ),
    Measured(
        "supporters_active",
        "Supporters active",
        "Of the supporters who worked here at any time of the month, those who sent a review or a message in it.",
    ),
    Measured(
        "reviews_on_time",
        "Reviews on time",
        "Of the reviews promised in the month (welcomes, and those called off before the promised time, left out), "
        "those sent by then. A review that was told of as late is late, whatever it was promised for afterwards.",
    ),
    Measured(
        "trained",
        "Training in date",
        "Of the trainings needed by the people who work here now, those confirmed and in date at the month's end.",
    ),
    Measured(
        "open_reports",
        "Open feedback",
        "Problems and ideas reported and not yet ended at the month's end.",
        is_share=False,
        is_most=True,
    ),
)


@dataclass(frozen=True)
class Period:
    """A stretch of time of a service; `until_at` is outside it."""

    first_on: date
    last_on: date
    from_at: datetime
    until_at: datetime

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.from_at <= at < self.until_at

    def has_day(self, on: date) -> bool:
        return self.first_on <= on <= self.last_on


@dataclass(frozen=True)
class PeriodFigures:
    period: Period
    by_name: dict[str, Figure]


@dataclass(frozen=True)
class Board:
    """The months with the newest last, and the targets that they are held against."""

    months: tuple[PeriodFigures, ...]
    targets: Targets

    def words_outside(self, line: Measured) -> list[str]:
        """A line for print, month by month: nothing from which a small group can be read, also beside the figure of
        the half year, which is printed as well.
        """
        months = [month.by_name[line.name] for month in self.months]
        said = SAID_FOR_THE_HALF_YEAR.get(line.name)
        if said is None or added_up([month.by_name[said] for month in self.months]).is_small:
            return [month.words_outside for month in months]
        return months_outside(months)

    def meets(self, line: Measured, month: PeriodFigures) -> bool | None:
        target = getattr(self.targets, line.name)
        return month.by_name[line.name].meets(target, is_share=line.is_share, is_most=line.is_most)


def board_of(service: Service, *, now: datetime) -> Board:
    """The last six months in the service's zone, this one until now; a fixed number of statements.

    Months before there was a service are left out.
    """
    return Board(figures_of(service, months_until(service, now), now=now), targets_of(service.id))


def months_until(service: Service, now: datetime) -> tuple[Period, ...]:
    today = local_day(now, service.zone)
    firsts = [_first_of_month(today, back) for back in range(MONTHS_SHOWN - 1, -2, -1)]
    periods = [period_between(service, *pair) for pair in zip(firsts, firsts[1:], strict=False)]
    return tuple(period for period in periods if period.until_at > service.created_at)


def period_between(service: Service, first_on: date, after_on: date) -> Period:
    """From the first day to the day before `after_on`, by the service's wall clock."""
    return Period(
        first_on,
        date.fromordinal(after_on.toordinal() - 1),
        to_utc(first_on, time(0), service.zone),
        to_utc(after_on, time(0), service.zone),
    )


def figures_of(service: Service, periods: Sequence[Period], *, now: datetime) -> tuple[PeriodFigures, ...]:
    """The seven figures of each period. One load of each kind of row for all of them."""
    courses = _courses(service, periods[0].from_at)
    finished = _finished_first_module(courses)
    writers = _writers(service, periods)
    supporters = _supporters(service)
    reviews = list(reviews_of(service, periods[0].first_on, _day_after(periods[-1]), now=now))
    book = TrainingBook(service)
    reports = db.session.execute(
        select(ProblemReport.reported_at, ProblemReport.closed_at).where(
            ProblemReport.service_id == service.id
        )
    ).all()
    found = []
    for period in periods:
        end = period.until_at
        invited = [one for one in courses if period.holds(one.invited_at)]
        started = [one for one in courses if period.holds(one.started_at)]
        here = {
            who for who, given, ended in supporters if given < end and (not ended or ended > period.from_at)
        }
        on_time = Counter(one.is_on_time for one in reviews if period.has_day(one.promised_on))
        by_name = {
            "invited": Figure(len(invited)),
            "started": Figure(sum(one.started_at is not None for one in invited), len(invited)),
            "first_module": Figure(sum(one.id in finished for one in started), len(started)),
            "supporters_active": Figure(len(here & writers[period]), len(here)),
            "reviews_on_time": Figure(on_time[True], on_time.total()),
            "trained": book.trained_on(min(period.last_on, local_day(now, service.zone))),
            "open_reports": Figure(
                sum(row.reported_at < end and (not row.closed_at or row.closed_at >= end) for row in reports)
            ),
        }
        found.append(PeriodFigures(period, by_name))
    return tuple(found)


@dataclass(frozen=True)
class _Course:
    id: int
    programme: tuple[str, str]
    invited_at: datetime
    started_at: datetime | None


def _day_after(period: Period) -> date:
    return period.last_on + timedelta(days=1)


def _first_of_month(today: date, back: int) -> date:
    years, month = divmod(today.month - 1 - back, 12)
    return date(today.year + years, month + 1, 1)


def _courses_of_care(service: Service) -> Select[int]:
    return select(Enrolment.id).where(Enrolment.service_id == service.id, Enrolment.purpose == Purpose.CARE)


def _courses(service: Service, since: datetime) -> list[_Course]:
    rows = db.session.execute(
        select(
            Enrolment.id,
            Enrolment.programme_slug,
            Enrolment.programme_version,
            Enrolment.invited_at,
            Enrolment.started_at,
        ).where(
            Enrolment.id.in_(_courses_of_care(service)),
            func.coalesce(Enrolment.started_at, Enrolment.invited_at) >= since,
        )
    )
    return [
        _Course(number, (slug, version), invited, began) for number, slug, version, invited, began in rows
    ]


def _finished_first_module(courses: Sequence[_Course]) -> set[int]:
    """Who has read every page of the first module of their own programme."""
    finished: set[int] = set()
    for programme in {course.programme for course in courses}:
        module = find_programme(*programme).modules[0]
        ids = [course.id for course in courses if course.programme == programme]
        rows = db.session.execute(
            select(PageRead.enrolment_id, func.count(PageRead.id))
            .where(
                PageRead.enrolment_id.in_(ids),
                PageRead.module == module.slug,
                PageRead.page.in_([page.slug for page in module.pages]),
            )
            .group_by(PageRead.enrolment_id)
        )
        finished.update(number for number, pages in rows if pages >= len(module.pages))
    return finished


def _writers(service: Service, periods: Sequence[Period]) -> dict[Period, set[int]]:
    """Who sent a review or wrote a message in each period, patients among them."""
    since = periods[0].from_at
    reviews = select(Review.sent_by, Review.sent_at).where(
        Review.service_id == service.id, Review.state == ReviewState.SENT, Review.sent_at >= since
    )
    messages = select(Message.author_id, Message.sent_at).where(
        Message.enrolment_id.in_(_courses_of_care(service)), Message.sent_at >= since
    )
    writers: dict[Period, set[int]] = defaultdict(set)
    for statement in (reviews, messages):
        for account_id, at in db.session.execute(statement):
            for period in periods:
                if account_id is not None and period.holds(at):
                    writers[period].add(account_id)
    return writers


def _supporters(service: Service) -> list[tuple[int, datetime, datetime | None]]:
    rows = db.session.execute(
        select(Membership.account_id, Membership.given_at, Membership.ended_at).where(
            Membership.service_id == service.id, Membership.role == Role.SUPPORTER
        )
    )
    return [(account_id, given_at, ended_at) for account_id, given_at, ended_at in rows]
