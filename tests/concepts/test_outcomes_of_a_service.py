"""Outcomes of a service from its rows: each edge by hand, and 10,000 random people against pandas."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import insert, text

from icbt_support.contacts.models import TreatmentContact
from icbt_support.db import db
from icbt_support.engagement.dropping_out import people_who_dropped_out_at, people_who_had_dropped_out
from icbt_support.engagement.outcome_filter import NO_GROUP, OutcomeFilter
from icbt_support.engagement.outcomes import Figure, OutcomeReport, outcomes_of, people_behind
from icbt_support.enrolments.models import EndCode, Enrolment, EnrolmentState, Purpose
from icbt_support.measures.models import Occasion, Questionnaire
from icbt_support.measures.outcomes import Outcome, OutcomeRates, Rate
from icbt_support.patient_groups.models import GroupMember, PatientGroup
from icbt_support.patient_groups.operations import add_group, set_group
from tests.cast import PROGRAMME, Cast
from tests.concepts.beginnings import as_clinician
from tests.concepts.ended_courses import FIRST_CONTACT, STARTED, EndedCourses, answer, confirm

ALL = OutcomeFilter()
PEOPLE = 10_000


def report_of(cast: Cast, now: datetime, wanted: OutcomeFilter = ALL) -> OutcomeReport:
    return outcomes_of(cast.service, wanted, now=now)


def numbers(rates: OutcomeRates) -> dict[str, tuple[int, int]]:
    return {outcome.value: (rate.count, rate.total) for outcome, rate in rates.by_outcome.items()}


def test_each_edge_of_the_definitions(cast: Cast, now: datetime) -> None:
    courses = EndedCourses(cast)
    recovered = courses.course()
    not_a_case = courses.course((9, 7), (9, 7))
    baseline_only = courses.course(last=(None, None))
    one_measure_missing = courses.course(last=(8, None))
    one_contact = courses.course(contacts=1)
    courses.course(purpose=Purpose.TRAINING)
    never = courses.course(end_code=EndCode.NEVER_STARTED, contacts=0, last=(None, None))
    taken_back = courses.course(contacts=1)
    confirm(taken_back, FIRST_CONTACT + timedelta(weeks=1), is_confirmed=False)

    # The start is the last word before treatment begins, the end the last one in the course.
    later = courses.course((17, 12), (17, 12))
    for measure, total in (("phq-9", 5), ("gad-7", 4)):
        answer(later, measure, 7, total, FIRST_CONTACT + timedelta(weeks=6))
        answer(later, measure, 11, 20, FIRST_CONTACT + timedelta(weeks=12), Occasion.BOOSTER)

    # Scores from before the first contact are no end.
    early = courses.course(contacts=0)
    for weeks in (5, 6):
        confirm(early, FIRST_CONTACT + timedelta(weeks=weeks))

    report = report_of(cast, now)
    assert (report.ended, report.never_started) == (8, 1)
    assert (report.rates.completed, report.rates.with_missing_scores) == (6, 3)
    assert numbers(report.rates) == {
        "at_caseness": (5, 6),
        "recovery": (2, 5),
        "reliable_improvement": (2, 6),
        "reliable_recovery": (2, 5),
        "reliable_deterioration": (0, 6),
    }

    def behind(figure: Figure | Outcome) -> set[int]:
        return set(people_behind(cast.service, ALL, figure))

    assert behind(Outcome.RECOVERY) == {recovered.id, later.id}
    assert behind(Figure.MISSING_SCORES) == {baseline_only.id, one_measure_missing.id, early.id}
    assert behind(Figure.NOT_COMPLETED) == {one_contact.id, taken_back.id}
    assert behind(Figure.NEVER_STARTED) == {never.id}
    assert not_a_case.id in behind(Figure.COMPLETED)


def test_a_baseline_after_an_assessment_is_the_start_and_never_the_end(cast: Cast, now: datetime) -> None:
    """Written down with its day alone, an assessment stands at that day's midnight: before the baseline."""
    courses = EndedCourses(cast)
    assessed_first = courses.course()
    confirm(assessed_first, STARTED - timedelta(days=8))
    on_the_day = courses.course(contacts=1)
    confirm(on_the_day, STARTED.replace(hour=0))
    baseline_alone = courses.course(last=(None, None))
    confirm(baseline_alone, STARTED - timedelta(days=8))
    report = report_of(cast, now)
    assert report.rates.recovery == Rate(2, 3)
    assert people_behind(cast.service, ALL, Figure.MISSING_SCORES) == [baseline_alone.id]
    assert set(people_behind(cast.service, ALL, Outcome.RECOVERY)) == {assessed_first.id, on_the_day.id}


