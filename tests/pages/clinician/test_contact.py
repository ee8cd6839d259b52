"""The contact sheet, for clinicians."""

from datetime import datetime

from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.audit import Actor, ActorKind
from icbt_support.db import db
from icbt_support.risk.models import CallLog, CallOutcome
from icbt_support.risk.operations import raise_stated_risk
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.visits import status_of


def test_how_to_reach_somebody_and_a_logged_call(client: PageClient, cast: Cast, now: datetime) -> None:
    by = Actor(ActorKind.PERSON, cast.patient.id, Role.PATIENT)
    alert = raise_stated_risk(cast.enrolment, "Please call", source_key="k", by=by, now=now)
    db.session.commit()
    clinician = client.sign_in(cast.clinician)
    path = f"/clinical/patients/{cast.enrolment.id}/contact"
    html = clinician.get(path).get_data(as_text=True)
    assert 'href="tel:01632960123"' in html
    assert "Not confirmed by the person yet." in html
    response = clinician.post(
        path, {"outcome": "spoke", "about": str(alert.id), "note": "Safe tonight", "minutes": "12"}
    )
    assert "Safe tonight" in response.get_data(as_text=True)
    call = db.session.scalars(select(CallLog)).one()
    assert (call.outcome, call.alert_id, call.minutes) == (CallOutcome.SPOKE, alert.id, 12)


def test_a_call_without_an_outcome_is_asked_for_and_kept(client: PageClient, cast: Cast) -> None:
    clinician = client.sign_in(cast.clinician)
    path = f"/clinical/patients/{cast.enrolment.id}/contact"
    clinician.get(path)
    response = clinician.post(path, {"note": "Rang twice", "minutes": "lots"})
    assert response.status_code == 400
    html = response.get_data(as_text=True)
    assert "Select what came of the call" in html
    assert "Rang twice" in html
    assert db.session.scalars(select(CallLog)).all() == []


def test_an_alert_of_somebody_else_cannot_be_named(client: PageClient, cast: Cast, now: datetime) -> None:
    by = Actor(ActorKind.PERSON, cast.other_patient.id, Role.PATIENT)
    foreign = raise_stated_risk(cast.other_enrolment, "x", source_key="k", by=by, now=now)
    db.session.commit()
    clinician = client.sign_in(cast.clinician)
    path = f"/clinical/patients/{cast.enrolment.id}/contact"
    clinician.get(path)
    clinician.post(path, {"outcome": "spoke", "about": str(foreign.id)})
    assert all(call.alert_id is None for call in db.session.scalars(select(CallLog)))


def test_only_clinicians_of_the_service(client: PageClient, cast: Cast) -> None:
    path = f"/clinical/patients/{cast.enrolment.id}/contact"
    for account in (cast.other_clinician, cast.supporter, cast.patient, cast.administrator):
        assert status_of(client.app, account, path) == 404
        assert status_of(client.app, account, path, {"outcome": "spoke"}) == 404
    assert db.session.scalars(select(CallLog)).all() == []
