"""The nine behaviours of the ICBT Therapist Rating Scale. Pure; the one list of them.

Source: Hadjistavropoulos, Schneider, Klassen, Dear & Titov 2018, Cognitive Behaviour Therapy 47(6), 447-461 (706
emails by 39 therapists to 91 people). Their presence did not predict change: they are prompts, and a ground for
talking about a letter, never a grade.
"""

from enum import StrEnum


class TherapistBehaviour(StrEnum):
    """The two that were rarest (54% and 61% of the emails) come first."""

    SYMPTOM_FEEDBACK = "symptom_feedback"
    UNDERSTANDING = "understanding"
    RAPPORT = "rapport"
    SEEKS_FEEDBACK = "seeks_feedback"
    PSYCHOEDUCATION = "psychoeducation"
    PRAISE = "praise"
    PRACTICE = "practice"
    PROCEDURES = "procedures"
    COMMUNICATION = "communication"


BEHAVIOUR_NAMES = {
    TherapistBehaviour.SYMPTOM_FEEDBACK: "Provides symptom feedback",
    TherapistBehaviour.UNDERSTANDING: "Facilitates understanding",
    TherapistBehaviour.RAPPORT: "Builds rapport",
    TherapistBehaviour.SEEKS_FEEDBACK: "Seeks feedback",
    TherapistBehaviour.PSYCHOEDUCATION: "Provides psychoeducation",
    TherapistBehaviour.PRAISE: "Praises effort",
    TherapistBehaviour.PRACTICE: "Encourages practice",
    TherapistBehaviour.PROCEDURES: "Clarifies administrative procedures",
    TherapistBehaviour.COMMUNICATION: "Communicates effectively",
}