def test_a_first_score_from_the_middle_of_treatment_is_no_start(cast: Cast, now: datetime) -> None:
    late = EndedCourses(cast).course((17, None), (8, 6))
    answer(late, "gad-7", 3, 12, FIRST_CONTACT + timedelta(weeks=2))
    assert report_of(cast, now).rates.reliable_improvement == Rate(0, 1)


def test_each_course_of_a_person_counts_by_itself(cast: Cast, now: datetime) -> None:
    courses = EndedCourses(cast)
    first = courses.course(ended_at=datetime(2026, 9, 1, 12, tzinfo=UTC))
    again = courses.course(last=(17, 12))
    assert first.patient_id == again.patient_id
    assert report_of(cast, now).rates.recovery == Rate(1, 2)


def test_a_service_without_people_has_no_rate(cast: Cast, now: datetime) -> None:
    report = report_of(cast, now)
    assert (report.ended, report.rates.completed) == (0, 0)
    assert report.rates.recovery.share is None
    assert (report.by_programme, report.by_month, report.by_group, report.dropped_out_at) == ({}, {}, {}, ())


def test_stopping_early_its_module_and_the_weeks_until_then(cast: Cast, now: datetime) -> None:
    courses = EndedCourses(cast)
    soon = courses.course(end_code=EndCode.LOST, ended_at=STARTED + timedelta(days=15))
    courses.course(
        end_code=EndCode.PATIENT_STOPPED_EARLIER,
        ended_at=STARTED + timedelta(days=49),
        module="understanding-low-mood",
    )
    courses.course(end_code=EndCode.HAD_WHAT_I_NEEDED, ended_at=STARTED + timedelta(days=30))
    courses.course(end_code=EndCode.ENDED_EARLIER_THAN_PATIENT_WANTED, ended_at=STARTED + timedelta(days=30))
    cast.enrolment.started_at = STARTED
    report = report_of(cast, now)
    assert report.dropped_out == Rate(2, 4)
    assert sorted((row.module, row.count) for row in report.dropped_out_at) == [
        ("getting-started", 1),
        ("understanding-low-mood", 1),
    ]
    by_week = {
        one.week: (one.started, one.in_course, one.ended_otherwise, one.dropped_out)
        for one in report.attrition
    }
    assert by_week[0] == (5, 5, 0, 0)
    assert by_week[2] == (5, 5, 0, 0)
    assert by_week[3] == (5, 4, 0, 1)
    assert by_week[5] == (5, 2, 2, 1)
    assert by_week[7] == (5, 2, 2, 1)  # ended on the day: had been there for seven weeks
    assert by_week[8] == (5, 1, 2, 2)
    assert max(by_week) == (now - STARTED) // timedelta(weeks=1)
    for week in (2, 3, 7, 8):
        behind = people_who_had_dropped_out(cast.service, ALL, week, now=now)
        assert len(behind) == by_week[week][3]
    assert people_who_dropped_out_at(cast.service, ALL, PROGRAMME, "getting-started") == [soon.id]


def test_months_are_the_services_own_and_groups_are_optional(cast: Cast, now: datetime) -> None:
    courses = EndedCourses(cast)
    summer_midnight = datetime(2026, 9, 30, 23, 30, tzinfo=UTC)  # half past midnight on 1 October in London
    in_october = courses.course(ended_at=summer_midnight)
    in_september = courses.course(ended_at=summer_midnight - timedelta(hours=1))
    young = add_group(cast.service, "18 to 25", by=as_clinician(cast), now=now)
    set_group(in_october, young, by=as_clinician(cast), now=now)
    report = report_of(cast, now)
    assert {month: rates.completed for month, rates in report.by_month.items()} == {
        date(2026, 10, 1): 1,
        date(2026, 9, 1): 1,
    }
    assert {group: rates.completed for group, rates in report.by_group.items()} == {young.id: 1, NO_GROUP: 1}
    october = OutcomeFilter(from_month=date(2026, 10, 1), until_month=date(2026, 10, 1))
    assert people_behind(cast.service, october, Figure.ENDED) == [in_october.id]
    assert people_behind(cast.service, OutcomeFilter(group_id=NO_GROUP), Figure.ENDED) == [in_september.id]
    assert report_of(cast, now, OutcomeFilter(programme="another")).ended == 0


