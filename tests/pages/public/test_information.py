"""Pages that anybody may read, the way home, and reporting a problem."""

import pytest
from sqlalchemy import select, text

from icbt_support.db import db
from icbt_support.feedback.models import ProblemReport
from icbt_support.settings import PRODUCT_VERSION
from tests.browsing import PageClient
from tests.cast import Cast

REPORT = {"kind": "problem", "posted_key": "k"}


@pytest.mark.parametrize(
    "path", ["/privacy", "/accessibility", "/contact", "/about", "/sign-in", "/forgotten-password"]
)
def test_public_pages_answer_strangers_and_those_signed_in(client: PageClient, cast: Cast, path: str) -> None:
    assert client.get(path).status_code == 200
    client.sign_in(cast.patient)
    assert client.http.get(path).status_code in (200, 302)


def test_a_report_is_kept_encrypted_with_the_page_it_is_about(client: PageClient, cast: Cast) -> None:
    client.sign_in(cast.patient).get("/report-a-problem", headers={"Referer": "http://localhost/account?x=1"})
    assert client.page.fields["page"] == "/account"
    client.post(
        "/report-a-problem",
        {**REPORT, "words": "The button is hidden on my phone", "page": "/account?who=Alex#Reed"},
    )
    report = db.session.scalars(select(ProblemReport)).one()
    assert report.words == "The button is hidden on my phone"
    assert (report.page, report.product_version) == ("/account", PRODUCT_VERSION)
    assert report.reported_by == cast.patient.id
    assert report.service_id == cast.service.id
    raw = db.session.execute(text("SELECT words FROM problem_reports")).scalar_one()
    assert "button" not in raw


def test_a_report_about_nothing_or_too_long_is_refused_and_kept_on_the_page(
    client: PageClient, cast: Cast
) -> None:
    client.sign_in(cast.patient).get("/report-a-problem")
    empty = client.post("/report-a-problem", {**REPORT, "words": "  "})
    assert "Write what happened" in empty.text
    long = client.post("/report-a-problem", {**REPORT, "words": "word " * 1001})
    assert "5,000 characters or fewer" in long.text
    assert "word word" in long.text
    assert db.session.scalars(select(ProblemReport)).all() == []


def test_a_strangers_report_is_not_taken(client: PageClient, cast: Cast) -> None:
    client.get("/sign-in")
    response = client.post("/report-a-problem", {"words": "spam"}, follow=False)
    assert response.location.startswith("/sign-in")


def test_a_page_of_another_site_is_not_kept(client: PageClient, cast: Cast) -> None:
    client.sign_in(cast.patient).get("/report-a-problem")
    form = {**REPORT, "words": "Something", "page": "https://evil.example/"}
    client.post("/report-a-problem", form)
    client.post("/report-a-problem", form)
    assert db.session.scalars(select(ProblemReport.page)).all() == [""]


def test_development_sign_in_is_one_press(client: PageClient, cast: Cast) -> None:
    assert "Development only" in client.get("/dev/sign-in").text
    response = client.post("/dev/sign-in", {"person": cast.supporter.email}, follow=False)
    assert response.location == "/"
    assert client.http.get("/").location == "/supporting/today"
    client.get("/account")
    assert client.post("/dev/sign-in", {"person": "nobody@example.net"}).status_code == 404


def test_an_odd_address_to_come_from_is_none(client: PageClient, cast: Cast) -> None:
    client.sign_in(cast.patient)
    assert client.get("/report-a-problem", headers={"Referer": "http://[::1"}).status_code == 200
    assert client.page.fields["page"] == ""
