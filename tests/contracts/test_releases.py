"""From every released version: the schema of a fresh database, no row lost, kills survived, and pages that open."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from icbt_support.accounts.queries import find_account_by_email
from icbt_support.activity.models import ActivityPerson
from icbt_support.activity.rebuilding import rebuild_figures
from icbt_support.db import db
from icbt_support.factory import create_app
from icbt_support.schema import SchemaState, WrongSchema, check_schema, migrate, schema_state
from icbt_support.settings import read_settings
from tests.browsing import PageClient, SeparateClient
from tests.contracts.released import REVISIONS, Rows, build_release, expected_rows, stored_rows

KILLS_AFTER_SECONDS = (0.02, 0.1, 0.25)
MIGRATE = "import sys; from icbt_support.schema import migrate; print(flush=True); migrate(sys.argv[1])"


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    if request.param == "sqlite":
        names = iter(range(10))
        return lambda: f"sqlite:///{tmp_path / f'{next(names)}.sqlite'}"
    return request.getfixturevalue("postgresql").new_database  # type: ignore[no-any-return]


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_row_of_a_released_version_comes_through_a_killed_migration(
    new_url: Callable[[], str], revision: str, tmp_path: Path
) -> None:
    url, fresh = new_url(), new_url()
    build_release(url, revision)
    engine, fresh_engine = create_engine(url), create_engine(fresh)
    with engine.connect() as connection:
        assert schema_state(connection) is SchemaState.BEHIND
        with pytest.raises(WrongSchema, match="flask db upgrade"):
            check_schema(connection)
    for seconds in KILLS_AFTER_SECONDS:
        _migrate_and_kill(url, seconds)
    migrate(url)
    migrate(url)
    migrate(fresh)
    assert _sorted(stored_rows(engine, revision)) == _sorted(expected_rows(engine, revision))
    assert _shape(engine) == _shape(fresh_engine)
    engine.dispose()
    fresh_engine.dispose()
    _people_find_their_pages(url, tmp_path)


def _migrate_and_kill(url: str, seconds: float) -> None:
    with subprocess.Popen([sys.executable, "-c", MIGRATE, url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


def _sorted(tables: Rows) -> dict[str, list[str]]:
    return {
        name: sorted(repr(sorted((column, _in_utc(value)) for column, value in row.items())) for row in rows)
        for name, rows in tables.items()
    }


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def _shape(engine: Engine) -> dict[str, Any]:
    """Columns, rules, indexes and triggers as the database itself names them."""
    found = inspect(engine)
    shape: dict[str, Any] = {
        table: {
            "columns": {one["name"]: (str(one["type"]), one["nullable"]) for one in found.get_columns(table)},
            "checks": sorted(
                (str(one["name"]), one["sqltext"]) for one in found.get_check_constraints(table)
            ),
            "indexes": {
                str(one["name"]): (one["column_names"], one["unique"]) for one in found.get_indexes(table)
            },
            "keys": sorted(str(one["name"]) for one in found.get_foreign_keys(table)),
        }
        for table in found.get_table_names()
    }
    triggers = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
    }[engine.dialect.name]
    with engine.connect() as connection:
        shape["triggers"] = list(connection.execute(text(triggers)).scalars())
    return shape


def _people_find_their_pages(url: str, tmp_path: Path) -> None:
    app = create_app(
        read_settings(
            {
                "ENVIRONMENT": "test",
                "DATABASE_URL": url,
                "BASE_URL": "https://course.example.net",
                "JOURNAL_DIR": str(tmp_path),
                "SCHEDULER": "off",
            }
        )
    )
    app.test_client_class = SeparateClient
    homes = {
        "patient": "/week",
        "supporter": "/supporting/today",
        "clinician": "/clinical/engagement",
        "admin": "/admin/jobs",
    }
    with app.app_context():
        figures = _figures_of_people()
        rebuild_figures()
        assert figures == _figures_of_people()
        for name, path in homes.items():
            account = find_account_by_email(f"{name}@example.org")
            assert account is not None
            assert PageClient(app).sign_in(account).get(path).status_code == 200


def _figures_of_people() -> list[Any]:
    table = ActivityPerson.__table__
    return list(db.session.execute(table.select().order_by(table.c.enrolment_id)).all())
