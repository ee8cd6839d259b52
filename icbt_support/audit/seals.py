"""Seals over committed lines, and the check that names the first one altered, missing or unsealed.

A chain in the write path would make every writer wait for the one before; a job seals what has been committed.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update

from icbt_support.audit.models import SEALED_COLUMNS, AuditLine, AuditSeal
from icbt_support.db import db

BATCH = 5_000
NO_SEAL = "0" * 64


@dataclass(frozen=True)
class Finding:
    """What `verify_audit` found first, in words; `line_id` where one line is to blame."""

    message: str
    line_id: int | None = None


def seal_lines(*, key: bytes, now: datetime) -> int:
    """Seals up to 5,000 committed lines; returns how many."""
    lines = db.session.scalars(
        select(AuditLine).where(AuditLine.seal_id.is_(None)).order_by(AuditLine.id).limit(BATCH)
    ).all()
    if not lines:
        return 0
    previous = db.session.scalar(select(AuditSeal.mac).order_by(AuditSeal.id.desc()).limit(1)) or NO_SEAL
    root = _merkle_root([_digest(line) for line in lines])
    seal = AuditSeal(
        sealed_at=now,
        line_count=len(lines),
        first_line_id=lines[0].id,
        last_line_id=lines[-1].id,
        merkle_root=root,
        previous_mac=previous,
        mac=_mac(key, previous, root, len(lines)),
    )
    db.session.add(seal)
    db.session.flush()
    db.session.execute(
        update(AuditLine).where(AuditLine.id.in_([line.id for line in lines])).values(seal_id=seal.id)
    )
    return len(lines)


def verify_audit(
    *, key: bytes, now: datetime, unsealed_after: timedelta = timedelta(minutes=5)
) -> Finding | None:
    """The first thing wrong with the audit, or None. Lines younger than `unsealed_after` may be unsealed."""
    previous = NO_SEAL
    for seal in db.session.scalars(select(AuditSeal).order_by(AuditSeal.id)).yield_per(50):
        finding = _check_seal(seal, previous, key)
        if finding is not None:
            return finding
        previous = seal.mac
    oldest = db.session.execute(
        select(AuditLine.id, AuditLine.at)
        .where(AuditLine.seal_id.is_(None), AuditLine.at < now - unsealed_after)
        .order_by(AuditLine.id)
        .limit(1)
    ).first()
    if oldest is not None:
        return Finding(f"Line {oldest.id} is older than {unsealed_after} and unsealed.", oldest.id)
    stray = db.session.scalar(
        select(func.min(AuditLine.id)).where(
            AuditLine.seal_id.is_not(None), AuditLine.seal_id.not_in(select(AuditSeal.id))
        )
    )
    return Finding(f"Line {stray} names a seal that does not exist.", stray) if stray is not None else None


def _check_seal(seal: AuditSeal, previous: str, key: bytes) -> Finding | None:
    if seal.previous_mac != previous:
        return Finding(f"Before seal {seal.id}, a seal is missing.")
    if not hmac.compare_digest(seal.mac, _mac(key, previous, seal.merkle_root, seal.line_count)):
        return Finding(f"Seal {seal.id} was not made with this key, or was altered.")
    lines = db.session.scalars(
        select(AuditLine).where(AuditLine.seal_id == seal.id).order_by(AuditLine.id)
    ).all()
    if len(lines) != seal.line_count:
        missing = f"{seal.line_count} sealed, {len(lines)} found"
        return Finding(
            f"In seal {seal.id}, between lines {seal.first_line_id} and {seal.last_line_id}: {missing}."
        )
    if _merkle_root([_digest(line) for line in lines]) != seal.merkle_root:
        return Finding(
            f"A line of seal {seal.id}, between {seal.first_line_id} and {seal.last_line_id}, was altered.",
            seal.first_line_id,
        )
    return None


def _digest(line: AuditLine) -> bytes:
    values = [getattr(line, column) for column in SEALED_COLUMNS]
    parts = [v.astimezone(UTC).isoformat() if isinstance(v, datetime) else str(v) for v in values]
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def _merkle_root(leaves: Sequence[bytes]) -> str:
    level = list(leaves)
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        level = [hashlib.sha256(level[i] + level[i + 1]).digest() for i in range(0, len(level), 2)]
    return level[0].hex()


def _mac(key: bytes, previous: str, root: str, count: int) -> str:
    return hmac.new(key, f"{previous}{root}{count}".encode(), hashlib.sha256).hexdigest()
