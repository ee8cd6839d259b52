"""Every table says whose it is; what is append-only refuses to be changed by the database itself."""

import pytest
from flask import Flask
from sqlalchemy import Table, text
from sqlalchemy.exc import DBAPIError

from icbt_support import audit
from icbt_support.audit import Actor
from icbt_support.db import TableCare, db
from icbt_support.tables import METADATA
from tests.conftest import THURSDAY


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: table.name)
def test_table_says_whose_it_is_how_long_it_is_kept_and_what_erasure_does(table: Table) -> None:
    assert isinstance(table.info.get("care"), TableCare)


@pytest.mark.parametrize("statement", ["UPDATE audit_lines SET action = 'x'", "DELETE FROM audit_lines"])
def test_the_database_refuses_to_change_the_audit(app: Flask, statement: str) -> None:
    audit.record("signed_in", by=Actor.system("test"), now=THURSDAY)
    db.session.commit()
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(statement))
