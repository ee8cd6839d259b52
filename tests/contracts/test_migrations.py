"""Both engines migrate from empty, twice without a change, and end with the tables that the code declares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

from icbt_support.db import declared_triggers
from icbt_support.schema import SchemaState, WrongSchema, check_schema, migrate, schema_state
from icbt_support.tables import METADATA


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fresh.sqlite'}"
    return str(request.getfixturevalue("postgresql").new_database())


@pytest.fixture
def migrated(fresh_url: str) -> Iterator[Engine]:
    migrate(fresh_url)
    migrate(fresh_url)
    engine = create_engine(fresh_url)
    yield engine
    engine.dispose()


def test_migrated_tables_are_the_declared_tables(migrated: Engine) -> None:
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, METADATA)
    assert differences == []


def test_migrated_database_holds_every_declared_trigger(migrated: Engine) -> None:
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }[migrated.dialect.name]
    with migrated.connect() as connection:
        names = set(connection.execute(text(query)).scalars())
    assert names == {trigger.name for trigger in declared_triggers()}


def test_partial_indexes_survive_migration(migrated: Engine) -> None:
    declared = {
        index.name
        for table in METADATA.sorted_tables
        for index in table.indexes
        if index.dialect_options["sqlite"].get("where") is not None
    }
    found = {
        index["name"]
        for table in METADATA.sorted_tables
        for index in inspect(migrated).get_indexes(table.name)
        if any(
            key.endswith("_where") and value is not None for key, value in index["dialect_options"].items()
        )
    }
    assert declared <= found


def test_database_of_a_newer_version_is_refused(migrated: Engine) -> None:
    with migrated.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    with migrated.connect() as connection:
        assert schema_state(connection) is SchemaState.AHEAD
        with pytest.raises(WrongSchema, match="newer version"):
            check_schema(connection)


def test_empty_database_is_refused_with_the_command_to_run(fresh_url: str) -> None:
    engine = create_engine(fresh_url)
    with engine.connect() as connection, pytest.raises(WrongSchema, match="flask db upgrade"):
        check_schema(connection)
    engine.dispose()
