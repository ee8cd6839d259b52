"""Finds real addresses of every page by walking the links of a role, and fails on a route nobody can reach."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from flask import Flask
from playwright.sync_api import Page
from werkzeug.exceptions import HTTPException

from icbt_support.accounts.models import Role
from icbt_support.pages.guards import access_of

EXAMPLES = 2
AFTER_A_POST = "stands behind a form that was posted: the journeys in a browser look at it"
FILES = ("clinician_exports.download", "clinician_exports.dictionary_file")
LEFT_ALONE = {
    **dict.fromkeys(FILES, "a file to keep: the page of exports offers it"),
    "patient_away.dates": AFTER_A_POST,
    "patient_check_in.question": AFTER_A_POST,
    "patient_check_in.answers": AFTER_A_POST,
    "patient_check_in.safety": AFTER_A_POST,
    "patient_safety.after_alert": AFTER_A_POST,
    "patient_onboarding.consent": AFTER_A_POST,
    "patient_onboarding.times": AFTER_A_POST,
    "patient_onboarding.ready": AFTER_A_POST,
    "patient_tools.afterwards": AFTER_A_POST,
    "patient_tool_steps.step": AFTER_A_POST,
    "patient_tool_steps.finish": AFTER_A_POST,
    "patient_supporter.photo": "a picture: the page about the supporter shows it",
    "supporter_absence.change": "the supporters of the demo have no days away to come",
    "supporter_absence.preview": AFTER_A_POST,
    "supporter_absence.preview_change": AFTER_A_POST,
    "supporter_me.photo": "a picture: the page about oneself shows it",
    "staff_board.show": "supporters find it once they are named as lead; the others walk to it",
    "staff_board.show_targets": "the lead's and administrators' alone",
    "clinician_early_warning.show": "on the record of somebody who is pointed out: the page tests open it",
    "clinician_supervision_letter.show": AFTER_A_POST,
    "patient_new_days.show": "for somebody who comes back: the journey of a quiet month walks it",
    "reading_after_course.show": "nobody in the demo has answered after a course: its page tests do",
    "supporter_late_review.show": "in the workspace of a late review: the journey of cover and leaving takes one",
    "clinician_supervision_meeting.show": AFTER_A_POST,
    "supporter_supervision.letter": AFTER_A_POST,
    "supporter_review.preview": AFTER_A_POST,
    "supporter_review_merge.show": AFTER_A_POST,
    "supporter_welcome.show": "everybody in the demo has had a welcome: the journeys write one",
}


@dataclass
class Found:
    """What a role reached: endpoint to its first addresses."""

    addresses: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, endpoint: str, address: str) -> bool:
        known = self.addresses[endpoint]
        if address in known or len(known) >= EXAMPLES:
            return False
        known.append(address)
        return True


def crawl(page: Page, app: Flask, base: str, starts: list[str], role: Role) -> Found:
    """Walks every link below `base` to pages that `role` may use, at most two addresses for each endpoint."""
    found, waiting = Found(), list(starts)
    while waiting:
        path = waiting.pop(0)
        endpoint = endpoint_of(app, path)
        if endpoint is None or endpoint in ("static", *FILES) or not may_use(app, endpoint, role):
            continue
        if not found.add(endpoint, path):
            continue
        response = page.request.get(base + path)
        assert response.status < 500, f"{path} answered {response.status}"
        if "text/html" not in response.headers.get("content-type", ""):
            continue
        here = response.url
        for href in re.findall(r'href="([^"#]+)', response.text()):
            target = urlsplit(urljoin(here, href.replace("&amp;", "&")))
            if f"{target.scheme}://{target.netloc}" == base:
                waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return found


def may_use(app: Flask, endpoint: str, role: Role) -> bool:
    access = access_of(app.view_functions[endpoint])
    return access is not None and (not access.roles or role in access.roles)


def endpoint_of(app: Flask, path: str) -> str | None:
    try:
        endpoint, _ = app.url_map.bind("localhost").match(urlsplit(path).path, method="GET")
    except HTTPException:
        return None
    return str(endpoint)
