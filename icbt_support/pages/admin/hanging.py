"""What a member of staff still holds, for an administrator: counts, and initials but where they would be clinical.

No name or word of a patient stands here, nor whom an alert is about.
"""

from dataclasses import dataclass

from icbt_support.accounts.models import Role
from icbt_support.rhythm.handover import Hanging

CLINICIAN_DOES = "A clinician hands it over under Team"
ADMINISTRATOR_DOES = "You change the duty rota"


@dataclass(frozen=True)
class HangingRow:
    """One kind of thing: how many, the initials of the people whom it is about, and who sees to it."""

    words: str
    initials: str
    who: str


def what_hangs_in(role: Role, hanging: Hanging) -> list[str]:
    """What the person still holds in a role, as short words without any name of a patient."""
    return [row.words for row in rows_in(role, hanging)]


def everything_that_hangs(hanging: Hanging) -> list[str]:
    return [row.words for row in hanging_rows(hanging)]


def hanging_rows(hanging: Hanging) -> list[HangingRow]:
    return [*rows_in(Role.SUPPORTER, hanging), *rows_in(Role.CLINICIAN, hanging)]


def rows_in(role: Role, hanging: Hanging) -> list[HangingRow]:
    if role is Role.SUPPORTER:
        return _counted(
            (hanging.patients, "person", "people", [one.patient.initials for one in hanging.patients]),
            (
                hanging.reviews,
                "owed review",
                "owed reviews",
                [one.enrolment.patient.initials for one in hanging.reviews],
            ),
            (hanging.drafts, "draft", "drafts", []),
            (hanging.messages, "unread message", "unread messages", []),
            (hanging.alerts, "open alert", "open alerts", []),
            (hanging.claims, "letter just being written", "letters just being written", []),
            (hanging.covers, "promise to cover", "promises to cover", []),
            (
                hanging.boosters,
                "check-in after a course to read",
                "check-ins after a course to read",
                [one.enrolment.patient.initials for one in hanging.boosters],
            ),
        )
    if role is Role.CLINICIAN:
        patients = [one.patient.initials for one in hanging.clinical_patients]
        return [
            *_counted(
                (hanging.clinical_patients, "person as clinician", "people as clinician", patients),
                (hanging.taken_alerts, "alert taken", "alerts taken", []),
            ),
            *_counted((hanging.duty, "duty session", "duty sessions", []), who=ADMINISTRATOR_DOES),
        ]
    return []


def _counted(*things: tuple[tuple, str, str, list[str]], who: str = CLINICIAN_DOES) -> list[HangingRow]:
    return [
        HangingRow(f"{len(held)} {one if len(held) == 1 else many}", ", ".join(sorted(initials)), who)
        for held, one, many, initials in things
        if held
    ]
