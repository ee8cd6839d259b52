"""The journal on both engines: versions, double posts, stale edits, and what is shared."""

from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from icbt_support.audit import Actor, ActorKind
from icbt_support.audit.models import AuditLine
from icbt_support.db import commit_with_retry, db
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.models import Entry, ExerciseAnswer, PageRead
from icbt_support.journal.operations import (
    EntryChangedMeanwhile,
    answer_exercise,
    keep_draft,
    mark_page_read,
    save_entry,
)
from icbt_support.journal.queries import (
    entries_of,
    exercise_answers,
    find_entry,
    pages_opened,
    pages_read,
    private_entry_count,
    shared_entries,
    unfinished_entries,
)
from icbt_support.risk.models import ReadFirst
from tests.cast import Cast

SITUATION = "Walked past the canal and nobody said hello"


@pytest.fixture
def by(cast: Cast) -> Actor:
    return Actor(ActorKind.PERSON, cast.patient.id, "patient", cast.service.id)


def write(cast: Cast, by: Actor, now: datetime, key: str = "form-1", **changes: object) -> Entry:
    values = {"fields": {"doing": SITUATION, "mood": 3}, "is_shared": True, **changes}
    return save_entry(cast.enrolment, "mood-diary", posted_key=key, by=by, now=now, **values)


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_page_read_twice_is_one_row_that_says_when_last(cast: Cast, by: Actor, now: datetime) -> None:
    mark_page_read(cast.enrolment, "doing-more", "robins-saturday", by=by, now=now)
    later = now + timedelta(days=3)
    mark_page_read(cast.enrolment, "doing-more", "robins-saturday", by=by, now=later)
    row = db.session.scalars(select(PageRead)).one()
    assert (row.first_read_at, row.last_read_at) == (now, later)
    assert pages_read(cast.enrolment) == {("doing-more", "robins-saturday")}
    assert pages_read(cast.enrolment, "keeping-well") == set()
    assert pages_read(cast.other_enrolment) == set()


def test_pages_opened_are_those_of_the_time_asked_for(cast: Cast, by: Actor, now: datetime) -> None:
    mark_page_read(cast.enrolment, "doing-more", "robins-saturday", by=by, now=now - timedelta(days=9))
    mark_page_read(cast.enrolment, "doing-more", "activity-and-mood", by=by, now=now)
    opened = pages_opened(cast.enrolment, now - timedelta(days=7), now + timedelta(minutes=1))
    assert [row.page for row in opened] == ["activity-and-mood"]


def test_each_changed_answer_is_a_new_version_and_the_newest_counts(
    cast: Cast, by: Actor, now: datetime
) -> None:
    for words in ("Allotment", "Allotment", "The quiz"):
        answer_exercise(cast.enrolment, "doing-more", "my-plan", words, by=by, now=now)
    assert count(ExerciseAnswer) == 2
    newest = exercise_answers(cast.enrolment, "doing-more")[("doing-more", "my-plan")]
    assert (newest.words, newest.version) == ("The quiz", 2)


def test_the_same_form_posted_twice_makes_one_entry(cast: Cast, by: Actor, now: datetime) -> None:
    first = write(cast, by, now)
    again = write(cast, by, now)
    other = write(cast, by, now, key="form-2")
    assert first.id == again.id != other.id
    assert count(Entry) == 2


def test_blank_fields_are_not_kept_and_zero_is(cast: Cast, by: Actor, now: datetime) -> None:
    entry = write(cast, by, now, fields={"a": "", "b": None, "c": 0, "d": "words"})
    assert entry.fields == {"c": 0, "d": "words"}


def test_a_stale_edit_is_refused_and_nothing_is_overwritten(cast: Cast, by: Actor, now: datetime) -> None:
    entry = write(cast, by, now)
    shown = entry.version
    changed = write(cast, by, now, fields={"doing": "the first change"}, entry=entry, version=shown)
    assert changed.version == shown + 1
    with pytest.raises(EntryChangedMeanwhile) as refusal:
        write(cast, by, now, fields={"doing": "the second change"}, entry=entry, version=shown)
    assert refusal.value.entry.fields == {"doing": "the first change"}


def test_the_same_edit_posted_twice_is_one_change(cast: Cast, by: Actor, now: datetime) -> None:
    entry = write(cast, by, now)
    shown = entry.version
    for _ in range(2):
        entry = write(cast, by, now, fields={"doing": "changed"}, entry=entry, version=shown)
    assert entry.version == shown + 1


