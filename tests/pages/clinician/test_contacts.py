"""Treatment contacts are confirmed by clinicians only, for all who wait and on the person's own page."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from icbt_support.contacts.models import TreatmentContact
from icbt_support.db import db
from icbt_support.patient_groups.models import PatientGroup
from icbt_support.patient_groups.queries import group_of
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.service_of_many import review
from tests.pages.visits import status_of

WAITING = "/clinical/contacts"


@pytest.fixture
def clinician(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.clinician)


def confirmed() -> int:
    return db.session.scalar(
        select(func.count(TreatmentContact.id)).where(TreatmentContact.confirmed_at.is_not(None))
    )


def own(cast: Cast) -> str:
    return f"/clinical/patients/{cast.enrolment.id}/contacts"


def test_only_clinicians_of_the_service_find_them(app: Flask, cast: Cast, now: datetime) -> None:
    sent = review(cast.enrolment, 1, now.date(), sent_at=now)
    data = {"contacts": f"review_sent-{sent.id}", "decision": "confirm"}
    db.session.commit()
    for path in (WAITING, own(cast)):
        for account in (cast.patient, cast.supporter, cast.administrator):
            assert status_of(app, account, path) == 404
            assert status_of(app, account, path, data) == 404
    assert status_of(app, cast.other_clinician, own(cast)) == 404
    assert status_of(app, cast.other_clinician, own(cast), data) == 404
    assert status_of(app, cast.other_clinician, WAITING, data) == 200  # nothing of theirs is named
    assert confirmed() == 0


def test_confirming_for_all_who_wait_and_changing_ones_mind(
    clinician: PageClient, cast: Cast, now: datetime
) -> None:
    sent = [
        review(cast.enrolment, number, now.date(), sent_at=now - timedelta(days=number)) for number in (1, 2)
    ]
    html = clinician.get(WAITING).get_data(as_text=True)
    assert "Alex Reed" in html
    assert "Review sent, Wednesday 18 November 2026, Pat Lane" in html
    answer = clinician.post(
        WAITING, {"contacts": [f"review_sent-{one.id}" for one in sent], "decision": "confirm"}
    )
    assert "2 contacts count." in answer.get_data(as_text=True)
    assert "Nothing waits to be confirmed" in answer.get_data(as_text=True)
    assert confirmed() == 2
    clinician.get(own(cast))
    contact = db.session.scalars(select(TreatmentContact)).first()
    html = clinician.post(f"{WAITING}/{contact.id}/change").get_data(as_text=True)
    assert "It does not count any more." in html
    assert confirmed() == 1


def test_nothing_ticked_says_what_to_do(clinician: PageClient, cast: Cast, now: datetime) -> None:
    review(cast.enrolment, 1, now.date(), sent_at=now)
    for path in (WAITING, own(cast)):
        clinician.get(path)
        answer = clinician.post(path, {"decision": "confirm"})
        assert answer.status_code == 400
        assert "Select at least one contact" in answer.get_data(as_text=True)
    clinician.get(own(cast))
    refused = clinician.post(own(cast), {"contacts": "review_sent-1", "decision": "maybe"})
    assert refused.status_code == 400
    assert confirmed() == 0


def test_an_assessment_is_written_down_and_cannot_be_tomorrow(clinician: PageClient, cast: Cast) -> None:
    clinician.get(own(cast))
    day = {"kind": "assessment", "on-day": "20", "on-month": "11", "on-year": "2026", "minutes": "45"}
    answer = clinician.post(f"{own(cast)}/write-down", day)
    assert (answer.status_code, confirmed()) == (409, 0)
    assert "Enter a day that has begun" in answer.get_data(as_text=True)
    answer = clinician.post(f"{own(cast)}/write-down", day | {"on-day": "19"})
    assert "Assessment, Thursday 19 November 2026, 45 min, Dr Jo Field" in answer.get_data(as_text=True)
    assert clinician.post(f"{own(cast)}/write-down", {"minutes": "0"}).status_code == 400
    assert confirmed() == 1


def test_the_administrator_keeps_the_groups_and_the_clinician_uses_them(
    app: Flask, client: PageClient, cast: Cast
) -> None:
    assert status_of(app, cast.clinician, "/admin/groups") == 404
    client.sign_in(cast.administrator)
    client.get("/admin/groups")
    assert client.post("/admin/groups", {"name": ""}).status_code == 400
    assert "18 to 25" in client.post("/admin/groups", {"name": "18 to 25"}).get_data(as_text=True)
    group = db.session.scalars(select(PatientGroup)).one()
    assert status_of(app, cast.administrator, f"/admin/groups/{group.id + 1}/remove", {}) == 404
    visitor = PageClient(app).sign_in(cast.clinician)
    visitor.get(own(cast))
    visitor.post(f"/clinical/patients/{cast.enrolment.id}/group", {"group": str(group.id)})
    assert group_of(cast.enrolment) is group
    assert visitor.post(f"/clinical/patients/{cast.enrolment.id}/group", {"group": "99"}).status_code == 400
    html = visitor.get("/clinical/outcomes").get_data(as_text=True)
    assert "18 to 25" in html
