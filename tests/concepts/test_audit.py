"""Seals name what was altered, is missing or was never sealed."""

from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import text

from icbt_support import audit
from icbt_support.audit import Actor
from icbt_support.audit.seals import seal_lines, verify_audit
from icbt_support.db import db

KEY = b"kept outside the database"
BY = Actor.system("test")


def write_lines(count: int, now: datetime) -> None:
    for number in range(count):
        audit.record("looked", by=BY, now=now, object_id=number)
    db.session.commit()


def tamper(statement: str) -> None:
    """As somebody with the database's own powers would."""
    if db.engine.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            db.session.execute(text(f"DROP TRIGGER audit_lines_refuse_{verb}"))
    else:
        db.session.execute(text("SET session_replication_role = replica"))
    db.session.execute(text(statement))
    if db.engine.dialect.name != "sqlite":
        db.session.execute(text("SET session_replication_role = DEFAULT"))
    db.session.commit()
    db.session.expire_all()


def test_sealed_lines_verify_and_a_second_batch_chains_on(app: Flask, now: datetime) -> None:
    for _ in range(2):
        write_lines(3, now)
        assert seal_lines(key=KEY, now=now) == 3
        db.session.commit()
    assert verify_audit(key=KEY, now=now) is None
    assert verify_audit(key=b"another key", now=now) is not None


def test_an_altered_line_is_named_by_its_seal(app: Flask, now: datetime) -> None:
    write_lines(4, now)
    seal_lines(key=KEY, now=now)
    db.session.commit()
    tamper("UPDATE audit_lines SET action = 'never happened' WHERE object_id = 2")
    finding = verify_audit(key=KEY, now=now)
    assert finding is not None
    assert "altered" in finding.message


def test_a_missing_line_is_noticed(app: Flask, now: datetime) -> None:
    write_lines(4, now)
    seal_lines(key=KEY, now=now)
    db.session.commit()
    tamper("DELETE FROM audit_lines WHERE object_id = 2")
    finding = verify_audit(key=KEY, now=now)
    assert finding is not None
    assert "4 sealed, 3 found" in finding.message


def test_a_line_that_stays_unsealed_is_named(app: Flask, now: datetime) -> None:
    write_lines(1, now)
    assert verify_audit(key=KEY, now=now) is None
    finding = verify_audit(key=KEY, now=now + timedelta(minutes=6))
    assert finding is not None
    assert finding.line_id is not None
