"""What people report about the product, who answers, and what came of it."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from icbt_support.accounts.models import Account, Role
from icbt_support.db import (
    Base,
    EncryptedText,
    Erasure,
    Keep,
    RowId,
    Subject,
    UtcDateTime,
    WithId,
    care,
    text_enum,
)
from icbt_support.feedback.rules import CLOSED_STATES, AnswerKind, AnswerSide, ReportKind, ReportState


class ProblemReport(WithId, Base):
    """A problem or an idea, from any page; the page and the version come with it, clinical text only if typed.

    `words` are what the person typed and stay in the service. `vendor_words` are what the vendor reads: written or
    confirmed at triage. `said_words` and `did_words` are what everybody of the service reads once the report is
    `published_at`. `news_at` is when the person who reported last got an answer, `news_read_at` when they read it.
    """

    __tablename__ = "problem_reports"

    service_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    reported_by: Mapped[int | None] = mapped_column(BigInteger)
    reported_as: Mapped[Role | None] = mapped_column(text_enum(Role))
    posted_key: Mapped[str | None] = mapped_column(String(40))
    kind: Mapped[ReportKind] = mapped_column(
        text_enum(ReportKind), default=ReportKind.PROBLEM, server_default=ReportKind.PROBLEM.value
    )
    state: Mapped[ReportState] = mapped_column(
        text_enum(ReportState), default=ReportState.NEW, server_default=ReportState.NEW.value
    )
    page: Mapped[str] = mapped_column(String(200), default="")
    product_version: Mapped[str] = mapped_column(String(40), default="")
    words: Mapped[str] = mapped_column(EncryptedText)
    vendor_words: Mapped[str | None] = mapped_column(EncryptedText)
    closing_words: Mapped[str | None] = mapped_column(EncryptedText)
    said_words: Mapped[str | None] = mapped_column(EncryptedText)
    did_words: Mapped[str | None] = mapped_column(EncryptedText)
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    reported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    triaged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_to_vendor_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    news_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    news_read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    answers: Mapped[list["ReportAnswer"]] = relationship(
        back_populates="report", order_by="ReportAnswer.id", lazy="selectin"
    )

    __table_args__ = (
        Index("uq_problem_reports_posted", "reported_by", "posted_key", unique=True),
        care(Subject.ACCOUNT, Keep.DAYS_400, Erasure.BLANK),
    )

    @property
    def is_closed(self) -> bool:
        return self.state in CLOSED_STATES

    @property
    def has_news(self) -> bool:
        """Whether the person who reported has an answer that they have not read."""
        return self.news_at is not None and (self.news_read_at is None or self.news_read_at < self.news_at)


class ReportAnswer(WithId, Base):
    """An answer to the person who reported, or a note between the service and the vendor."""

    __tablename__ = "report_answers"

    report_id: Mapped[int] = mapped_column(RowId, ForeignKey("problem_reports.id"), index=True)
    author_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    posted_key: Mapped[str] = mapped_column(String(40))
    side: Mapped[AnswerSide] = mapped_column(text_enum(AnswerSide))
    kind: Mapped[AnswerKind] = mapped_column(text_enum(AnswerKind))
    words: Mapped[str] = mapped_column(EncryptedText)
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime)

    report: Mapped[ProblemReport] = relationship(back_populates="answers")
    author: Mapped[Account] = relationship()

    __table_args__ = (
        Index("uq_report_answers_posted", "author_id", "posted_key", unique=True),
        care(Subject.ACCOUNT, Keep.DAYS_400, Erasure.BLANK),
    )
