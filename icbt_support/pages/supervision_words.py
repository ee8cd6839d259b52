"""Supervision in words: reasons, decisions, whether they happened, and what was seen in a letter."""

from collections.abc import Sequence
from dataclasses import dataclass

from icbt_support.cadence import to_local
from icbt_support.enrolments.models import EnrolmentChange
from icbt_support.pages.kit import short_day, short_day_and_time
from icbt_support.reviews.behaviours import BEHAVIOUR_NAMES
from icbt_support.supervision.models import LetterAudit, SupervisionDiscussion
from icbt_support.supervision.queries import Since
from icbt_support.supervision.rules import FollowUp, Mark, Reason, SupervisionDecision

DECISION_WORDS = {
    SupervisionDecision.CONTINUE: "Continue as now",
    SupervisionDecision.ADAPT: "Adapt the course",
    SupervisionDecision.STEP_UP: "Step up",
    SupervisionDecision.STEP_DOWN: "Step down",
    SupervisionDecision.DISCHARGE: "Discharge",
    SupervisionDecision.REFER: "Refer to somebody else",
}
DONE_ELSEWHERE = frozenset({SupervisionDecision.STEP_UP, SupervisionDecision.DISCHARGE})
"""Decisions that a clinician carries out on the page of decisions."""
FOLLOW_UP_WORDS = {
    FollowUp.HAPPENED: "It happened",
    FollowUp.NOT_YET: "Not yet",
    FollowUp.DROPPED: "No longer needed",
}
MARK_WORDS = {
    Mark.SEEN: "Seen",
    Mark.PARTLY: "Partly seen",
    Mark.NOT_THIS_TIME: "Not seen this time",
    Mark.NOT_APPLICABLE: "Did not apply",
}
COLOURS = {Reason.RISK_OPEN: "red", Reason.RELIABLY_WORSE: "red", Reason.REVIEW_OVERDUE: "yellow"}
DESCRIBED = {"state": "the course is {}", "cadence": "a review every {} days", "supporter": "a new supporter"}


@dataclass(frozen=True)
class ReasonLine:
    title: str
    words: str
    colour: str


@dataclass(frozen=True)
class DecisionView:
    """One decision about one person: what, why, who and when, and what came of it."""

    id: int
    enrolment_id: int
    name: str
    initials: str
    decision: str
    note: str
    by: str
    when: str
    follow_up: str
    is_done_elsewhere: bool


@dataclass(frozen=True)
class MarkLine:
    """One of the nine behaviours, what was seen of it in a letter, and a comment."""

    behaviour: str
    mark: str
    comment: str


def reason_lines(reasons: Sequence[tuple[str, str]]) -> list[ReasonLine]:
    return [ReasonLine(title, words, COLOURS.get(Reason(title), "grey")) for title, words in reasons]


def decision_view(discussion: SupervisionDiscussion, zone: str) -> DecisionView:
    """A decision that was taken, in the reader's zone."""
    patient, decision = discussion.enrolment.patient, discussion.decision
    return DecisionView(
        id=discussion.id,
        enrolment_id=discussion.enrolment_id,
        name=patient.full_name,
        initials=patient.initials,
        decision=DECISION_WORDS[decision] if decision else "",
        note=discussion.note,
        by=discussion.decider.full_name if discussion.decider else "",
        when=short_day_and_time(to_local(discussion.decided_at, zone)) if discussion.decided_at else "",
        follow_up=FOLLOW_UP_WORDS[discussion.follow_up] if discussion.follow_up else "",
        is_done_elsewhere=decision in DONE_ELSEWHERE,
    )


def since_words(since: Since | None) -> str:
    """Since then: 2 reviews sent; the course is ended (Thu 5 Nov)."""
    if since is None:
        return ""
    count = since.reviews_sent
    parts = [f"{count} review{'' if count == 1 else 's'} sent"] if count else []
    parts += [words for change in since.changes if (words := _change_words(change))]
    return (
        f"Since then: {'; '.join(parts)}." if parts else "Since then: no review, and no change of the course."
    )


def _change_words(change: EnrolmentChange) -> str:
    template = DESCRIBED.get(change.what)
    return f"{template.format(change.to_value)} ({short_day(change.changed_at)})" if template else ""


def mark_lines(letter: LetterAudit) -> list[MarkLine]:
    """The nine behaviours of a filled-in form, in their order."""
    lines = []
    for behaviour, name in BEHAVIOUR_NAMES.items():
        given = letter.mark_of(behaviour.value)
        if given:
            lines.append(MarkLine(name, MARK_WORDS[Mark(given["mark"])], given["comment"]))
    return lines
