"""A date that moved, in the words that a patient reads: never a new day without why."""

from datetime import date

from icbt_support.pages.kit import long_day
from icbt_support.reviews.models import Review


def moved_sentence(from_on: date, to_on: date, because: str) -> str:
    """ "Your review moves from Thursday 26 November to Friday 27 November: Priya is on a course." """
    return f"Your review moves from {long_day(from_on)} to {long_day(to_on)}: {because}."


def moved_words(review: Review | None) -> str:
    """ "Moved from Thursday 26 November to Friday 27 November: Priya is on a course." Nothing for a review that
    stands where it stood.
    """
    if review is None or not review.is_owed or review.moved_from_on is None or not review.moved_because:
        return ""
    if review.moved_from_on == review.promised_on:
        return ""
    moved = f"Moved from {long_day(review.moved_from_on)} to {long_day(review.promised_on)}"
    return f"{moved}: {review.moved_because}."
