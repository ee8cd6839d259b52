"""Processes that start wrongly, together, half-way, or end without a word."""

import resource
import signal
import threading
import time
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, func, inspect, select, text
from sqlalchemy.engine import Engine

from icbt_support.demo.models import DemoState
from icbt_support.messages.models import Message
from icbt_support.reminders.models import Reminder
from icbt_support.schema import SchemaState, migrate, schema_state
from icbt_support.tables import METADATA
from tests.browser.conftest import free_port
from tests.faults.serving import Visitor, begin, environment, own_app, said_by, serving

GOOD_SECRET = "q7Zp1xVb9Lk3Tn5Rw8Yc2Hd6Mf4Gs0JaUeOi"  # noqa: S105 (of nobody)
REFUSED_WITHIN = 15
HANGS_AFTER = 60
STOPS_WITHIN = 30
SMALL_DEMO = ["-m", "flask", "demo", "--patients", "2", "--weeks", "1"]


def sqlite_url(folder: Path, name: str = "own.sqlite") -> str:
    return f"sqlite:///{folder / name}"


def production(folder: Path, **more: str) -> dict[str, str]:
    return environment(
        sqlite_url(folder),
        folder,
        **{
            "ENVIRONMENT": "production",
            "SECRET_KEY": GOOD_SECRET,
            "DATA_KEYS": Fernet.generate_key().decode(),
            "BASE_URL": "https://care.example.net",
            "SMTP_URL": "smtp://127.0.0.1:9",
            "MAIL_FROM": "course@care.example.net",
            "PORT": str(free_port()),
            **more,
        },
    )


# Starting ----------------------------------------------------------------------------------------------------


def test_production_refuses_a_bad_secret_in_one_line_and_keeps_it_to_itself(tmp_path: Path) -> None:
    bad = {
        "short": {"SECRET_KEY": "kz83hfu2ls"},
        "development": {"SECRET_KEY": "development-only-secret-key-never-for-people"},
        "missing": {"SECRET_KEY": ""},
        "data keys": {"DATA_KEYS": "bm90LWEta2V5LWF0LWFsbA=="},
    }
    for which, setting in bad.items():
        code, said = refused(["app.py"], production(tmp_path, **setting))
        ((name, secret),) = setting.items()
        assert code == 78, which
        assert len(said.strip().splitlines()) == 1, said
        assert name in said, which
        assert not secret or secret not in said, which
        assert GOOD_SECRET not in said, which