# 10,000 random people -------------------------------------------------------------------------------------------


@pytest.fixture
def frames(cast: Cast, now: datetime) -> dict[str, pd.DataFrame]:
    """The same random rows in the database and in frames; a tenth on PostgreSQL, for which a row takes longer."""
    dice = random.Random(4)
    many = PEOPLE if db.engine.dialect.name == "sqlite" else PEOPLE // 10
    groups = [PatientGroup(service_id=cast.service.id, name=name, created_at=now) for name in ("A", "B")]
    db.session.add_all(groups)
    db.session.flush()
    people, contacts, forms, members = [], [], [], []
    for number in range(1_000, 1_000 + many):
        code = dice.choice(list(EndCode))
        started = STARTED + timedelta(days=dice.randrange(20))
        people.append(
            {
                "id": number,
                "service_id": cast.elsewhere.id if dice.random() < 0.05 else cast.service.id,
                "patient_id": cast.patient.id,
                "supporter_id": cast.supporter.id,
                "clinician_id": cast.clinician.id,
                "programme_slug": dice.choice(["low-mood", "worry"]),
                "programme_version": "1",
                "purpose": Purpose.TRAINING if dice.random() < 0.05 else Purpose.CARE,
                "state": EnrolmentState.ENDED,
                "invited_at": started,
                "started_at": started,
                "ended_at": datetime(2026, dice.choice([9, 10, 11]), dice.randrange(2, 19), 12, tzinfo=UTC),
                "end_code": code,
            }
        )
        if dice.random() < 0.7:
            members.append({"enrolment_id": number, "group_id": dice.choice(groups).id, "set_at": now})
        for _ in range(dice.randrange(5)):
            contact_at = started + timedelta(days=dice.randrange(40), hours=dice.randrange(24))
            is_confirmed = dice.random() < 0.8
            contacts.append(
                {
                    "service_id": people[-1]["service_id"],
                    "enrolment_id": number,
                    "kind": "assessment",
                    "contact_at": contact_at,
                    "recorded_by": cast.clinician.id,
                    "recorded_at": contact_at,
                    "decided_by": cast.clinician.id,
                    "confirmed_at": contact_at if is_confirmed else None,
                    "not_counted_at": None if is_confirmed else contact_at,
                }
            )
        for measure, highest in (("phq-9", 27), ("gad-7", 21)):
            for week in range(dice.randrange(1, 5)):
                is_finished = dice.random() < 0.9
                at = started + timedelta(days=9 * week, minutes=dice.randrange(5_000))
                occasion = "baseline" if week == 0 and dice.random() < 0.7 else "check_in"
                forms.append(
                    {
                        "enrolment_id": number,
                        "measure": measure,
                        "occasion": "booster" if week and dice.random() < 0.1 else occasion,
                        "week_number": week,
                        "started_at": at,
                        "finished_at": at if is_finished else None,
                        "total": dice.randrange(highest + 1) if is_finished else None,
                    }
                )
    for model, rows in ((Enrolment, people), (TreatmentContact, contacts), (Questionnaire, forms)):
        db.session.execute(insert(model), [_typed(model, row) for row in rows])
    db.session.execute(insert(GroupMember), members)
    if db.engine.dialect.name == "postgresql":  # A server at rest does this by itself after so many rows.
        db.session.execute(text("ANALYZE"))
    db.session.commit()
    return {
        "people": pd.DataFrame(people),
        "contacts": pd.DataFrame(contacts),
        "forms": pd.DataFrame(forms),
        "members": pd.DataFrame(members),
    }


