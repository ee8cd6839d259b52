"""That a database is a demo, and the instant at which its clock stands."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from icbt_support.db import Base, Erasure, Keep, Subject, UtcDateTime, WithId, care


class DemoState(WithId, Base):
    """A row here makes the database a demo database: a production start refuses it."""

    __tablename__ = "demo_state"

    seed: Mapped[int]
    stands_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (care(Subject.NOBODY, Keep.WHILE_SERVICE_LIVES, Erasure.KEEP),)
