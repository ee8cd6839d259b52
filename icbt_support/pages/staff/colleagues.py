"""What colleagues ask: one page for a team meeting, with the service's own figures and what studies found.

The evidence is that of docs/evidence.md, each with its design and n; a test holds both together.
"""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, render_template

from icbt_support.accounts.models import Role
from icbt_support.cadence import local_day
from icbt_support.feedback.queries import waits_of
from icbt_support.implementation.board import figures_of, months_until, period_between
from icbt_support.implementation.rules import Figure
from icbt_support.pages.guards import allow, request_time
from icbt_support.pages.kit import long_day_year
from icbt_support.pages.reads import note_read
from icbt_support.pages.staff.scope import my_service, staff_actor

blueprint = Blueprint("staff_colleagues", __name__)


@dataclass(frozen=True)
class Question:
    """What colleagues ask, what studies found (with design and n), and which of our figures belong to it."""

    asked: str
    studies: tuple[str, ...]
    ours: tuple[tuple[str, str], ...]


QUESTIONS = (
    Question(
        "Do people keep going without somebody who sees them?",
        (
            "Weekly support against optional support: similar outcomes; 82% against 57% completed "
            "(RCT, 180 people).",
            "Twice weekly was no better than once a week (RCT, 632 people).",
        ),
        (("started", "Started, of those invited"), ("first_module", "First module read, of those started")),
    ),
    Question(
        "How much of my week does it take?",
        (
            "Reviews take 10 to 20 minutes; weekly or fortnightly is the NHS criterion for "
            "therapist-assisted digital therapy (guidance, not a study).",
        ),
        (("reviews_on_time", "Reviews on time"), ("supporters_active", "Supporters who wrote")),
    ),
    Question(
        "Is an email from a machine of any use?",
        (
            "Automated reminder emails: 58% against 35% completed (Titov 2013, RCT, 257 people).",
            "Text messages were no better than email (Kulhánek 2022, RCT, 591 people).",
        ),
        (),
    ),
    Question(
        "What makes a good letter?",
        (
            "Concrete, positive, supportive messages went with better outcome "
            "(Chikersal, CHI 2020, correlation, 234,735 messages).",
            "Task reinforcement, prompting and empathy went with completion; flexibility about deadlines with worse "
            "outcome (Paxling 2012, correlation, 44 people, 490 emails).",
        ),
        (),
    ),
    Question(
        "What if somebody does not get better?",
        (
            "Calling a risk of failure early and adapting support: odds ratio of failure 0.33 "
            "(Forsell 2019, RCT).",
        ),
        (),
    ),
    Question(
        "Who is trained, and who answers when something is broken?",
        (
            "Patients, supporters, leads and vendors named training, leadership and a vendor who responds; attitudes "
            "and bugs were barriers (Duffy et al. 2023, 19 interviews, qualitative).",
        ),
        (("trained", "Trainings in date"), ("open_reports", "Open feedback")),
    ),
)


@blueprint.get("/what-colleagues-ask")
@allow(Role.SUPPORTER, Role.CLINICIAN, Role.ADMINISTRATOR)
def show() -> str:
    """The figures are of the last six months together, this one until now."""
    service, now = my_service(), request_time()
    months, by = months_until(service, now), staff_actor(service)
    after_on = months[-1].last_on + timedelta(days=1)
    [half_year] = figures_of(service, [period_between(service, months[0].first_on, after_on)], now=now)
    note_read("read_what_colleagues_ask", by=by, now=now)
    return render_template(
        "staff/colleagues.html",
        service=service,
        since=long_day_year(months[0].first_on),
        until=long_day_year(local_day(now, service.zone)),
        questions=[(one, _figures(one, half_year.by_name)) for one in QUESTIONS],
        waits=waits_of(service),
    )


def _figures(question: Question, by_name: dict[str, Figure]) -> list[tuple[str, Figure]]:
    return [(label, by_name[name]) for name, label in question.ours]
