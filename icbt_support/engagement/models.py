"""What the service itself did, by day: counted once and kept, so that no page counts reminders or reviews."""

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from icbt_support.db import Base, Erasure, Keep, RowId, Subject, care
from icbt_support.service.models import Service


class ServiceDay(Base):
    """One local day of a service: prompts by email due on it, reviews promised for it, sessions planned on it.

    `prompts_followed` counts the prompts sent after which the person was here within 48 hours; it is complete
    three days later.
    """

    __tablename__ = "service_days"

    service_id: Mapped[int] = mapped_column(RowId, ForeignKey(Service.id), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    prompts_sent: Mapped[int] = mapped_column(default=0)
    prompts_followed: Mapped[int] = mapped_column(default=0)
    prompts_held_back: Mapped[int] = mapped_column(default=0)
    prompts_withdrawn: Mapped[int] = mapped_column(default=0)
    reviews_on_time: Mapped[int] = mapped_column(default=0)
    reviews_late: Mapped[int] = mapped_column(default=0)
    sessions_planned: Mapped[int] = mapped_column(default=0)
    sessions_done: Mapped[int] = mapped_column(default=0)

    __table_args__ = (care(Subject.SERVICE, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),)
