"""Mails that never leave the house: the development mailbox."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from icbt_support.db import Base, Erasure, Keep, Subject, UtcDateTime, WithId, care


class MailboxMail(WithId, Base):
    """A mail as it would have gone out. Addresses below example.org end here, whatever the settings."""

    __tablename__ = "mailbox_mails"

    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    address: Mapped[str] = mapped_column(String(254))
    data: Mapped[bytes] = mapped_column(LargeBinary)
    arrived_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_mailbox_mails_arrived", "arrived_at"),
        care(Subject.ACCOUNT, Keep.DAYS_90, Erasure.DELETE),
    )
