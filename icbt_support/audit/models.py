"""Append-only lines, and the seals that make a change to them visible."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from icbt_support.db import Base, Erasure, Keep, Subject, UtcDateTime, WithId, care, refuse_changes, text_enum


class ActorKind(StrEnum):
    PERSON = "person"
    SYSTEM = "system"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Actor:
    """Who acts: a person in a role, the system's own jobs, or an operator at the command line."""

    kind: ActorKind
    account_id: int | None = None
    role: str = ""
    service_id: int | None = None
    request_id: str = ""
    address: str = ""

    @classmethod
    def system(cls, job: str) -> "Actor":
        return cls(ActorKind.SYSTEM, role=job)

    @classmethod
    def operator(cls, command: str) -> "Actor":
        return cls(ActorKind.OPERATOR, role=command)


class AuditLine(WithId, Base):
    """One act or one read. Ids and words of our own only: never what a person typed."""

    __tablename__ = "audit_lines"

    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_kind: Mapped[ActorKind] = mapped_column(text_enum(ActorKind))
    actor_account_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_role: Mapped[str] = mapped_column(String(60), default="")
    service_id: Mapped[int | None] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(String(80))
    object_kind: Mapped[str] = mapped_column(String(40), default="")
    object_id: Mapped[int | None] = mapped_column(BigInteger)
    enrolment_id: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[str] = mapped_column(String(300), default="")
    address: Mapped[str] = mapped_column(String(60), default="")
    request_id: Mapped[str] = mapped_column(String(40), default="")
    seal_id: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index("ix_audit_lines_enrolment_at", "enrolment_id", "at"),
        Index("ix_audit_lines_service_at", "service_id", "at"),
        Index(
            "ix_audit_lines_unsealed",
            "id",
            sqlite_where=text("seal_id IS NULL"),
            postgresql_where=text("seal_id IS NULL"),
        ),
        care(Subject.NOBODY, Keep.AUDIT, Erasure.KEEP),
    )


class AuditSeal(WithId, Base):
    """A seal over a run of committed lines: their digest, chained to the seal before it, under a key kept outside."""

    __tablename__ = "audit_seals"

    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    line_count: Mapped[int]
    first_line_id: Mapped[int] = mapped_column(BigInteger)
    last_line_id: Mapped[int] = mapped_column(BigInteger)
    merkle_root: Mapped[str] = mapped_column(String(64))
    previous_mac: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))

    __table_args__ = (care(Subject.NOBODY, Keep.AUDIT, Erasure.KEEP),)


SEALED_COLUMNS = (
    "id",
    "at",
    "actor_kind",
    "actor_account_id",
    "actor_role",
    "service_id",
    "action",
    "object_kind",
    "object_id",
    "enrolment_id",
    "detail",
    "address",
    "request_id",
)
refuse_changes("audit_lines", frozen_columns=SEALED_COLUMNS)
refuse_changes("audit_seals")
