"""Two texts of one letter side by side: for each part that differs this one, that one or both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug import Response

from icbt_support.accounts.models import Role
from icbt_support.pages.commits import commits
from icbt_support.pages.guards import allow, current_account, request_time, supporter_actor
from icbt_support.pages.kit import clock_time, long_day
from icbt_support.pages.supporter import review_form
from icbt_support.pages.supporter.letter_choices import letter_choices
from icbt_support.pages.supporter.letter_step import title_of
from icbt_support.pages.supporter.review_form import (
    ALL_SECTIONS,
    LETTER_SECTIONS,
    SHORT,
    SHORT_SECTIONS,
    words_of,
)
from icbt_support.pages.supporter.review_scope import caseload_review, programme_of
from icbt_support.pages.supporter.typed_values import read_day, read_instant, read_number, read_time
from icbt_support.pages.supporter.words import moment_inside
from icbt_support.programme.content import Programme
from icbt_support.reviews import queries as reviews
from icbt_support.reviews.course import change_sentences
from icbt_support.reviews.drafts import letter_of_draft
from icbt_support.reviews.models import KeptText, Review, ReviewDraft
from icbt_support.reviews.operations import save_draft, settle_kept_text
from icbt_support.reviews.rules import StaleDraft

THEIRS, MINE, BOTH = "theirs", "mine", "both"
REST = "rest"
STEP = {"step_what": "Next step", "step_why": "Why it helps"}
# Not part of a choice: what follows from the words, and what counts time.
_FOLLOWS = (
    "sections",
    "words",
    "left_out",
    "opened_at",
    "worked_seconds",
    "minutes",
    "phrases",
    "step_kind",
    *STEP,
)
CONFLICT = 409
blueprint = Blueprint("supporter_review_merge", __name__)


@dataclass(frozen=True)
class Difference:
    """One part of the letter that is not the same in both texts, and what is taken unless somebody says."""

    name: str
    heading: str
    theirs: str
    mine: str
    usual: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """The newer text against one's own, at one version of the draft."""

    version: int
    differences: tuple[Difference, ...]


def compare(review: Review, draft: ReviewDraft, mine: Mapping[str, Any], *, now: datetime) -> Comparison:
    their_words, my_words = words_of(draft.content), words_of(mine)
    found = [
        _words_apart(name, heading, their_words.get(name, ""), my_words.get(name, ""), may_be_both=True)
        for name, heading in ALL_SECTIONS.items()
    ]
    found += [
        _words_apart(name, heading, draft.content.get(name, ""), mine.get(name, ""), may_be_both=False)
        for name, heading in STEP.items()
    ]
    found.append(_rest_apart(review, draft.content, mine, now))
    return Comparison(draft.version, tuple(one for one in found if one is not None))


def _words_apart(name: str, heading: str, theirs: str, mine: str, *, may_be_both: bool) -> Difference | None:
    if theirs.strip() == mine.strip():
        return None
    is_in_both = bool(theirs.strip() and mine.strip()) and may_be_both
    options = (THEIRS, MINE, BOTH) if is_in_both else (THEIRS, MINE)
    one_holds_the_other = theirs.strip() in mine or mine.strip() in theirs
    longer = THEIRS if len(theirs) > len(mine) else MINE
    usual = longer if one_holds_the_other or not is_in_both else BOTH
    return Difference(name, heading, theirs, mine, usual, options)


def _rest_apart(
    review: Review, theirs: Mapping[str, Any], mine: Mapping[str, Any], now: datetime
) -> Difference | None:
    """Days, times and what comes next are one choice: half of the one and half of the other fits nobody."""
    if _rest_of(theirs) == _rest_of(mine):
        return None
    programme = programme_of(review)
    choices = letter_choices(review, programme, now=now)
    labels = dict(choices.opens) | dict(choices.other_modules)
    their_words, my_words = (_rest_words(content, labels, programme) for content in (theirs, mine))
    return Difference(REST, "Days, times and what opens next", their_words, my_words, THEIRS, (THEIRS, MINE))


def _rest_of(content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in content.items() if name not in _FOLLOWS and value not in (None, "")
    }


def _rest_words(content: Mapping[str, Any], labels: Mapping[str, str], programme: Programme) -> str:
    by_on, by_time = read_day(content.get("step_by_on")), read_time(content.get("step_by_time"))
    review_at = read_instant(content.get("next_review_at"))
    opens = content.get("opens", "")
    lines = [
        "The short form" if content.get("shape") == SHORT else "The whole letter",
        f"Next step by {long_day(by_on)}" + (f", {clock_time(by_time)}" if by_time else "") if by_on else "",
        title_of(content.get("step_subject") or "", programme),
        f"Opens next: {labels.get(opens, opens)}" if opens else "",
        f"Next review: {long_day(review_at.date())}" if review_at else "",
        *change_sentences(letter_of_draft(content).changes, programme),
    ]
    return "\n".join(line for line in lines if line)


