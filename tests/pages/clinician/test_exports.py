"""Exports as clinicians take them: streamed, noted in the audit, and for nobody else."""

import csv
from datetime import datetime
from io import StringIO

import pytest
from sqlalchemy import select

from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.exports.tables import EXPORT_TABLES
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import post_message
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.beginnings import as_patient, open_week_1
from tests.concepts.service_of_many import score

EXPORTS = "/clinical/exports"
FOR_ADMINISTRATORS = {"minutes", "sending"}


@pytest.fixture
def course(cast: Cast, now: datetime) -> Cast:
    """Alex has begun and has a name that a spreadsheet would run; Kim, elsewhere, has a score too."""
    open_week_1(cast, now)
    score(cast.enrolment, 0, 15, now)
    score(cast.other_enrolment, 0, 4, now)
    post_message(
        cast.enrolment, "canary-words", kind=MessageKind.MESSAGE, posted_key="m", by=as_patient(cast), now=now
    )
    cast.patient.full_name = "=cmd|Alex"
    db.session.commit()
    return cast


def file_of(browser: PageClient, address: str) -> list[dict[str, str]]:
    words = browser.http.get(address).get_data().decode("utf-8-sig")
    return list(csv.DictReader(StringIO(words, newline=""), strict=True))


def exports_noted() -> list[tuple[str, str]]:
    db.session.rollback()
    lines = db.session.scalars(
        select(AuditLine).where(AuditLine.action.like("export_%")).order_by(AuditLine.id)
    )
    return [(line.action, line.detail) for line in lines]


def test_a_file_is_safe_to_open_and_noted_before_and_after(client: PageClient, course: Cast) -> None:
    client.sign_in(course.clinician).get(EXPORTS)
    assert f"{EXPORTS}/questionnaires.csv" in client.page.links
    response = client.http.get(f"{EXPORTS}/questionnaires.csv?names=yes&from=2026-11-01&programme=low-mood")
    assert exports_noted() == [
        ("export_begun", "questionnaires: 2026-11-01 to now, low-mood, names")
    ]  # before the first byte was asked for
    body = response.get_data()
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert response.headers["Content-Disposition"] == 'attachment; filename="questionnaires-2026-11-19.csv"'
    assert body.startswith(b"\xef\xbb\xbfcourse,name,programme,measure,")
    [row] = csv.DictReader(StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
    assert (row["course"], row["name"], row["total"]) == (str(course.enrolment.id), "'=cmd|Alex", "15")
    assert exports_noted()[1:] == [("export_ended", "questionnaires: 1 row")]
    line = db.session.scalars(select(AuditLine).where(AuditLine.action == "export_ended")).one()
    assert (line.actor_account_id, line.actor_role, line.service_id) == (
        course.clinician.id,
        "clinician",
        course.service.id,
    )


def test_a_file_that_breaks_off_is_noted_as_such(client: PageClient, course: Cast) -> None:
    client.sign_in(course.clinician)
    response = client.http.get(f"{EXPORTS}/enrolments.csv")
    next(iter(response.response))
    response.close()
    assert exports_noted()[1:] == [("export_broken_off", "enrolments: 1 row")]


def test_no_file_holds_a_name_unasked_or_a_word_that_was_typed(client: PageClient, course: Cast) -> None:
    client.sign_in(course.clinician)
    for table in EXPORT_TABLES:
        words = client.http.get(f"{EXPORTS}/{table.slug}.csv").get_data(as_text=True)
        assert words.count("\r\n") > 1 or table.slug in ("minutes", "treatment-contacts"), table.slug
        for hidden in ("Alex", "Reed", "Pat Lane", "canary", "example.net", "01632"):
            assert hidden not in words, (table.slug, hidden)


def test_nobody_else_gets_a_row(client: PageClient, course: Cast) -> None:
    for account in (course.patient, course.supporter):
        client.sign_in(account)
        for path in (EXPORTS, f"{EXPORTS}/dictionary.csv", f"{EXPORTS}/enrolments.csv"):
            assert client.http.get(path).status_code == 404
    client.sign_in(course.administrator)
    for table in EXPORT_TABLES:
        allowed = 200 if table.slug in FOR_ADMINISTRATORS else 404
        assert client.http.get(f"{EXPORTS}/{table.slug}.csv").status_code == allowed
    refused = select(AuditLine.detail).where(AuditLine.action == "refused", AuditLine.detail.like("export %"))
    assert len(set(db.session.scalars(refused))) == len(EXPORT_TABLES) - len(FOR_ADMINISTRATORS)
    rows = file_of(client.sign_in(course.other_clinician), f"{EXPORTS}/questionnaires.csv")
    assert [(row["course"], row["total"]) for row in rows] == [(str(course.other_enrolment.id), "4")]


def test_an_administrators_page_offers_no_patient(client: PageClient, course: Cast) -> None:
    html = client.sign_in(course.administrator).get(EXPORTS).get_data(as_text=True)
    offered = {
        link for link in client.page.links if link.startswith(f"{EXPORTS}/") and "dictionary" not in link
    }
    assert offered == {f"{EXPORTS}/{slug}.csv" for slug in FOR_ADMINISTRATORS}
    assert "Add people" not in html
    assert "phq9" not in client.get(f"{EXPORTS}/dictionary").get_data(as_text=True)
    assert "phq9" not in client.http.get(f"{EXPORTS}/dictionary.csv").get_data(as_text=True)


def test_the_filter_goes_into_the_addresses_and_nonsense_is_refused(client: PageClient, course: Cast) -> None:
    client.sign_in(course.clinician)
    parts = {"from_on": (1, 11, 2026), "until_on": (19, 11, 2026)}
    query = "&".join(
        f"{name}-{part}={value}"
        for name, values in parts.items()
        for part, value in zip(("day", "month", "year"), values, strict=True)
    )
    html = client.get(f"{EXPORTS}?{query}&programme=low-mood&names=y").get_data(as_text=True)
    assert "From Sunday 1 November 2026 until Thursday 19 November 2026, " in html
    assert "with people&#39;s names." in html
    days = "from=2026-11-01&until=2026-11-19"
    assert f"{EXPORTS}/weeks.csv?{days}&programme=low-mood&names=yes" in [
        link.replace("&amp;", "&") for link in client.page.links
    ]
    assert f"{EXPORTS}/minutes.csv?{days}" in [link.replace("&amp;", "&") for link in client.page.links]
    html = client.get(f"{EXPORTS}?{query.replace('until_on-year=2026', 'until_on-year=2025')}").get_data(
        as_text=True
    )
    assert "Enter a last day that is not before the first one" in html
    assert not any(link.endswith(".csv") and "weeks" in link for link in client.page.links)
    for bad in ("from=2026-02-30", "until=9999-12-31", "programme=x", "from=%00"):
        assert client.http.get(f"{EXPORTS}/weeks.csv?{bad}").status_code == 400
    assert client.http.get(f"{EXPORTS}/nothing.csv").status_code == 404


def test_the_dictionary_says_what_feeds_a_log(client: PageClient, course: Cast) -> None:
    html = client.sign_in(course.clinician).get(f"{EXPORTS}/dictionary").get_data(as_text=True)
    assert "phq9_of_week" in html
    rows = file_of(client, f"{EXPORTS}/dictionary.csv")
    feeds = {(row["table"], row["column"]): row["therapy_log_column"] for row in rows}
    assert feeds["therapy-log", "reviewed_at"] == "Date of the therapist's contact"
