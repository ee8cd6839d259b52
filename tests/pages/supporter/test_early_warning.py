"""May not be benefiting yet: shown where a person is looked at, decided once, by either of those who may."""

import pytest
from sqlalchemy import select

from icbt_support import clock
from icbt_support.db import db
from icbt_support.early_warning.models import EarlyWarningDecision
from icbt_support.early_warning.rules import WarningChoice
from icbt_support.enrolments.models import Enrolment
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.slow_course import TUESDAY, live_slowly
from tests.pages.visits import status_of, words_for

FACT = "Not signed in for 19 days"


@pytest.fixture
def alex(cast: Cast) -> Enrolment:
    enrolment = live_slowly(cast)
    db.session.commit()
    clock.stop_clock_at(TUESDAY)
    return enrolment


def decisions() -> list[EarlyWarningDecision]:
    return list(db.session.scalars(select(EarlyWarningDecision)))


@pytest.mark.parametrize("audience", ["supporting", "clinical"])
def test_the_facts_are_shown_and_a_decision_makes_it_quiet(
    client: PageClient, cast: Cast, alex: Enrolment, audience: str
) -> None:
    account = cast.supporter if audience == "supporting" else cast.clinician
    record, path = f"/{audience}/patients/{alex.id}", f"/{audience}/patients/{alex.id}/early-warning"
    visitor = client.sign_in(account)
    page = visitor.get(record).get_data(as_text=True)
    assert "may not be benefiting yet" in page
    assert FACT in page
    assert path in page
    assert FACT in visitor.get(path).get_data(as_text=True)
    assert "Select what you will do" in visitor.post(path, {"note": ""}).get_data(as_text=True)
    assert "Write what you will do" in visitor.post(path, {"choice": "something_else"}).get_data(as_text=True)
    assert decisions() == []
    page = visitor.post(path, {"choice": "call", "note": "On Wednesday"}).get_data(as_text=True)
    assert "Noted: a call." in page
    assert FACT not in page.replace(f"{FACT}.", "")
    [decision] = decisions()
    assert (decision.choice, decision.decided_by) == (WarningChoice.CALL, account.id)
    assert visitor.post(path, {"choice": "leave", "note": ""}).status_code == 409
    assert "On Wednesday" in visitor.get(path).get_data(as_text=True)


def test_it_is_in_the_caseload_and_the_workspace_and_leads_back_there(
    client: PageClient, cast: Cast, alex: Enrolment
) -> None:
    path = f"/supporting/patients/{alex.id}/early-warning"
    pat = client.sign_in(cast.supporter)
    assert f"{path}?back=caseload" in pat.get("/supporting/caseload").get_data(as_text=True)
    page = pat.get(f"{path}?back=review").get_data(as_text=True)
    workspace = next(link for link in pat.page.links if link.startswith("/supporting/reviews/"))
    assert f"{path}?back=review" in pat.get(workspace).get_data(as_text=True)
    assert FACT in page
    answer = pat.post(f"{path}?back=review", {"choice": "leave", "note": ""}, follow=False)
    assert answer.location == workspace


def test_others_find_nothing_and_the_rules_are_open_to_staff(
    client: PageClient, cast: Cast, alex: Enrolment
) -> None:
    path = f"/patients/{alex.id}/early-warning"
    for account in (cast.colleague, cast.other_supporter, cast.patient, cast.clinician):
        assert status_of(client.app, account, f"/supporting{path}") == 404
        assert status_of(client.app, account, f"/supporting{path}", {"choice": "leave"}) == 404
    for account in (cast.supporter, cast.other_clinician, cast.patient):
        assert status_of(client.app, account, f"/clinical{path}") == 404
        assert status_of(client.app, account, f"/clinical{path}", {"choice": "leave"}) == 404
    assert decisions() == []
    for account in (cast.supporter, cast.clinician, cast.administrator):
        assert "Forsell" in words_for(client.app, account, "/how/early-warning")
        assert "Reach Out" in words_for(client.app, account, "/how/supervision")
    assert status_of(client.app, cast.patient, "/how/early-warning") == 404
