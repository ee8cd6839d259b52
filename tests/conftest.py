"""Fixtures that every test may use: the application, a clean database on either engine, and the cast."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from icbt_support import clock
from icbt_support.db import Base, assert_triggers, db
from icbt_support.factory import create_app
from icbt_support.settings import Settings, read_settings
from icbt_support.tables import METADATA
from tests.browsing import PageClient, SeparateClient
from tests.cast import Cast, make_cast
from tests.postgresql import PostgresqlServer

THURSDAY = datetime(2026, 11, 19, 10, 5, tzinfo=UTC)
ON_BOTH = ("concepts", "jobs", "faults")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Concepts and jobs run on both engines; the rest once, on SQLite, unless ALL_ENGINES is set."""
    if "engine_name" not in metafunc.fixturenames:
        return
    folder = Path(str(metafunc.definition.path)).relative_to(Path(__file__).parent).parts[0]
    both = folder in ON_BOTH or os.environ.get("ALL_ENGINES") == "1"
    names = ("sqlite", "postgresql") if both else ("sqlite",)
    wanted = os.environ.get("TEST_ENGINE")
    chosen = [name for name in names if wanted in (None, name)] or ["sqlite"]
    metafunc.parametrize("engine_name", chosen, scope="session")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresqlServer]:
    """One server for the whole run, shared by all workers."""
    server = PostgresqlServer.shared(tmp_path_factory)
    yield server
    server.release()


@pytest.fixture(scope="session")
def database_url(
    engine_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> str:
    if engine_name == "postgresql":
        server: PostgresqlServer = request.getfixturevalue("postgresql")
        return server.new_database()
    return f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.sqlite'}"


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return read_settings(
        {
            "ENVIRONMENT": "test",
            "DATABASE_URL": database_url,
            "BASE_URL": "https://course.example.net",
            "JOURNAL_DIR": str(tmp_path_factory.mktemp("journal")),
            "SCHEDULER": "off",
        }
    )


@pytest.fixture(scope="session")
def built_app(settings: Settings) -> Iterator[Flask]:
    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        assert_triggers(connection)
    engine.dispose()
    app = create_app(settings)
    app.test_client_class = SeparateClient
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(built_app: Flask) -> Iterator[Flask]:
    """The application in an app context: empty tables, and the clock stopped at Thursday 19 November 2026, 10.05am."""
    clock.stop_clock_at(THURSDAY)
    with built_app.app_context():
        empty_tables()
        yield built_app
        db.session.rollback()
        db.session.remove()
    clock.let_clock_run()


@pytest.fixture
def now(app: Flask) -> datetime:
    return THURSDAY


@pytest.fixture
def cast(app: Flask) -> Cast:
    """A patient, her supporter, her clinician, and people elsewhere; see `tests/cast.py`."""
    people = make_cast(now=THURSDAY)
    db.session.commit()
    return people


@pytest.fixture
def client(app: Flask) -> PageClient:
    """A browser without a sign-in that checks every page it gets."""
    return PageClient(app)


def empty_tables() -> None:
    db.session.rollback()
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            names = ", ".join(table.name for table in Base.metadata.sorted_tables)
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
            connection.execute(text("SET session_replication_role = DEFAULT"))
            connection.commit()
            return
        triggers = (
            connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        )
        for name in triggers:
            connection.execute(text(f"DROP TRIGGER {name}"))
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
        assert_triggers(connection)
        connection.commit()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds spent in each folder, over all processes, slowest first."""
    spent: dict[str, float] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folder = "/".join(report.nodeid.split("/")[:2])
                spent[folder] = spent.get(folder, 0) + report.duration
    terminalreporter.section("seconds per folder")
    for folder, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        terminalreporter.write_line(f"{seconds:8.1f}  {folder}")
