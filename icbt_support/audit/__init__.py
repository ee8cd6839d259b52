"""Who did or read what, when: append-only and sealed."""

from icbt_support.audit.models import Actor, ActorKind
from icbt_support.audit.operations import record, record_apart

__all__ = ["Actor", "ActorKind", "record", "record_apart"]
