"""One report from the patient who writes it to the answer they read: through the service, the vendor and back."""

from datetime import UTC, datetime

from flask import Flask
from sqlalchemy import select

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.feedback.models import ProblemReport
from icbt_support.feedback.queries import waits_of
from icbt_support.jobs.runner import tick
from icbt_support.service.models import Service
from tests.browsing import PageClient
from tests.cast import Cast, make_person
from tests.jobs.test_people_told import mails_to

TYPED = "Canary: the page of my thought record goes white when I save, and I felt awful"
FOR_VENDOR = "The thought record shows a white page after Save."
FRIDAY = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 24, 10, 5, tzinfo=UTC)
WEDNESDAY = datetime(2026, 11, 25, 12, 5, tzinfo=UTC)


def test_a_report_goes_to_the_vendor_in_other_words_and_comes_back_answered(
    app: Flask, cast: Cast, now: datetime
) -> None:
    vendor_account = make_person("Vic Trade", Role.VENDOR, cast.service, now)
    elsewhere = make_person("Val Else", Role.VENDOR, cast.elsewhere, now)
    db.session.commit()
    patient, admin = PageClient(app).sign_in(cast.patient), PageClient(app).sign_in(cast.administrator)
    vendor, other = PageClient(app).sign_in(vendor_account), PageClient(app).sign_in(elsewhere)

    # Alex reports; pressed twice, it is one report.
    patient.get("/report-a-problem", headers={"Referer": "http://localhost/tools/thought-record/12"})
    form = {
        "words": TYPED,
        "kind": "problem",
        "page": patient.page.fields["page"],
        "posted_key": patient.page.fields["posted_key"],
    }
    assert "No answer yet" in patient.post("/report-a-problem", form).text
    patient.post("/report-a-problem", form)
    [report_id] = db.session.scalars(select(ProblemReport.id)).all()

    # Before triage the vendor finds nothing, and the administrator sees a patient without a name.
    assert vendor.http.get(f"/vendor/reports/{report_id}").status_code == 404
    page = admin.get(f"/admin/feedback/{report_id}").text
    assert TYPED in page
    assert "A patient" in page
    assert "Alex" not in page
    early = admin.post(
        f"/admin/feedback/{report_id}/answer", {"words": "Hm", "kind": "to_reporter", "posted_key": "e"}
    )
    assert early.status_code == 409

    # Triage on Friday: only the confirmed words reach the vendor, who is told by email.
    clock.stop_clock_at(FRIDAY)
    triage = {"owner": str(cast.administrator.id), "goes_to": "vendor"}
    refused = admin.post(f"/admin/feedback/{report_id}/triage", triage)
    assert (refused.status_code, "Write what the vendor reads" in refused.text) == (422, True)
    triage["vendor_words"] = FOR_VENDOR
    assert "The vendor has been told" in admin.post(f"/admin/feedback/{report_id}/triage", triage).text
    tick(app, names=["deliver"])
    [mail] = mails_to(vendor_account)
    assert f"/vendor/reports/{report_id}" in mail
    assert "white" not in mail
    assert mails_to(elsewhere) == []
    for path in ("/vendor/reports", f"/vendor/reports/{report_id}"):
        seen = vendor.get(path).text
        assert "Canary" not in seen
        assert "Alex" not in seen
    assert FOR_VENDOR in seen
    assert "A patient" in seen
    assert "/tools/thought-record/…" in seen
    assert other.http.get(f"/vendor/reports/{report_id}").status_code == 404

    # The vendor asks the service something: Alex is not told. Then the vendor answers Alex on Tuesday.
    path = f"/vendor/reports/{report_id}/answer"
    vendor.post(path, {"words": "Which browser?", "kind": "between_us", "posted_key": "q"})
    assert "Which browser?" in admin.get(f"/admin/feedback/{report_id}").text
    assert "Which browser?" not in patient.get("/your-reports").text
    clock.stop_clock_at(TUESDAY)
    answer = {"words": "It is mended in version 1.1.", "kind": "to_reporter", "posted_key": "a"}
    assert vendor.post(path, answer).status_code == 200
    tick(app, names=["deliver"])
    [mail] = mails_to(cast.patient)
    assert "What you told us has an answer" in mail
    assert "mended" not in mail
    home = patient.get("/week").text
    assert "What you reported has an answer." in home
    page = patient.get("/your-reports").text
    assert "It is mended in version 1.1." in page
    assert FOR_VENDOR not in page

    # Alex reads it; the notice goes. Nobody else can say so for Alex.
    other.get("/account")
    assert other.post(f"/your-reports/{report_id}/read", {}).status_code == 404
    patient.post(f"/your-reports/{report_id}/read", {})
    assert "What you reported has an answer." not in patient.get("/week").text

    # The service ends it and tells everybody what came of it; a closed report takes no more answers.
    clock.stop_clock_at(WEDNESDAY)
    end = {"state": "resolved", "closing_words": "Mended. Thank you.", "said_words": "A page went white"}
    assert admin.post(f"/admin/feedback/{report_id}/close", end).status_code == 422
    end["did_words"] = "It is mended since Tuesday"
    assert admin.post(f"/admin/feedback/{report_id}/close", end).status_code == 200
    assert vendor.post(path, {**answer, "posted_key": "late"}).status_code == 409
    told = PageClient(app).sign_in(cast.supporter).get("/you-said-we-did").text
    assert "A page went white" in told
    assert "It is mended since Tuesday" in told
    assert (
        "A page went white" not in PageClient(app).sign_in(cast.other_supporter).get("/you-said-we-did").text
    )
    assert "Mended. Thank you." in patient.get("/your-reports").text
    patient.post(f"/your-reports/{report_id}/read", {})
    tick(app, names=["deliver"])
    assert len(mails_to(cast.patient)) == 1  # read before the email about it went out

    # Thursday 10.05 to Tuesday 10.05 is three working days, to Wednesday 12.05 four and two hours.
    waits = waits_of(db.session.get_one(Service, cast.service.id))
    assert (waits.first_answer.count, waits.first_answer.words) == (1, "3 working days")
    assert waits.resolution.words == "4 working days 2 hours"
    assert "3 working days" in vendor.get("/vendor/reports").text
    actions = set(db.session.scalars(select(AuditLine.action).where(AuditLine.object_id == report_id)))
    assert {
        "reported_problem",
        "triaged_report",
        "answered_report",
        "closed_report",
        "read_report",
    } <= actions
