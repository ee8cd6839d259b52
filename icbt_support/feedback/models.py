"""What people report about the product, and what came of it."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from icbt_support.db import Base, EncryptedText, Erasure, Keep, Subject, UtcDateTime, WithId, care


class ProblemReport(WithId, Base):
    """A problem or an idea, from any page; the page and the version come with it, clinical text only if typed."""

    __tablename__ = "problem_reports"

    service_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    reported_by: Mapped[int | None] = mapped_column(BigInteger)
    page: Mapped[str] = mapped_column(String(200), default="")
    product_version: Mapped[str] = mapped_column(String(40), default="")
    words: Mapped[str] = mapped_column(EncryptedText)
    reported_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (care(Subject.ACCOUNT, Keep.DAYS_400, Erasure.BLANK),)
