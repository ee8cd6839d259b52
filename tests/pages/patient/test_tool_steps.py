"""Tools that go a step at a time, and the tree of questions."""

from datetime import datetime

import pytest

from icbt_support.programme.library import programmes
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.patient.tool_entries import post_form, save_for, text, the_entry


@pytest.fixture
def patient(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.patient)


# Steps ------------------------------------------------------------------------------------------------------


def test_a_thought_record_goes_a_step_at_a_time_keeps_its_place_and_can_be_skipped(
    patient: PageClient,
) -> None:
    assert post_form(patient, "/tools/thought-record", {}).status_code == 422
    post_form(patient, "/tools/thought-record", {"field-situation": "Lorna walked past"})
    draft = the_entry()
    assert draft.finished_at is None
    assert not draft.is_shared
    page = text(patient.get("/tools/thought-record"))
    assert f"/tools/thought-record/{draft.id}/steps/thought" in page
    path = f"/tools/thought-record/{draft.id}/steps"
    post_form(patient, f"{path}/thought", {"skip": "1"})
    answer = post_form(patient, f"{path}/belief-before", {"field-belief-before": "101"})
    assert answer.status_code == 422
    assert "Write a whole number from 0 to 100" in text(answer)
    post_form(patient, f"{path}/belief-before", {"field-belief-before": "85"})
    steps = programmes()["low-mood"].tools["thought-record"].fields[3:]
    for field in steps:
        values = {"field-belief-after": "50"} if field.key == "belief-after" else {}
        page = text(post_form(patient, f"{path}/{field.key}", values))
    assert "Look over what you wrote" in page
    assert "Lorna walked past" in page
    assert page.count("Skipped") == 7
    assert "Before 85 and after 50, out of 100" in page
    page = text(post_form(patient, f"/tools/thought-record/{draft.id}/finish", {"sharing": "shared"}))
    assert "Saved. Pat can see it." in page
    entry = the_entry()
    assert entry.finished_at is not None
    assert entry.fields == {"situation": "Lorna walked past", "belief-before": 85, "belief-after": 50}


def test_a_step_can_be_changed_from_the_last_page(patient: PageClient) -> None:
    post_form(patient, "/tools/thought-record", {"field-situation": "Lorna walked past"})
    draft = the_entry()
    path = f"/tools/thought-record/{draft.id}/steps"
    for field in programmes()["low-mood"].tools["thought-record"].fields[1:]:
        post_form(patient, f"{path}/{field.key}", {"skip": "1"})
    changed = post_form(patient, f"{path}/situation", {"field-situation": "In the yard"}, follow=False)
    assert changed.location == f"/tools/thought-record/{draft.id}/finish"
    assert "In the yard" in text(patient.get(changed.location))


def test_a_step_of_a_stale_window_is_refused_with_both_texts(patient: PageClient) -> None:
    post_form(patient, "/tools/thought-record", {"field-situation": "Lorna walked past"})
    path = f"/tools/thought-record/{the_entry().id}/steps/thought"
    patient.get(path)
    stale = patient.page.fields["version"]
    post_form(patient, path, {"field-thought": "From the laptop"})
    response = patient.post(path, {"field-thought": "From the phone", "version": stale})
    assert response.status_code == 409
    assert "From the phone" in text(response)
    assert "From the laptop" in text(response)


def test_a_finished_entry_has_no_steps_any_more(patient: PageClient, cast: Cast, now: datetime) -> None:
    entry = save_for(cast.enrolment, now)
    for part in ("finish", "steps/doing"):
        response = patient.http.get(f"/tools/mood-diary/{entry.id}/{part}")
        assert response.location == f"/tools/mood-diary/{entry.id}"


# The tree ---------------------------------------------------------------------------------------------------


def begin_tree(patient: PageClient) -> str:
    post_form(patient, "/tools/worry-tree", {"field-worry": "What if they cut my hours?"})
    return f"/tools/worry-tree/{the_entry().id}"


def test_the_worry_tree_asks_yes_or_no_and_ends_where_the_answers_lead(patient: PageClient) -> None:
    path = begin_tree(patient)
    response = post_form(patient, f"{path}/steps/can-do", {})
    assert response.status_code == 422
    assert "Select yes or no" in text(response)
    page = text(post_form(patient, f"{path}/steps/can-do", {"answer": "yes"}))
    assert "Is there something you can do now?" in page
    page = text(post_form(patient, f"{path}/steps/do-now", {"answer": "no"}))
    assert "Plan it, then let the worry be" in page
    assert page.count("is-on-path") == 3
    assert "/tools/activity-plan" in page
    post_form(patient, f"{path}/finish", {"field-what-later": "Ask Lorna on Monday", "sharing": "shared"})
    assert the_entry().fields == {
        "worry": "What if they cut my hours?",
        "can-do": "yes",
        "do-now": "no",
        "what-later": "Ask Lorna on Monday",
    }
    page = text(patient.get(path))
    assert "Ask Lorna on Monday" in page
    assert page.count("<circle") >= 2


def test_going_back_and_answering_otherwise_leaves_the_other_branch(patient: PageClient) -> None:
    path = begin_tree(patient)
    post_form(patient, f"{path}/steps/can-do", {"answer": "yes"})
    post_form(patient, f"{path}/steps/do-now", {"answer": "yes"})
    page = text(post_form(patient, f"{path}/steps/can-do", {"answer": "no"}))
    assert "There is nothing to do about this one today" in page
    post_form(patient, f"{path}/finish", {"field-turn-to": "The bins", "sharing": "private"})
    assert the_entry().fields == {
        "worry": "What if they cut my hours?",
        "can-do": "no",
        "turn-to": "The bins",
    }


def test_a_question_that_was_not_reached_leads_to_the_one_that_was(patient: PageClient) -> None:
    path = begin_tree(patient)
    assert patient.http.get(f"{path}/steps/do-now").location == f"{path}/steps/can-do"
    assert patient.http.get(f"{path}/finish").location == f"{path}/steps/can-do"
    assert patient.http.get(path).location == f"{path}/steps/can-do"
