"""Who leads, which trainings there are and who has done them, and the service's targets."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from icbt_support.accounts.models import Account
from icbt_support.db import Base, Erasure, Keep, RowId, Subject, UtcDateTime, WithId, care, text_enum
from icbt_support.implementation.rules import LeadKind, NeededBy, Targets


class ServiceLead(WithId, Base):
    """A person whom the service has named; ended, never deleted."""

    __tablename__ = "service_leads"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    kind: Mapped[LeadKind] = mapped_column(text_enum(LeadKind))
    account_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    named_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship()

    __table_args__ = (
        Index(
            "uq_service_leads_now",
            "service_id",
            "kind",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        care(Subject.STAFF, Keep.WHILE_SERVICE_LIVES, Erasure.DELETE),
    )


class Training(WithId, Base):
    """A training that the service keeps a list of; the training itself comes from elsewhere."""

    __tablename__ = "trainings"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    needed_by: Mapped[NeededBy] = mapped_column(text_enum(NeededBy))
    valid_months: Mapped[int | None]
    posted_key: Mapped[str] = mapped_column(String(40))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("uq_trainings_posted", "service_id", "posted_key", unique=True),
        care(Subject.SERVICE, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),
    )


class TrainingCompletion(WithId, Base):
    """A person says that they have done a training on a day; a lead or an administrator confirms it."""

    __tablename__ = "training_completions"

    training_id: Mapped[int] = mapped_column(RowId, ForeignKey("trainings.id"))
    account_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    completed_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_by: Mapped[int | None] = mapped_column(RowId, ForeignKey("accounts.id"))

    training: Mapped[Training] = relationship()
    account: Mapped[Account] = relationship(foreign_keys=[account_id])

    __table_args__ = (
        Index("uq_training_completions_day", "training_id", "account_id", "completed_on", unique=True),
        care(Subject.STAFF, Keep.WHILE_ACCOUNT_LIVES, Erasure.DELETE),
    )


class ServiceTargets(Base):
    """What the service wants to reach each month, by its own decision."""

    __tablename__ = "service_targets"

    service_id: Mapped[int] = mapped_column(
        RowId, ForeignKey("services.id"), primary_key=True, autoincrement=False
    )
    stored: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (care(Subject.SERVICE, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),)

    @property
    def targets(self) -> Targets:
        return Targets.from_json(self.stored)
