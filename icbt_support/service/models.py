"""The tenant and its numbers."""

from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from icbt_support.db import Base, Erasure, Keep, RowId, Subject, UtcDateTime, WithId, care, text_enum


@dataclass(frozen=True)
class RhythmSettings:
    """The numbers of a service's rhythm, with the defaults of the product."""

    welcome_working_days: int = 2
    invitation_days: int = 14
    invitation_prompt_days: tuple[int, ...] = (2, 6)
    never_started_call_day: int = 8
    never_started_close_day: int = 21
    check_in_opens_days: int = 3
    check_in_asked_days: int = 1
    review_promised_hour: int = 17
    review_warning_minutes: int = 120
    next_date_promised_hour: int = 12
    late_opens_working_days: int = 2
    merge_under_days: int = 3
    quiet_prompts_stop_days: int = 7
    quiet_call_days: int = 14
    quiet_decide_days: int = 21
    longest_away_days: int = 21
    message_unread_working_days: int = 2
    prompts_a_day: int = 1
    prompts_in_seven_days: int = 3
    quiet_from_hour: int = 21
    quiet_until_hour: int = 8
    held_back_after_writing_hours: int = 24
    acknowledge_urgent_minutes: int = 15
    acknowledge_same_day_minutes: int = 120
    known_lapses_days: int = 28
    contact_sheet_confirm_days: int = 28
    high_phq9_at_start: int = 20
    booster_after_days: int = 28
    booster_open_days: int = 14
    booster_read_working_days: int = 2

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "RhythmSettings":
        known = {field.name for field in fields(cls)}
        kept = {name: value for name, value in stored.items() if name in known}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in kept.items()}
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


class Brand(StrEnum):
    """The look of a service: a class of the style sheet, since the content policy forbids inline style."""

    TEAL = "teal"
    NAVY = "navy"
    PLUM = "plum"
    FOREST = "forest"
    SLATE = "slate"


class Service(WithId, Base):
    """One service: every clinical row names it."""

    __tablename__ = "services"

    name: Mapped[str] = mapped_column(String(120), unique=True)
    product_name: Mapped[str] = mapped_column(String(60), default="Online course")
    sender_name: Mapped[str] = mapped_column(String(60), default="Online course")
    brand: Mapped[Brand] = mapped_column(text_enum(Brand), default=Brand.TEAL)
    zone: Mapped[str] = mapped_column(String(60), default="Europe/London")
    country: Mapped[str] = mapped_column(String(10), default="GB-ENG")
    duty_phone: Mapped[str] = mapped_column(String(40), default="")
    contact_words: Mapped[str] = mapped_column(Text, default="")
    out_of_hours_words: Mapped[str] = mapped_column(Text, default="")
    out_of_hours_contact: Mapped[str] = mapped_column(String(200), default="")
    read_first_phrases: Mapped[list[str]] = mapped_column(JSON, default=list)
    rhythm_settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    help_lines: Mapped[list["HelpLine"]] = relationship(
        order_by="HelpLine.position", lazy="selectin", cascade="all, delete-orphan"
    )

    __table_args__ = (care(Subject.SERVICE, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),)

    @property
    def rhythm(self) -> RhythmSettings:
        return RhythmSettings.from_json(self.rhythm_settings)

    @property
    def promised_time(self) -> time:
        return time(self.rhythm.review_promised_hour)


class HelpLineKind(StrEnum):
    """Where a help line stands on the page *Get help now*."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    TALK = "talk"
    RELAY = "relay"


class HelpLine(WithId, Base):
    """A number that a person can call or text now; `checked_on` says when a person last tried it, if ever."""

    __tablename__ = "help_lines"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey("services.id"))
    position: Mapped[int]
    kind: Mapped[HelpLineKind] = mapped_column(text_enum(HelpLineKind), default=HelpLineKind.TALK)
    title: Mapped[str] = mapped_column(String(80))
    href: Mapped[str] = mapped_column(String(80))
    words: Mapped[str] = mapped_column(String(200))
    checked_on: Mapped[date | None]

    __table_args__ = (
        UniqueConstraint("service_id", "position"),
        care(Subject.SERVICE, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),
    )