def _typed(model: Any, row: dict[str, Any]) -> dict[str, Any]:
    return row | {"occasion": Occasion(row["occasion"])} if model is Questionnaire else row


def by_pandas(frames: dict[str, pd.DataFrame], service_id: int) -> pd.DataFrame:
    """One row for each ended course of care that had started: written from the definitions alone."""
    people = frames["people"].merge(
        frames["members"], how="left", left_on="id", right_on="enrolment_id", suffixes=("", "_member")
    )
    people = people[
        (people.service_id == service_id) & (people.purpose == "care") & (people.end_code != "never_started")
    ].set_index("id")
    confirmed = frames["contacts"].dropna(subset=["confirmed_at"]).groupby("enrolment_id").contact_at
    people["contacts"] = confirmed.size().reindex(people.index).fillna(0)
    forms = frames["forms"].dropna(subset=["finished_at"])
    forms = forms[forms.occasion != "booster"].sort_values("finished_at")
    forms = forms.join(confirmed.min().rename("first_contact"), on="enrolment_id", how="inner")
    is_baseline, is_before = forms.occasion == "baseline", forms.finished_at <= forms.first_contact
    for name, side, pick in (
        ("first", forms[is_baseline | is_before], "first"),
        ("last", forms[~is_baseline & ~is_before], "last"),
    ):
        picked = side.groupby(["enrolment_id", "measure"]).total.agg(pick).unstack()
        people[f"phq_{name}"] = picked["phq-9"].reindex(people.index)
        people[f"gad_{name}"] = picked["gad-7"].reindex(people.index)
    done = people[people.contacts >= 2].copy()
    missing = done[["phq_first", "gad_first", "phq_last", "gad_last"]].isna().any(axis=1)
    done["missing"] = missing
    done["case"] = (done.phq_first >= 10) | (done.gad_first >= 8)
    done["not_case"] = (done.phq_first < 10) & (done.gad_first < 8)
    phq, gad = done.phq_first - done.phq_last, done.gad_first - done.gad_last
    done["recovered"] = done.case & (done.phq_last < 10) & (done.gad_last < 8) & ~missing
    done["better"] = ((phq >= 6) | (gad >= 4)) & ~((phq <= -6) | (gad <= -4)) & ~missing
    done["worse"] = ((phq <= -6) | (gad <= -4)) & ~((phq >= 6) | (gad >= 4)) & ~missing
    return done


def counted(done: pd.DataFrame) -> dict[str, tuple[int, int]]:
    everybody, possible = len(done), int((~done.not_case).sum())
    return {
        "at_caseness": (int(done.case.sum()), everybody),
        "recovery": (int(done.recovered.sum()), possible),
        "reliable_improvement": (int(done.better.sum()), everybody),
        "reliable_recovery": (int((done.recovered & done.better).sum()), possible),
        "reliable_deterioration": (int(done.worse.sum()), everybody),
    }


def test_ten_thousand_random_people_agree_with_pandas(
    cast: Cast, frames: dict[str, pd.DataFrame], now: datetime
) -> None:
    done = by_pandas(frames, cast.service.id)
    report = report_of(cast, now)
    assert numbers(report.rates) == counted(done)
    assert report.rates.with_missing_scores == int(done.missing.sum())
    assert 0 < report.rates.recovery.count < report.rates.recovery.total < report.rates.completed < PEOPLE
    assert {slug: numbers(rates) for slug, rates in report.by_programme.items()} == {
        slug: counted(part) for slug, part in done.groupby("programme_slug")
    }
    assert {month.month: numbers(rates) for month, rates in report.by_month.items()} == {
        month: counted(part) for month, part in done.groupby(done.ended_at.dt.month)
    }
    assert {group: numbers(rates) for group, rates in report.by_group.items()} == {
        int(group): counted(part) for group, part in done.groupby(done.group_id.fillna(NO_GROUP))
    }
    assert set(people_behind(cast.service, ALL, Outcome.RECOVERY)) == set(done.index[done.recovered])
    people = frames["people"]
    ours = people[(people.service_id == cast.service.id) & (people.purpose == "care")]
    codes = Counter(ours.end_code)
    assert report.never_started == codes.pop(EndCode.NEVER_STARTED)
    assert report.end_codes == dict(codes)
