"""What stands around every page: where one can go, who is signed in, and the way to help."""

from flask import Flask, g, request, url_for
from flask_login import current_user

from icbt_support.accounts.models import STAFF_ROLES, Account, Role
from icbt_support.enrolments import queries as enrolments
from icbt_support.enrolments.models import Enrolment, EnrolmentState
from icbt_support.feedback import queries as feedback
from icbt_support.messages import queries as messages
from icbt_support.pages import demo_bar
from icbt_support.pages.guards import held_roles, request_time, services_with_role
from icbt_support.pages.help_lines import help_lines_for
from icbt_support.pages.kit import NavigationItem, PageChrome, RiskBanner
from icbt_support.pages.places import PLACES, place_here
from icbt_support.risk import queries as risk
from icbt_support.service.models import Service

PRODUCT_NAME = "Online course"
ROLE_WORDS = {
    Role.PATIENT: "Patient",
    Role.SUPPORTER: "Supporter",
    Role.CLINICIAN: "Clinician",
    Role.ADMINISTRATOR: "Administrator",
    Role.VENDOR: "Vendor representative",
}


COUNT_WORDS = {"unread": "not read yet", "alerts": "open alerts"}
PREFIX_ROLES = {
    "patient": Role.PATIENT,
    "supporter": Role.SUPPORTER,
    "clinician": Role.CLINICIAN,
    "admin": Role.ADMINISTRATOR,
    "vendor": Role.VENDOR,
}
HOME_PAGES = (
    "patient_week.show",
    "supporter_today.show",
    "clinician_engagement.show",
    "admin_home.show",
    "admin_jobs.show",
)
HOME_ORDER = (Role.PATIENT, Role.SUPPORTER, Role.CLINICIAN, Role.ADMINISTRATOR, Role.VENDOR)


def install_navigation(app: Flask) -> None:
    app.context_processor(lambda: {"chrome": chrome()})


def chrome() -> PageChrome:
    if "chrome" not in g:
        g.chrome = _signed_in_chrome() if current_user.is_authenticated else _public_chrome()
    return g.chrome


def role_here() -> Role | None:
    """The role in which the person is looking: by the page's audience, else the first role they hold."""
    roles = held_roles()
    by_page = PREFIX_ROLES.get((request.endpoint or "").split("_", 1)[0])
    if by_page in roles:
        return by_page
    return next((role for role in HOME_ORDER if role in roles), None)


def _public_chrome() -> PageChrome:
    return PageChrome(
        product_name=PRODUCT_NAME,
        organisation="",
        audience="public",
        help_lines=help_lines_for(None),
        footer_links=(("About", url_for("public_about.show")), *_footer()),
        demo_clock=demo_bar.bar(),
    )


def _signed_in_chrome() -> PageChrome:
    account: Account = current_user.account
    role = role_here()
    service = _service_here(role)
    enrolment = enrolments.for_patient(account) if role is Role.PATIENT else None
    counts = _counts(role, enrolment)
    return PageChrome(
        product_name=service.product_name if service else PRODUCT_NAME,
        organisation=service.name if service else "",
        brand=service.brand.value if service else "teal",
        audience="patient" if role is Role.PATIENT else "staff",
        home_url=url_for("public_home.show"),
        navigation=tuple(_items(role, enrolment, counts)),
        person_name="" if role is Role.PATIENT else account.full_name,
        person_role=ROLE_WORDS[role] if role and role is not Role.PATIENT else "",
        person_initials=account.initials,
        other_roles=_other_roles(role),
        help_lines=help_lines_for(service.id if service else None),
        footer_links=_footer_for(role),
        sign_out_url=url_for("public_sign_in.sign_out"),
        demo_clock=demo_bar.bar(),
        risk_banner=_risk_banner(account, role, service),
        news=_news(account),
    )


def _service_here(role: Role | None) -> Service | None:
    held = [membership for membership in current_user.memberships if membership.role is role]
    return held[0].service if held else None


def _counts(role: Role | None, enrolment: Enrolment | None) -> dict[str, int]:
    if role is Role.PATIENT and enrolment is not None:
        return {"unread": messages.unread_for_patient(enrolment)}
    if role is Role.CLINICIAN:
        return {
            "alerts": risk.open_alert_count(
                services_with_role(Role.CLINICIAN), reader_id=current_user.account.id
            )
        }
    return {}


def _items(role: Role | None, enrolment: Enrolment | None, counts: dict[str, int]) -> list[NavigationItem]:
    if role is None or (role is Role.PATIENT and not _has_begun(enrolment)):
        return []
    here = place_here(role, request.endpoint or "")
    return [
        NavigationItem(
            place.label,
            url_for(place.endpoint),
            place.icon,
            is_current=place is here,
            is_this_page=place.endpoint == request.endpoint,
            badge=counts.get(place.count, 0),
            badge_words=COUNT_WORDS.get(place.count, ""),
        )
        for place in PLACES[role]
    ]


def _has_begun(enrolment: Enrolment | None) -> bool:
    return enrolment is not None and enrolment.state not in (
        EnrolmentState.INVITED,
        EnrolmentState.ONBOARDING,
    )


def _risk_banner(account: Account, role: Role | None, service: Service | None) -> RiskBanner | None:
    if role in (None, Role.PATIENT, Role.VENDOR) or service is None:
        return None
    if request.endpoint == "supporter_today.show":
        return None  # These alerts are the first rows of that very page.
    found = risk.risk_banner_for(account, held_roles(), service.id, request_time())
    return RiskBanner(found.words, found.href, found.link_words) if found else None


def _news(account: Account) -> RiskBanner | None:
    """On the first page of everybody: what they reported has an answer that they have not read."""
    if request.endpoint not in HOME_PAGES or not feedback.unread_answers(account.id):
        return None
    return RiskBanner(
        "What you reported has an answer.", url_for("public_your_reports.index"), "Read the answer"
    )


def _other_roles(role: Role | None) -> tuple[tuple[str, str], ...]:
    return tuple(
        (ROLE_WORDS[other], url_for(PLACES[other][0].endpoint))
        for other in HOME_ORDER
        if other in held_roles() and other is not role and PLACES[other]
    )


def _footer() -> tuple[tuple[str, str], ...]:
    return (
        ("Privacy", url_for("public_information.privacy")),
        ("Accessibility", url_for("public_information.accessibility")),
        ("Contact the service", url_for("public_information.contact")),
    )


def _footer_for(role: Role | None) -> tuple[tuple[str, str], ...]:
    own = (("Settings", url_for("public_account.show")), *_footer())
    report = (
        ("Report a problem", url_for("public_report.show")),
        ("Your reports", url_for("public_your_reports.index")),
        ("You said, we did", url_for("public_said_did.show")),
    )
    if role is Role.PATIENT:
        return (("Reminders", url_for("patient_reminders.show")), *own, *report)
    if role in STAFF_ROLES:
        return (("Who to ask", url_for("staff_who_to_ask.show")), *own, *report)
    return (*own, *report)
