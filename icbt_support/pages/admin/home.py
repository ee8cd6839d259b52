"""The administrator's first page: what the service still needs."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, render_template, url_for

from icbt_support.accounts.models import Role
from icbt_support.accounts.queries import staff_with_role
from icbt_support.cadence import local_day
from icbt_support.hours import duty_rota
from icbt_support.pages.guards import allow, current_service, request_time
from icbt_support.pages.kit import long_day
from icbt_support.programme.library import programmes
from icbt_support.service.models import Service
from icbt_support.service.rules import help_lines_need_a_check, missing_before_inviting

blueprint = Blueprint("admin_home", __name__)
DAYS_AHEAD = 7


@dataclass(frozen=True)
class Task:
    """One thing to put right, and where."""

    words: str
    href: str
    link: str


@blueprint.get("/admin")
@allow(Role.ADMINISTRATOR)
def show() -> str:
    service = current_service(Role.ADMINISTRATOR)
    missing = missing_before_inviting(service, duty_rota.duty_count(service))
    counts = [
        (label, len(staff_with_role(service.id, role)))
        for label, role in (
            ("Supporters", Role.SUPPORTER),
            ("Clinicians", Role.CLINICIAN),
            ("Administrators", Role.ADMINISTRATOR),
        )
    ]
    return render_template(
        "admin/home.html",
        service=service,
        can_invite=not missing,
        nobody_on_duty=duty_rota.is_nobody_on_duty_today(service, request_time()),
        before_inviting=[_task_of(words) for words in missing],
        tasks=_tasks(service),
        counts=counts,
        programmes=list(programmes().values()),
    )


def _task_of(words: str) -> Task:
    if "duty" in words:
        return Task(words, "/admin/duty", "Set duty hours")
    if "help lines" in words:
        return Task(words, url_for("admin_service.show_help_lines"), "Check help lines")
    return Task(words, url_for("admin_service.show"), "Write the words")


def _tasks(service: Service) -> list[Task]:
    today = local_day(request_time(), service.zone)
    tasks = [
        Task(f"Nobody is on duty on {long_day(day)}.", "/admin/duty", "Put somebody on duty")
        for day in duty_rota.duty_gaps(service, today, today + timedelta(days=DAYS_AHEAD))
        if duty_rota.duty_count(service)
    ]
    if help_lines_need_a_check(service, today):
        tasks.append(
            Task(
                "The help lines were not tried in the last six months.",
                url_for("admin_service.show_help_lines"),
                "Check help lines",
            )
        )
    if not staff_with_role(service.id, Role.SUPPORTER):
        tasks.append(
            Task("Nobody here is a supporter.", url_for("admin_people.show_invite"), "Invite a supporter")
        )
    return tasks
