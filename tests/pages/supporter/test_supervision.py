"""Supervision for supporters: what was decided about my people, my letters that were read, and my answer."""

import pytest

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.reviews.behaviours import TherapistBehaviour
from icbt_support.rhythm.handover import hand_over
from icbt_support.supervision.letters import letters_of_meeting
from icbt_support.supervision.models import LetterAudit
from icbt_support.supervision.operations import decide_in_meeting, fill_in_form, start_meeting
from icbt_support.supervision.queries import discussions_of
from icbt_support.supervision.rules import Mark, SupervisionDecision
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.rhythm_steps import acting
from tests.concepts.slow_course import TUESDAY, live_slowly
from tests.pages.visits import status_of, words_for


@pytest.fixture
def letter(cast: Cast) -> LetterAudit:
    """Alex was talked about, and one of Pat's letters to her was read."""
    live_slowly(cast)
    by = acting(cast.clinician, Role.CLINICIAN)
    meeting = start_meeting(cast.supporter, cast.service, by=by, now=TUESDAY)
    [discussion] = discussions_of(meeting)
    decide_in_meeting(discussion, SupervisionDecision.ADAPT, "A slower pace", by=by, now=TUESDAY)
    [drawn] = letters_of_meeting(meeting)
    marks = dict.fromkeys(TherapistBehaviour, (Mark.SEEN, ""))
    fill_in_form(drawn, marks, "Warm and clear", by=by, now=TUESDAY)
    db.session.commit()
    clock.stop_clock_at(TUESDAY)
    return drawn


def test_the_supporter_sees_decisions_and_the_form_and_answers(
    client: PageClient, cast: Cast, letter: LetterAudit
) -> None:
    pat = client.sign_in(cast.supporter)
    page = pat.get("/supporting/supervision").get_data(as_text=True)
    assert "Adapt the course" in page
    assert "A slower pace" in page
    path = f"/supporting/supervision/letters/{letter.id}"
    assert path in page
    page = pat.get(path).get_data(as_text=True)
    assert "Warm and clear" in page
    assert page.count("<dd>Seen</dd>") == 9
    assert pat.post(path, {"words": " "}).status_code == 400
    page = pat.post(path, {"words": "Thank you"}).get_data(as_text=True)
    assert "Your answer is saved." in page
    assert letter.answer == "Thank you"


def test_nobody_else_sees_it_and_after_a_hand_over_the_writer_does_not_either(
    client: PageClient, cast: Cast, letter: LetterAudit
) -> None:
    path = f"/supporting/supervision/letters/{letter.id}"
    for account in (cast.colleague, cast.other_supporter, cast.patient):
        assert status_of(client.app, account, path) == 404
        assert status_of(client.app, account, path, {"words": "x"}) == 404
    assert "A slower pace" not in words_for(client.app, cast.colleague, "/supporting/supervision")
    by = acting(cast.clinician, Role.CLINICIAN)
    hand_over(cast.enrolment, cast.colleague, reason="", by=by, now=TUESDAY)
    db.session.commit()
    assert status_of(client.app, cast.supporter, path) == 404
    assert "A slower pace" not in words_for(client.app, cast.supporter, "/supporting/supervision")
    assert letter.answer is None
