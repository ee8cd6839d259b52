"""PostgreSQL ends connections in mid-request, or breaks a deadlock: no form is called saved that is not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, select, update

from icbt_support import clock
from icbt_support.accounts.models import Account
from icbt_support.db import commit_with_retry, db
from icbt_support.jobs import runner
from tests.cast import make_cast
from tests.conftest import build_app
from tests.faults.test_database_away import Person, assert_says_it_was_not_saved, saved
from tests.postgresql import PostgresqlServer


@pytest.fixture
def own(postgresql: PostgresqlServer, tmp_path: Path) -> Iterator[Flask]:
    app = build_app(postgresql.new_database(), tmp_path)
    with app.app_context():
        make_cast(now=clock.real_now())
        db.session.commit()
        db.session.remove()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@contextmanager
def ended_once(app: Flask, admin_url: str, moment: str) -> Iterator[None]:
    """The server ends the backend that comes to `moment`: the first INSERT of a message, or the commit after it."""
    state = {"inserted": False, "ended": False}

    def end(connection: Any) -> None:
        pid = connection.connection.driver_connection.info.backend_pid
        state["ended"] = True
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    def at_statement(connection: Any, _cursor: object, statement: str, *_: object) -> None:
        state["inserted"] |= statement.startswith("INSERT INTO messages")
        if moment == "statement" and state["inserted"] and not state["ended"]:
            end(connection)

    def at_commit(connection: Any) -> None:
        if moment == "commit" and state["inserted"] and not state["ended"]:
            end(connection)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", at_statement)
    event.listen(engine, "commit", at_commit)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", at_statement)
        event.remove(engine, "commit", at_commit)
    assert state["ended"]


@pytest.mark.parametrize("moment", ["statement", "commit"])
def test_a_form_whose_connection_is_ended_says_so_and_is_taken_when_sent_again(
    own: Flask, postgresql: PostgresqlServer, moment: str
) -> None:
    alex = Person(own, "alex.reed@example.net")
    with ended_once(own, postgresql.admin_url, moment):
        assert_says_it_was_not_saved(alex.post_message("a" * 24))
    assert saved(own) == 0
    assert alex.http.get("/help-now").status_code == 200
    assert alex.post_message("a" * 24).status_code == 302
    assert saved(own) == 1
    assert alex.http.get("/week").status_code == 200


def test_pages_and_jobs_go_on_after_every_connection_was_ended(
    own: Flask, postgresql: PostgresqlServer
) -> None:
    alex = Person(own, "alex.reed@example.net")
    names = ("deliver", "recover", "heartbeat")
    runner.tick(own, names=names)
    with psycopg.connect(postgresql.admin_url, autocommit=True) as admin, own.app_context():
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [db.engine.url.database],
        )
    assert alex.http.get("/week").status_code == 200
    assert alex.post_message("b" * 24).status_code == 302
    assert dict(runner.tick(own, names=names))["deliver"] == "1 shown in the app"


def test_a_deadlock_runs_the_whole_of_the_work_again(own: Flask) -> None:
    both_hold_one = threading.Barrier(2, timeout=30)
    tries = {"first": 0, "second": 0}

    def give_names(who: str, ids: list[int]) -> None:
        def work() -> None:
            tries[who] += 1
            for place, account_id in enumerate(ids):
                db.session.execute(update(Account).where(Account.id == account_id).values(called=who))
                if place == 0 and tries[who] == 1:
                    both_hold_one.wait()

        with own.app_context():
            commit_with_retry(work)
            db.session.remove()

    threads = [
        threading.Thread(target=give_names, args=("first", [1, 2])),
        threading.Thread(target=give_names, args=("second", [2, 1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(tries.values()) == [1, 2]
    with own.app_context():
        called = db.session.scalars(select(Account.called).where(Account.id.in_([1, 2]))).all()
        db.session.remove()
    assert len(set(called)) == 1
    assert called[0] in tries