def refused(command: list[str], environ: dict[str, str]) -> tuple[int, str]:
    """How it ended and what it said; the time that counts is its own, on a machine that may be busy."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = begin(command, environ)
    said = said_by(process, within=HANGS_AFTER)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    own_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert own_seconds < REFUSED_WITHIN
    return process.returncode, said


@pytest.mark.parametrize("command", ["worker", "prepare"])
def test_commands_refuse_a_bad_secret_without_printing_it(tmp_path: Path, command: str) -> None:
    code, said = refused(["-m", "flask", command], production(tmp_path, SECRET_KEY="kz83hfu2ls"))
    assert code == 78
    assert_one_line(said, "SECRET_KEY is too short")
    assert "kz83hfu2ls" not in said


def test_another_server_refuses_in_one_line_too(tmp_path: Path) -> None:
    environ = production(tmp_path)
    command = ["-m", "waitress", f"--port={environ['PORT']}", "--call", "app:create_app"]
    code, said = refused(command, {**environ, "SECRET_KEY": ""})
    assert code != 0
    assert_one_line(said, "SECRET_KEY is missing")
    code, said = refused(command, environ)
    assert code != 0
    assert_one_line(said, "flask db upgrade")


def test_the_upgrade_refuses_a_newer_database_in_one_line(tmp_path: Path) -> None:
    environ = environment(sqlite_url(tmp_path), tmp_path)
    migrate(environ["DATABASE_URL"])
    engine = create_engine(environ["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    engine.dispose()
    code, said = refused(["-m", "flask", "db", "upgrade"], environ)
    assert code != 0
    assert_one_line(said, "newer version")


def test_production_refuses_a_demo_an_empty_and_a_newer_database(tmp_path: Path) -> None:
    environ = production(tmp_path)
    assert_refused(environ, "flask db upgrade")
    migrate(environ["DATABASE_URL"])
    engine = create_engine(environ["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO demo_state (seed, stands_at) VALUES (1, '2026-11-19 10:05:00.000000')")
        )
    assert_refused(environ, "demo")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    engine.dispose()
    assert_refused(environ, "newer version")


def assert_refused(environ: dict[str, str], words: str) -> None:
    code, said = refused(["app.py"], environ)
    assert code == 78
    assert_one_line(said, words)


def assert_one_line(said: str, words: str) -> None:
    assert len(said.strip().splitlines()) == 1, said
    assert words in said


# Starting together, and starting again -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_six_first_starts_at_once_make_one_schema(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = (
        sqlite_url(tmp_path)
        if kind == "sqlite"
        else str(request.getfixturevalue("postgresql").new_database())
    )
    environ = environment(url, tmp_path)
    together = [begin(["-m", "flask", "prepare"], environ) for _ in range(6)]
    said = [said_by(process, within=240) for process in together]
    assert [process.returncode for process in together] == [0] * 6, said
    engine = create_engine(url)
    with engine.connect() as connection:
        assert schema_state(connection) is SchemaState.CURRENT
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    assert set(METADATA.tables) <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_a_demo_killed_half_way_and_built_by_three_at_once_is_one_whole_demo(tmp_path: Path) -> None:
    environ = environment(sqlite_url(tmp_path), tmp_path, ENVIRONMENT="development")
    migrate(environ["DATABASE_URL"])
    engine = create_engine(environ["DATABASE_URL"])
    process = begin(SMALL_DEMO, environ)
    wait_for_rows(engine)
    process.kill()
    said_by(process)
    assert process.returncode == -signal.SIGKILL
    assert demo_states(engine) == [False]

    together = [begin(SMALL_DEMO, environ) for _ in range(3)]
    said = [said_by(one, within=180) for one in together]
    assert [one.returncode for one in together] == [0, 0, 0], said
    assert sum("Building the demo" in words for words in said) == 1
    assert demo_states(engine) == [True]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM services")) == 1
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()


def wait_for_rows(engine: Engine) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            if connection.scalar(text("SELECT count(*) FROM enrolments")):
                return
        time.sleep(0.02)
    raise AssertionError("the demo was not begun")


def demo_states(engine: Engine) -> list[bool]:
    """For each demo, whether it is finished."""
    with engine.connect() as connection:
        return [bool(finished) for finished in connection.scalars(select(DemoState.finished_at))]


# Ending ------------------------------------------------------------------------------------------------------


def test_the_server_and_the_worker_end_when_they_are_asked_to(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    migrate(url)
    environ = environment(url, tmp_path, SCHEDULER="embedded", PORT=str(free_port()))
    with serving(environ) as (server, _):
        worker = begin(["-m", "flask", "worker"], environment(url, tmp_path))
        wait_for_a_beat_of_two(url)
        for process in (server, worker):
            asked_at = time.monotonic()
            process.send_signal(signal.SIGTERM)
            said = said_by(process, within=STOPS_WITHIN)
            assert time.monotonic() - asked_at < STOPS_WITHIN
            assert process.returncode == 0, said
            assert "Traceback" not in said


def wait_for_a_beat_of_two(url: str) -> None:
    """Both schedulers have said that they live."""
    engine = create_engine(url)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            if (connection.scalar(text("SELECT count(*) FROM heartbeats")) or 0) >= 2:
                engine.dispose()
                return
        time.sleep(0.1)
    raise AssertionError("a scheduler did not begin")


def test_a_server_killed_while_people_post_has_kept_what_it_accepted(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    own_app(url, tmp_path)
    environ = environment(url, tmp_path, PORT=str(free_port()))
    accepted: list[str] = []
    with serving(environ) as (server, address):
        visitors = [Visitor(address) for _ in range(2)]
        tokens = [visitor.sign_in("pat.lane@example.net") for visitor in visitors]

        def post_on(number: int) -> None:
            for turn in range(500):
                key = f"{number:04x}{turn:012x}"
                said = {"csrf_token": tokens[number], "words": f"said {key}", "posted_key": key}
                try:
                    if visitors[number].post("/supporting/patients/1/messages", **said) == 200:
                        accepted.append(said["words"])
                except OSError:
                    return

        posting = [threading.Thread(target=post_on, args=(number,)) for number in range(2)]
        for thread in posting:
            thread.start()
        deadline = time.monotonic() + 30
        while len(accepted) < 12 and time.monotonic() < deadline:
            time.sleep(0.02)
        server.kill()
        for thread in posting:
            thread.join()
    assert len(accepted) >= 12
    assert_every_message_has_its_reminder(url, accepted)


def assert_every_message_has_its_reminder(url: str, accepted: list[str]) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        stored = dict(connection.execute(select(Message.words, Message.id)).all())
        owed = set(connection.scalars(select(Reminder.subject).where(Reminder.subject.like("message:%"))))
        twice = connection.scalar(select(func.count()).select_from(Message)) != len(stored)
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
    engine.dispose()
    assert set(accepted) - set(stored) == set()
    assert {f"message:{message_id}" for message_id in stored.values()} == owed
    assert not twice
