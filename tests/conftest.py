"""Fixtures that every test may use: the application, a clean database on either engine, and the cast."""

import gc
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import create_engine

from icbt_support import clock
from icbt_support.db import assert_triggers, db
from icbt_support.factory import create_app
from icbt_support.settings import Settings, read_settings
from icbt_support.tables import METADATA
from tests.browsing import PageClient, SeparateClient
from tests.cast import Cast, make_cast
from tests.clean_slate import empty_tables, made_once
from tests.disk import do_not_wait_for_the_disk
from tests.postgresql import PostgresqlServer

# How fast examples come is the machine's business.
hypothesis.settings.register_profile(
    "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")
# Applications and pages of a run stay until its end: looking for circles among them at the usual pace is waste.
gc.set_threshold(50_000, 20, 20)
THURSDAY = datetime(2026, 11, 19, 10, 5, tzinfo=UTC)
ON_BOTH = ("concepts", "jobs", "faults")


# What takes longest begins first, so that no process is left with it alone at the end; the rest comes as it is named.
LONGEST_FIRST = (
    "faults/test_kills.py",
    "journeys/test_whole_course_in_a_browser.py",
    "browser/test_every_page.py",
    "contracts/test_bad_input.py",
    "journeys/test_demo.py",
    "journeys/test_demo_clock.py",
    "faults/test_processes.py",
    "faults/test_item9_kill.py",
    "faults/test_database_away.py",
    "faults/test_full_disk.py",
    "journeys",
    "contracts",
    "concepts",
    "pages",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn_of(item.path.relative_to(Path(__file__).parent)))


def turn_of(path: Path) -> tuple[int, str]:
    """For the whole file, so that its tests stay together and in their order."""
    names = (path.as_posix(), path.parts[0])
    turns = [turn for turn, name in enumerate(LONGEST_FIRST) if name in names]
    return (min(turns, default=len(LONGEST_FIRST)), path.as_posix())


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


class TemplatesCompiledOnce(FileSystemBytecodeCache):
    """Keeps nothing when there is no room, as the product does, which keeps no compiled templates at all."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


@pytest.fixture(scope="session", autouse=True)
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every application of the run finds templates as the first that needed them compiled them."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "templates"
    folder.mkdir(exist_ok=True)
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": TemplatesCompiledOnce(str(folder))}


@pytest.fixture(scope="session")
def built_apps() -> Iterator[dict[str, Flask]]:
    """The applications of this process by engine: going from one engine to the other and back builds nothing."""
    apps: dict[str, Flask] = {}
    yield apps
    for app in apps.values():
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="session")
def built_app(
    engine_name: str,
    built_apps: dict[str, Flask],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Flask:
    if engine_name not in built_apps:
        folder = tmp_path_factory.mktemp(engine_name)
        url = f"sqlite:///{folder / 'test.sqlite'}"
        if engine_name == "postgresql":
            server: PostgresqlServer = request.getfixturevalue("postgresql")
            url = server.new_database()
        built_apps[engine_name] = build_app(url, folder)
    return built_apps[engine_name]


def build_app(database_url: str, folder: Path) -> Flask:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        assert_triggers(connection)
    engine.dispose()
    app = create_app(
        read_settings(
            {
                "ENVIRONMENT": "test",
                "DATABASE_URL": database_url,
                "BASE_URL": "https://course.example.net",
                "JOURNAL_DIR": str(folder),
                "SCHEDULER": "off",
            }
        )
    )
    app.test_client_class = SeparateClient
    with app.app_context():
        do_not_wait_for_the_disk(db.engine)
    return app


@pytest.fixture(scope="session")
def settings(built_app: Flask) -> Settings:
    kept: Settings = built_app.config["SETTINGS"]
    return kept


@pytest.fixture(scope="session")
def database_url(settings: Settings) -> str:
    return settings.database_url


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
    return made_once("cast", lambda: make_cast(now=THURSDAY))


@pytest.fixture
def client(app: Flask) -> PageClient:
    """A browser without a sign-in that checks every page it gets."""
    return PageClient(app)


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