def joined(theirs: Mapping[str, Any], mine: Mapping[str, Any], taken: Mapping[str, str]) -> dict[str, Any]:
    """The letter that follows from the choices (by name: theirs, mine, both); the newer text where none is made."""
    base = dict(mine) | {"left_out": theirs.get("left_out", [])} if taken.get(REST) == MINE else dict(theirs)
    their_words, my_words = words_of(theirs), words_of(mine)
    words = {
        name: _joined_words(their_words.get(name, ""), my_words.get(name, ""), taken.get(name, THEIRS))
        for name in ALL_SECTIONS
    }
    back = {name for name, choice in taken.items() if choice in (MINE, BOTH) and words.get(name)}
    left_out = [name for name in base.get("left_out", []) if name not in back]
    headings = SHORT_SECTIONS if base.get("shape") == SHORT else LETTER_SECTIONS
    return base | {
        "words": words,
        "left_out": left_out,
        "sections": [
            {"heading": heading, "words": words[name]}
            for name, heading in headings.items()
            if name not in left_out
        ],
        **{name: (mine if taken.get(name) == MINE else theirs).get(name, "") for name in STEP},
        "opened_at": min(filter(None, (theirs.get("opened_at"), mine.get("opened_at"))), default=""),
        "worked_seconds": max(theirs.get("worked_seconds") or 0, mine.get("worked_seconds") or 0),
        "minutes": theirs.get("minutes") or mine.get("minutes"),
        "phrases": list(dict.fromkeys([*theirs.get("phrases", []), *mine.get("phrases", [])])),
    }


def _joined_words(theirs: str, mine: str, taken: str) -> str:
    if taken == BOTH:
        return "\n\n".join(one for one in (theirs.rstrip(), mine) if one.strip())
    return mine if taken == MINE else theirs


@blueprint.get("/supporting/reviews/<id:review_id>/kept/<id:kept_id>")
@allow(Role.SUPPORTER)
def show(review_id: int, kept_id: int) -> str | Response:
    review = caseload_review(review_id)
    kept, draft = _kept_or_404(review, kept_id), reviews.draft_of(review)
    if kept.settled_at is not None or draft is None or not review.is_owed:
        return redirect(url_for("supporter_review.show", review_id=review.id))
    return _page(review, kept, draft)


@blueprint.post("/supporting/reviews/<id:review_id>/kept/<id:kept_id>")
@allow(Role.SUPPORTER)
def join(review_id: int, kept_id: int) -> Any:
    """Makes one letter of the two; if it changed again meanwhile, both stand side by side once more."""
    try:
        return _join(review_id, kept_id)
    except StaleDraft:
        review = caseload_review(review_id)
        kept, draft = _kept_or_404(review, kept_id), reviews.draft_of(review)
        if draft is None:
            return redirect(url_for("supporter_review.show", review_id=review.id))
        return _page(review, kept, draft, is_again=True), CONFLICT


join.commits = True  # type: ignore[attr-defined]


@commits
def _join(review_id: int, kept_id: int) -> Any:
    review = caseload_review(review_id)
    kept, draft = _kept_or_404(review, kept_id), reviews.draft_of(review)
    to_letter = redirect(url_for("supporter_review.show", review_id=review.id, _anchor="letter"))
    if kept.settled_at is not None or draft is None or not review.is_owed:
        return to_letter
    taken = {name: request.form.get(f"take_{name}", THEIRS) for name in (*ALL_SECTIONS, *STEP, REST)}
    now, version = request_time(), read_number(request.form.get("version"))
    content = joined(draft.content, kept.content, taken)
    save_draft(review, content, version=version, by=supporter_actor(review.enrolment), now=now)
    settle_kept_text(kept, now=now)
    flash("The two texts are one letter now, as you chose.", "success")
    return to_letter


def _kept_or_404(review: Review, kept_id: int) -> KeptText:
    """A text that this very person typed for this review."""
    kept = reviews.kept_text(review, kept_id, author_id=current_account().id)
    if kept is None:
        abort(404)
    return kept


def _page(review: Review, kept: KeptText, draft: ReviewDraft, *, is_again: bool = False) -> str:
    now, zone = request_time(), current_account().zone
    return render_template(
        "supporter/review_merge.html",
        review=review,
        kept_id=kept.id,
        when_kept=moment_inside(kept.kept_at, now=now, zone=zone),
        when_saved=moment_inside(draft.saved_at, now=now, zone=zone),
        comparison=compare(review, draft, kept.content, now=now),
        mine=review_form.kept_words(kept.content),
        is_again=is_again,
    )
