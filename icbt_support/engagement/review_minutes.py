"""Time spent on reviews, week by week: the team together, never one person."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.reviews.models import Review
from icbt_support.service.models import Service

WEEKS_SHOWN = 8
# With one writer the team's total would be that person's.
FEWEST_WRITERS = 2


@dataclass(frozen=True)
class WeekOfReviews:
    """One calendar week. `minutes` is what was said at `timed` of the `sent` reviews; None with fewer than two
    writers."""

    from_on: date
    sent: int
    timed: int
    minutes: int | None


def minutes_by_week(service: Service, *, now: datetime) -> list[WeekOfReviews]:
    """The newest week first; weeks in which nothing was sent are left out."""
    monday = _monday_of(local_day(now, service.zone))
    oldest = monday - timedelta(weeks=WEEKS_SHOWN - 1)
    rows = db.session.execute(
        select(Review.sent_at, Review.sent_by, Review.minutes).where(
            Review.service_id == service.id, Review.sent_at >= now - timedelta(weeks=WEEKS_SHOWN)
        )
    )
    weeks: dict[date, list[tuple[int | None, int | None]]] = defaultdict(list)
    for sent_at, sent_by, minutes in rows:
        if sent_at is None:
            continue
        weeks[_monday_of(local_day(sent_at, service.zone))].append((sent_by, minutes))
    return [_week(on, weeks[on]) for on in sorted(weeks, reverse=True) if on >= oldest]


def _week(on: date, reviews: list[tuple[int | None, int | None]]) -> WeekOfReviews:
    timed = [(writer, minutes) for writer, minutes in reviews if minutes is not None]
    writers = {writer for writer, _ in timed}
    total = sum(minutes for _, minutes in timed) if len(writers) >= FEWEST_WRITERS else None
    return WeekOfReviews(on, len(reviews), len(timed), total)


def _monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())
