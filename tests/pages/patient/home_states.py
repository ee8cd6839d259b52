"""Every state of a patient's home page, built by the verbs of the rhythm."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from icbt_support import clock
from icbt_support.accounts.models import Role, SessionEmail, Wording
from icbt_support.accounts.operations import change_zone
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.enrolments.operations import WeeklyTime
from icbt_support.plan.models import ItemKind, ItemState, Week
from icbt_support.plan.transitions import close_week
from icbt_support.reviews.queries import review_of_week
from icbt_support.reviews.rules import LAST_REVIEW, PAUSE
from icbt_support.rhythm.acts import finish_check_in, settle_item
from icbt_support.rhythm.away import go_away, pause_course
from icbt_support.rhythm.ending import finish_with_what_i_needed
from icbt_support.rhythm.lateness import take_review, tell_of_late_reviews
from icbt_support.rhythm.moving import move_item
from icbt_support.rhythm.onboarding import CONSENT_VERSION, accept_consent, choose_times_and_start
from tests.cast import Cast
from tests.concepts.beginnings import answer_baseline, invite_robin
from tests.concepts.rhythm_steps import SYSTEM, acting, answer_check_in, at, letter, send, start_course

NOW = at(19, 10, 5)
REVIEW_AT = at(26, 9)
NEXT_REVIEW_AT = datetime(2026, 12, 3, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Built:
    """Whose home it is, and when it is looked at."""

    enrolment: Enrolment
    seen_at: datetime


Build = Callable[[Cast], Built]


def patient(enrolment: Enrolment):
    return acting(enrolment.patient, Role.PATIENT)


def week_1(cast: Cast) -> Week:
    return start_course(cast.enrolment, review_at=REVIEW_AT, now=NOW)


def invited(cast: Cast) -> Built:
    return Built(invite_robin(cast, NOW), NOW)


def consented(cast: Cast) -> Built:
    enrolment = invite_robin(cast, NOW)
    accept_consent(enrolment, CONSENT_VERSION, by=patient(enrolment), now=NOW)
    return Built(enrolment, NOW)


def baseline_done(cast: Cast) -> Built:
    built = consented(cast)
    answer_baseline(built.enrolment, NOW)
    return built


def welcome_late(cast: Cast) -> Built:
    return Built(consented(cast).enrolment, at(23, 18))


def before_the_start(cast: Cast) -> Built:
    enrolment = baseline_done(cast).enrolment
    choose_times_and_start(
        enrolment,
        session_times=[WeeklyTime(0, time(19))],
        starts_on=date(2026, 11, 23),
        first_review_at=NEXT_REVIEW_AT,
        session_email=SessionEmail.EVERY,
        wording=Wording.DISCREET,
        by=patient(enrolment),
        now=NOW,
    )
    return Built(enrolment, NOW)


def open_week(cast: Cast) -> Built:
    week_1(cast)
    return Built(cast.enrolment, NOW)


def moved_to(day: int) -> Build:
    def build(cast: Cast) -> Built:
        item = week_1(cast).items[0]
        move_item(item, date(2026, 11, day), time(20, 30), by=patient(cast.enrolment), now=NOW)
        return Built(cast.enrolment, NOW)

    return build


def planned_day_passed(cast: Cast) -> Built:
    week_1(cast)
    return Built(cast.enrolment, at(25, 9))


def done_but_check_in(cast: Cast) -> Built:
    for item in week_1(cast).items:
        if item.kind is not ItemKind.CHECK_IN:
            settle_item(item, ItemState.DONE, by=patient(cast.enrolment), now=NOW)
    return Built(cast.enrolment, NOW)


def check_in_left(cast: Cast) -> Built:
    return Built(done_but_check_in(cast).enrolment, at(23, 9))


def all_done(cast: Cast) -> Built:
    done_but_check_in(cast)
    answer_check_in(cast.enrolment, 1, now=at(24, 18))
    finish_check_in(cast.enrolment, by=patient(cast.enrolment), now=at(24, 18, 5))
    return Built(cast.enrolment, at(24, 19))


def send_first(cast: Cast, **changes) -> None:
    week_1(cast)
    review = review_of_week(cast.enrolment, 1)
    send(review, letter(**changes), by=acting(cast.supporter, Role.SUPPORTER), now=at(26, 11))


def review_unread(cast: Cast) -> Built:
    send_first(cast, next_review_at=NEXT_REVIEW_AT, by_on=date(2026, 12, 1))
    return Built(cast.enrolment, at(26, 12))


def late(cast: Cast) -> Built:
    week_1(cast)
    tell_of_late_reviews(now=at(26, 17, 1), by=SYSTEM)
    return Built(cast.enrolment, at(26, 18))


def late_and_taken(cast: Cast) -> Built:
    late(cast)
    review = review_of_week(cast.enrolment, 1)
    take_review(review, at(27, 16), by=acting(cast.colleague, Role.SUPPORTER), now=at(26, 18))
    return Built(cast.enrolment, at(26, 19))


def away(cast: Cast) -> Built:
    week_1(cast)
    go_away(cast.enrolment, date(2026, 11, 24), by=patient(cast.enrolment), now=NOW)
    return Built(cast.enrolment, NOW)


def paused(cast: Cast) -> Built:
    week_1(cast)
    pause_course(cast.enrolment, reason="Moving house", by=acting(cast.clinician, Role.CLINICIAN), now=NOW)
    return Built(cast.enrolment, NOW)


def paused_with_a_date(cast: Cast) -> Built:
    send_first(cast, opens=PAUSE, next_review_at=NEXT_REVIEW_AT, by_on=date(2026, 12, 1))
    return Built(cast.enrolment, at(26, 12))


def between_weeks(cast: Cast) -> Built:
    """No verb leaves a running course without a week; the page says what is true all the same."""
    close_week(week_1(cast), by=SYSTEM, now=NOW)
    return Built(cast.enrolment, NOW)


def ended_by_a_last_review(cast: Cast) -> Built:
    send_first(cast, opens=LAST_REVIEW, by_on=date(2026, 12, 31))
    return Built(cast.enrolment, at(26, 12))


def ended_by_the_patient(cast: Cast) -> Built:
    week_1(cast)
    finish_with_what_i_needed(cast.enrolment, "", by=patient(cast.enrolment), now=NOW)
    return Built(cast.enrolment, NOW)


STATES: dict[str, Build] = {
    "invited": invited,
    "consented": consented,
    "baseline done": baseline_done,
    "welcome late": welcome_late,
    "before the start": before_the_start,
    "open": open_week,
    "next today": moved_to(19),
    "next tomorrow": moved_to(20),
    "planned day passed": planned_day_passed,
    "done but check-in": done_but_check_in,
    "check-in left": check_in_left,
    "all done": all_done,
    "review unread": review_unread,
    "late": late,
    "late and taken": late_and_taken,
    "away": away,
    "paused": paused,
    "paused with a date": paused_with_a_date,
    "between weeks": between_weeks,
    "ended by a last review": ended_by_a_last_review,
    "ended by the patient": ended_by_the_patient,
}


def build(name: str, cast: Cast, zone: str = "Europe/London") -> Built:
    """The state in the database, and the clock at the time of looking; the patient lives in `zone`."""
    change_zone(cast.patient, zone, by=SYSTEM, now=NOW)
    built = STATES[name](cast)
    change_zone(built.enrolment.patient, zone, by=SYSTEM, now=NOW)
    db.session.commit()
    clock.stop_clock_at(built.seen_at)
    return built
