"""Runs the revisions on the database that the application is set to, on SQLite and PostgreSQL alike."""

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import CreateTableOp, MigrationScript
from sqlalchemy import Connection, create_engine, pool

from icbt_support.cli import said_in_one_sentence
from icbt_support.db import EncryptedJson, EncryptedText, UtcDateTime, assert_triggers, writing
from icbt_support.schema import refuse_newer
from icbt_support.settings import read_settings
from icbt_support.tables import METADATA


def database_url() -> str:
    return str(context.config.attributes.get("database_url") or read_settings().database_url)


def render_item(kind: str, item: object, _context: AutogenContext) -> str | bool:
    """Our own column types stand in a revision as what the database knows, so that a revision never changes."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, EncryptedText | EncryptedJson):
        return "sa.Text()"
    return False


def leave_out_our_notes(_context: object, _revision: object, directives: list[MigrationScript]) -> None:
    """What a table says about its care is for the code, not for the database."""
    for directive in directives:
        for operation in directive.upgrade_ops.ops if directive.upgrade_ops else ():
            if isinstance(operation, CreateTableOp):
                operation.info = {}


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
        process_revision_directives=leave_out_our_notes,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
        assert_triggers(connection)
        check_references(connection)


def stop_checking_references(connection: Connection) -> None:
    """A table that SQLite makes again is dropped first, which its rows' references would forbid."""
    if connection.dialect.name == "sqlite":
        connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")


def check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise ValueError(f"The migration would leave references to rows that are gone: {broken[:5]}")


connection = context.config.attributes.get("connection")
if connection is not None:
    run(connection)
else:
    engine = create_engine(database_url(), poolclass=pool.NullPool)
    with said_in_one_sentence(), writing(), engine.connect() as connection:
        stop_checking_references(connection)  # First, for inside a transaction SQLite does not listen to it.
        refuse_newer(connection)
        run(connection)
        connection.commit()
