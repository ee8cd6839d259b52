"""People who sign in, what they may do where, and how they like to be written to."""

from datetime import datetime, time
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from icbt_support.db import Base, Erasure, Keep, RowId, Subject, UtcDateTime, WithId, care, text_enum
from icbt_support.service.models import Service


class Role(StrEnum):
    PATIENT = "patient"
    SUPPORTER = "supporter"
    CLINICIAN = "clinician"
    ADMINISTRATOR = "administrator"
    VENDOR = "vendor"


STAFF_ROLES = (Role.SUPPORTER, Role.CLINICIAN, Role.ADMINISTRATOR)


class Account(WithId, Base):
    """One person. `password_hash` is empty until an invitation is taken up."""

    __tablename__ = "accounts"

    email: Mapped[str] = mapped_column(String(254), unique=True)
    full_name: Mapped[str] = mapped_column(String(120))
    called: Mapped[str] = mapped_column(String(60))
    zone: Mapped[str] = mapped_column(String(60), default="Europe/London")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    address_bounced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    memberships: Mapped[list["Membership"]] = relationship(back_populates="account", order_by="Membership.id")
    preferences: Mapped["ContactPreferences"] = relationship(back_populates="account")

    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_is_lower_case"),
        care(Subject.ACCOUNT, Keep.WHILE_ACCOUNT_LIVES, Erasure.BLANK),
    )

    @property
    def initials(self) -> str:
        words = [word for word in self.full_name.split() if word[0].isalpha() and word not in ("Dr", "Prof")]
        return (words[0][0] + words[-1][0]).upper() if len(words) > 1 else self.full_name[:2].upper()


class Membership(WithId, Base):
    """A role that a person holds in a service; ended, never deleted."""

    __tablename__ = "memberships"

    account_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"))
    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"), index=True)
    role: Mapped[Role] = mapped_column(text_enum(Role))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship(back_populates="memberships")
    service: Mapped[Service] = relationship()

    __table_args__ = (
        Index(
            "uq_memberships_open",
            "account_id",
            "service_id",
            "role",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        care(Subject.ACCOUNT, Keep.WHILE_ACCOUNT_LIVES, Erasure.KEEP),
    )


class SignIn(WithId, Base):
    """A session held on the server; the cookie carries a token of which only the hash is kept."""

    __tablename__ = "sign_ins"

    account_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    address: Mapped[str] = mapped_column(String(60), default="")

    account: Mapped[Account] = relationship()

    __table_args__ = (care(Subject.ACCOUNT, Keep.DAYS_90, Erasure.DELETE),)


class LinkPurpose(StrEnum):
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset"  # noqa: S105 (a purpose, not a secret)


class AccountLink(WithId, Base):
    """A link owed to an account by mail; the token itself is made when the mail is rendered (`links.py`)."""

    __tablename__ = "account_links"

    account_id: Mapped[int] = mapped_column(RowId, ForeignKey("accounts.id"), index=True)
    purpose: Mapped[LinkPurpose] = mapped_column(text_enum(LinkPurpose))
    nonce: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship()

    __table_args__ = (care(Subject.ACCOUNT, Keep.DAYS_400, Erasure.DELETE),)


class Throttle(Base):
    """Attempts counted per key (an account, an address) in a window of real time; survives restarts."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    window_started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int]

    __table_args__ = (care(Subject.NOBODY, Keep.DAYS_90, Erasure.DELETE),)


class Wording(StrEnum):
    """How much an email may say."""

    DISCREET = "discreet"
    WITH_DETAIL = "with_detail"


class PromptLevel(StrEnum):
    """How many prompts a person wishes to get."""

    ALL = "all"
    FEWER = "fewer"
    OFF = "off"


class SessionEmail(StrEnum):
    """Which planned session is emailed about."""

    FIRST = "first"
    EVERY = "every"
    NONE = "none"


class ContactPreferences(Base):
    """How a person likes to be reached; an email comes `session_lead_minutes` before a session."""

    __tablename__ = "contact_preferences"

    account_id: Mapped[int] = mapped_column(
        RowId, ForeignKey("accounts.id"), primary_key=True, autoincrement=False
    )
    wording: Mapped[Wording] = mapped_column(text_enum(Wording), default=Wording.DISCREET)
    prompts: Mapped[PromptLevel] = mapped_column(text_enum(PromptLevel), default=PromptLevel.ALL)
    session_email: Mapped[SessionEmail] = mapped_column(text_enum(SessionEmail), default=SessionEmail.EVERY)
    session_lead_minutes: Mapped[int] = mapped_column(default=30)
    check_in_time: Mapped[time] = mapped_column(default=time(18))
    quiet_from: Mapped[time] = mapped_column(default=time(21))
    quiet_until: Mapped[time] = mapped_column(default=time(8))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship(back_populates="preferences")

    __table_args__ = (care(Subject.ACCOUNT, Keep.WHILE_ACCOUNT_LIVES, Erasure.DELETE),)


class SupporterProfile(Base):
    """What patients are told about their supporter."""

    __tablename__ = "supporter_profiles"

    account_id: Mapped[int] = mapped_column(
        RowId, ForeignKey("accounts.id"), primary_key=True, autoincrement=False
    )
    job_title: Mapped[str] = mapped_column(String(80), default="Supporter")
    about: Mapped[str] = mapped_column(String(600), default="")

    __table_args__ = (care(Subject.STAFF, Keep.WHILE_ACCOUNT_LIVES, Erasure.DELETE),)


class SupporterPhoto(Base):
    """A small picture that a supporter shows to their own patients: made anew by `photos`, without metadata."""

    __tablename__ = "supporter_photos"

    account_id: Mapped[int] = mapped_column(
        RowId, ForeignKey("accounts.id"), primary_key=True, autoincrement=False
    )
    image: Mapped[bytes] = mapped_column(LargeBinary)
    alt: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (care(Subject.STAFF, Keep.WHILE_ACCOUNT_LIVES, Erasure.DELETE),)
