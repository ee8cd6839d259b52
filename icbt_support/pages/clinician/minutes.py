"""Time spent on reviews by week: totals of the team for those who plan its hours, never per supporter."""

from flask import Blueprint, render_template

from icbt_support.accounts.models import Role
from icbt_support.engagement.review_minutes import WeekOfReviews, minutes_by_week
from icbt_support.pages.guards import allow, current_service, held_roles, request_time
from icbt_support.pages.kit import long_day

blueprint = Blueprint("clinician_minutes", __name__)
HEADS = ("Week from", "Reviews sent", "Minutes given", "Time, the team together")
TOO_FEW = "Not shown: fewer than two people"


@blueprint.get("/team/minutes")
@allow(Role.CLINICIAN, Role.ADMINISTRATOR)
def show() -> str:
    role = Role.CLINICIAN if Role.CLINICIAN in held_roles() else Role.ADMINISTRATOR
    weeks = minutes_by_week(current_service(role), now=request_time())
    return render_template("clinician/minutes.html", heads=HEADS, rows=[_row(week) for week in weeks])


def _row(week: WeekOfReviews) -> tuple[str, str, str, str]:
    given = f"{week.timed} of {week.sent}"
    time = TOO_FEW if week.minutes is None else _time_words(week.minutes)
    return (long_day(week.from_on), str(week.sent), given, time)


def _time_words(minutes: int) -> str:
    """45 min, 2 h, 3 h 20 min"""
    hours, rest = divmod(minutes, 60)
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else "")))
