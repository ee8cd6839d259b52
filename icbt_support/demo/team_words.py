"""What the demo's staff write about their own work: phrases, notes on decisions, words about a letter."""

from collections.abc import Sequence

from icbt_support.early_warning.rules import WarningChoice
from icbt_support.reviews.behaviours import TherapistBehaviour
from icbt_support.supervision.rules import Mark, Reason, SupervisionDecision

SERVICE_PHRASES = (
    (
        "When a week was full",
        "A full week is not a lost week, {called}. Ten minutes on one page of {module} count as much as an "
        "evening.",
    ),
    (
        "Ups and downs",
        "Scores go up and down from week to week for nearly everybody. We look at where they go over four weeks "
        "or so.",
    ),
)
PRIYAS_PHRASES = (
    (
        "One small thing",
        "If you do only one thing from {module} again this week, choose the one that was easiest.",
    ),
    ("Half counts", "Half of what you planned counts. Tell me about the half that you did: [what they did]"),
)

WARNING_NOTES = {
    WarningChoice.SLOWER_PACE: "One session a week is plenty just now. I ask about it in my next letter.",
    WarningChoice.LEAVE: "A hard fortnight at home, and it is easing. I look again after two letters.",
}
"""The first person gets a slower pace, the second is left for now."""

MARKS = {
    TherapistBehaviour.SYMPTOM_FEEDBACK: (
        Mark.SEEN,
        "The number, its range and what it means, in two lines.",
    ),
    TherapistBehaviour.UNDERSTANDING: (Mark.PARTLY, "It could tie the week to the circle of module 2."),
    TherapistBehaviour.RAPPORT: (Mark.SEEN, ""),
    TherapistBehaviour.PRAISE: (Mark.SEEN, "For what was done, not for the score."),
    TherapistBehaviour.PRACTICE: (Mark.SEEN, ""),
    TherapistBehaviour.COMMUNICATION: (Mark.SEEN, ""),
    TherapistBehaviour.PROCEDURES: (Mark.NOT_APPLICABLE, ""),
}
NOT_LOOKED_FOR = (Mark.NOT_THIS_TIME, "")
ABOUT_THE_LETTER = "Warm and short. One question back would show that an answer is welcome."
PRIYAS_ANSWER = "Thank you. I will end the next letters with one question that is easy to answer."

_ABOUT: dict[Reason, tuple[SupervisionDecision, tuple[str, ...]]] = {
    Reason.RISK_OPEN: (
        SupervisionDecision.CONTINUE,
        ("Alert in hand. Safety plan gone through by phone.",),
    ),
    Reason.RELIABLY_WORSE: (
        SupervisionDecision.ADAPT,
        ("A call this week. Step up if the next score is no lower.",),
    ),
    Reason.STEP_UP: (
        SupervisionDecision.STEP_UP,
        ("Offer a talk about face-to-face sessions, then decide together.",),
    ),
    Reason.NO_CONTACT: (
        SupervisionDecision.ADAPT,
        ("Ring before the next letter, at the time they gave.",),
    ),
    Reason.NOT_IMPROVING: (
        SupervisionDecision.ADAPT,
        (
            "Go back to doing more before the thought records: two small activities a week.",
            "Same module again, with the exercises that were skipped.",
            "Ask in the next letter what helps least, and leave it out.",
        ),
    ),
    Reason.EARLY_WARNING: (
        SupervisionDecision.ADAPT,
        (
            "Fewer sessions a week, and ask what gets in the way.",
            "One call instead of the next long letter.",
        ),
    ),
    Reason.PLANNED_END: (
        SupervisionDecision.DISCHARGE,
        ("Last review as planned, with the staying-well plan.",),
    ),
}
_GO_ON = (SupervisionDecision.CONTINUE, ("Going as planned.", "On the way. Look again in a month."))


def decision_about(reasons: Sequence[Reason], place: int) -> tuple[SupervisionDecision, str]:
    """What the meeting decides about the person in this place of its list, who is there for these reasons."""
    decision, notes = next((_ABOUT[reason] for reason in reasons if reason in _ABOUT), _GO_ON)
    return decision, notes[place % len(notes)]
