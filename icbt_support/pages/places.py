"""The places in each role's navigation, and in which of them every page stands."""

from dataclasses import dataclass

from icbt_support.accounts.models import Role


@dataclass(frozen=True)
class Place:
    """A place in a role's navigation: its label, endpoint, icon and the name of the count that it shows."""

    label: str
    endpoint: str
    icon: str
    count: str = ""


PLACES: dict[Role, tuple[Place, ...]] = {
    Role.PATIENT: (
        Place("This week", "patient_week.show", "plan"),
        Place("Tools", "patient_tools.index", "tools"),
        Place("Check-in", "patient_check_in.show", "check_in"),
        Place("Messages", "patient_messages.show", "message", "unread"),
        Place("Progress", "patient_progress.show", "progress"),
    ),
    Role.SUPPORTER: (
        Place("Today", "supporter_today.show", "queue"),
        Place("Caseload", "supporter_caseload.show", "people"),
        Place("My hours", "supporter_hours.show", "clock"),
        Place("Supervision", "supporter_supervision.show", "flag"),
    ),
    Role.CLINICIAN: (
        Place("People", "clinician_caseload.show", "people"),
        Place("Engagement", "clinician_engagement.show", "scores"),
        Place("Alerts", "clinician_risk.index", "warning", "alerts"),
        Place("Supervision", "clinician_supervision.index", "flag"),
        Place("Outcomes", "clinician_outcomes.show", "progress"),
        Place("Invite", "clinician_invite.show", "plus"),
        Place("Team", "clinician_team.index", "clock"),
        Place("Exports", "clinician_exports.index", "download"),
    ),
    Role.ADMINISTRATOR: (
        Place("Service", "admin_home.show", "home"),
        Place("Jobs", "admin_jobs.show", "clock"),
        Place("People", "admin_people.index", "people"),
        Place("Duty", "admin_duty.show", "shield"),
        Place("Feedback", "admin_feedback.index", "message"),
        Place("Audit", "admin_audit.show", "search"),
        Place("Exports", "clinician_exports.index", "download"),
    ),
    Role.VENDOR: (Place("Reports", "vendor_reports.index", "message"),),
}

# The places in which the pages of a blueprint stand that is no place itself; each role goes by the first it has.
_WITHIN: dict[str, tuple[str, ...]] = {
    "admin_closures": ("admin_duty",),
    "admin_groups": ("admin_home",),
    "admin_leads": ("admin_home",),
    "admin_leaving": ("admin_people",),
    "admin_service": ("admin_home",),
    "admin_trainings": ("admin_home",),
    "clinician_contact": ("clinician_caseload",),
    "clinician_contacts": ("clinician_outcomes",),
    "clinician_decisions": ("clinician_caseload",),
    "clinician_early_warning": ("clinician_caseload",),
    "clinician_engagement_people": ("clinician_engagement",),
    "clinician_leaver": ("clinician_team",),
    "clinician_minutes": ("clinician_team", "admin_home"),
    "clinician_owed_review": ("clinician_caseload",),
    "clinician_patient": ("clinician_caseload",),
    "clinician_supervision_letter": ("clinician_supervision",),
    "clinician_supervision_meeting": ("clinician_supervision",),
    "patient_away": ("patient_week",),
    "patient_booster": ("patient_week",),
    "patient_contact_sheet": ("patient_week",),
    "patient_ending": ("patient_week",),
    "patient_goals": ("patient_progress",),
    "patient_new_days": ("patient_week",),
    "patient_onboarding": ("patient_week",),
    "patient_plan_item": ("patient_week",),
    "patient_programme": ("patient_week",),
    "patient_reminders": ("patient_week",),
    "patient_review": ("patient_week",),
    "patient_safety": ("patient_week",),
    "patient_supporter": ("patient_messages",),
    "patient_tool_steps": ("patient_tools",),
    "reading_after_course": ("supporter_caseload", "clinician_caseload"),
    "reading_early_warning": ("supporter_caseload", "clinician_caseload", "admin_home"),
    "reading_modules": ("supporter_caseload", "clinician_caseload", "admin_home"),
    "reading_supervision": ("supporter_supervision", "clinician_supervision", "admin_home"),
    "staff_board": ("supporter_today", "clinician_team", "admin_home"),
    "staff_colleagues": ("supporter_today", "clinician_team", "admin_home"),
    "staff_training": ("supporter_today", "clinician_team", "admin_home"),
    "staff_who_to_ask": ("supporter_today", "clinician_team", "admin_home"),
    "supporter_absence": ("supporter_hours",),
    "supporter_claims": ("supporter_today",),
    "supporter_concern": ("supporter_caseload",),
    "supporter_contact": ("supporter_caseload",),
    "supporter_early_warning": ("supporter_caseload",),
    "supporter_late_review": ("supporter_today",),
    "supporter_me": ("supporter_hours",),
    "supporter_messages": ("supporter_caseload",),
    "supporter_move_review": ("supporter_today",),
    "supporter_notes": ("supporter_caseload",),
    "supporter_patient": ("supporter_caseload",),
    "supporter_phrases": ("supporter_today", "clinician_team"),
    "supporter_review": ("supporter_today",),
    "supporter_review_draft": ("supporter_today",),
    "supporter_review_merge": ("supporter_today",),
    "supporter_sent_review": ("supporter_caseload",),
    "supporter_welcome": ("supporter_today",),
}


def place_here(role: Role, endpoint: str) -> Place | None:
    """The place of this role's navigation in which a page stands; None for pages that the footer leads to."""
    blueprint = endpoint.split(".")[0]
    places = {place.endpoint.split(".")[0]: place for place in PLACES[role]}
    return next((places[name] for name in (blueprint, *_WITHIN.get(blueprint, ())) if name in places), None)