def test_of_six_racing_edits_exactly_one_wins(app: Flask, cast: Cast, by: Actor, now: datetime) -> None:
    entry = write(cast, by, now)
    entry_id, shown, enrolment_id = entry.id, entry.version, cast.enrolment.id
    db.session.commit()
    start, won, lost = Barrier(6), [], []

    def edit(words: str) -> None:
        with app.app_context():

            def work() -> None:
                enrolment = db.session.get_one(Enrolment, enrolment_id)
                racing = find_entry(enrolment, "mood-diary", entry_id)
                save_entry(
                    enrolment,
                    "mood-diary",
                    {"doing": words},
                    is_shared=True,
                    posted_key="form-1",
                    by=by,
                    now=now,
                    entry=racing,
                    version=shown,
                )

            start.wait()
            try:
                commit_with_retry(work)
                won.append(words)
            except EntryChangedMeanwhile:
                lost.append(words)
            finally:
                db.session.remove()

    threads = [Thread(target=edit, args=(f"edit {number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 5)
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(Entry, entry_id).fields == {"doing": won[0]}


def test_a_draft_is_private_and_unseen_until_it_is_finished(cast: Cast, by: Actor, now: datetime) -> None:
    draft = keep_draft(
        cast.enrolment, "thought-record", {"situation": SITUATION}, posted_key="form-9", by=by, now=now
    )
    draft = keep_draft(
        cast.enrolment,
        "thought-record",
        {"situation": SITUATION, "thought": ""},
        posted_key="form-9",
        by=by,
        now=now,
        entry=draft,
        version=draft.version,
    )
    assert draft.fields["thought"] == ""
    since, until = now - timedelta(days=1), now + timedelta(days=1)
    assert entries_of(cast.enrolment) == []
    assert unfinished_entries(cast.enrolment, "thought-record") == [draft]
    assert private_entry_count(cast.enrolment, since, until) == 0
    saved = save_entry(
        cast.enrolment,
        "thought-record",
        draft.fields,
        is_shared=True,
        posted_key="form-9",
        by=by,
        now=now,
        entry=draft,
        version=draft.version,
    )
    assert saved.finished_at == now
    assert unfinished_entries(cast.enrolment, "thought-record") == []
    assert shared_entries(cast.enrolment, since, until) == [saved]


def test_the_service_sees_shared_entries_and_only_the_number_of_private_ones(
    cast: Cast, by: Actor, now: datetime
) -> None:
    shared = write(cast, by, now)
    write(cast, by, now, key="form-2", is_shared=False)
    write(cast, by, now - timedelta(days=30), key="form-3")
    since, until = now - timedelta(days=7), now + timedelta(minutes=1)
    assert shared_entries(cast.enrolment, since, until) == [shared]
    assert private_entry_count(cast.enrolment, since, until) == 1


def test_an_entry_shared_later_is_seen_in_the_week_in_which_it_was_shared(
    cast: Cast, by: Actor, now: datetime
) -> None:
    entry = write(cast, by, now - timedelta(days=30), is_shared=False)
    write(cast, by, now, entry=entry, version=entry.version)
    assert shared_entries(cast.enrolment, now - timedelta(days=7), now + timedelta(minutes=1)) == [entry]


def test_nobody_finds_an_entry_of_somebody_else(cast: Cast, by: Actor, now: datetime) -> None:
    entry = write(cast, by, now)
    assert find_entry(cast.other_enrolment, "mood-diary", entry.id) is None
    assert find_entry(cast.enrolment, "thought-record", entry.id) is None
    assert find_entry(cast.enrolment, "mood-diary", entry.id) == entry


def test_what_was_typed_stands_encrypted_in_the_database(cast: Cast, by: Actor, now: datetime) -> None:
    write(cast, by, now)
    answer_exercise(cast.enrolment, "doing-more", "my-plan", SITUATION, by=by, now=now)
    stored = [
        db.session.execute(text("SELECT fields FROM entries")).scalar_one(),
        db.session.execute(text("SELECT words FROM exercise_answers")).scalar_one(),
    ]
    assert all("canal" not in words for words in stored)


def test_every_act_leaves_an_audit_line_without_the_words(cast: Cast, by: Actor, now: datetime) -> None:
    entry = write(cast, by, now)
    write(cast, by, now, is_shared=False, entry=entry, version=entry.version)
    mark_page_read(cast.enrolment, "doing-more", "robins-saturday", by=by, now=now)
    answer_exercise(cast.enrolment, "doing-more", "my-plan", SITUATION, by=by, now=now)
    lines = db.session.scalars(
        select(AuditLine).where(AuditLine.enrolment_id == cast.enrolment.id).order_by(AuditLine.id)
    ).all()
    actions = [line.action for line in lines]
    assert actions == ["entry_written", "entry_changed", "page_read", "exercise_answered"]
    assert {line.actor_account_id for line in lines} == {cast.patient.id}
    assert not any("canal" in line.detail for line in lines)


@pytest.mark.parametrize(("is_shared", "marks"), [(True, 1), (False, 0)])
def test_a_shared_entry_with_a_phrase_of_the_service_is_read_first(
    cast: Cast, by: Actor, now: datetime, is_shared: bool, marks: int
) -> None:
    write(cast, by, now, fields={"doing": "I want to die"}, is_shared=is_shared)
    assert count(ReadFirst) == marks
