"""Who is at a review, as colleagues read it. Pure."""

from dataclasses import dataclass
from datetime import datetime

from icbt_support.cadence import local_day, to_local
from icbt_support.pages.kit import clock_time
from icbt_support.pages.supporter.words import moment_inside
from icbt_support.reviews.models import ReviewClaim


@dataclass(frozen=True)
class ClaimNote:
    """Who is at a review, in a sentence, and what the reader may do about it."""

    words: str
    is_mine: bool
    can_take_over: bool

    @property
    def is_taken(self) -> bool:
        """Whether a colleague is at it now."""
        return not self.is_mine and not self.can_take_over


def note_of(claim: ReviewClaim, *, account_id: int, now: datetime, zone: str) -> ClaimNote:
    is_mine = claim.account_id == account_id
    words = claim_words(claim, account_id=account_id, now=now, zone=zone)
    return ClaimNote(words, is_mine, not is_mine and not claim.is_active(now))


def claim_words(claim: ReviewClaim, *, account_id: int, now: datetime, zone: str) -> str:
    """Priya Nair is writing this, since 9.40am"""
    since = _at(claim.claimed_at, now, zone)
    if claim.account_id == account_id:
        return f"You are writing this, since {since}"
    if claim.is_active(now):
        return f"{claim.account.full_name} is writing this, since {since}"
    return (
        f"{claim.account.full_name} began this, and last wrote {_at(claim.last_active_at, now, zone, 'at ')}"
    )


def _at(moment: datetime, now: datetime, zone: str, before_a_time: str = "") -> str:
    if local_day(moment, zone) == local_day(now, zone):
        return f"{before_a_time}{clock_time(to_local(moment, zone))}"
    return moment_inside(moment, now=now, zone=zone)
