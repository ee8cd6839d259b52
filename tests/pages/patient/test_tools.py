"""Tools: forms and lists, sharing, two windows on one entry, and whose entries they are."""

from datetime import datetime

import pytest
from sqlalchemy import func, select

from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.journal.models import Entry
from icbt_support.messages.rules import NOT_SAFE_WORDS
from icbt_support.programme.library import programmes
from icbt_support.risk.models import Grade, ReadFirst, RiskAlert
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.patient.tool_entries import entry_count, post_form, save_for, text, the_entry

DIARY = {"field-mood": "2", "field-doing": "Bus stop, chatted to the driver", "sharing": "shared"}


PLAN = {
    "field-what": "Walk to the canal",
    "field-when-on-day": "28",
    "field-when-on-month": "11",
    "field-when-on-year": "2026",
    "field-when-at": "6.30pm",
    "field-mood-before": "3",
    "sharing": "shared",
}


@pytest.fixture
def patient(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.patient)


# Lists and forms --------------------------------------------------------------------------------------------


def test_every_tool_says_what_it_is_for_and_how_long_it_takes(patient: PageClient) -> None:
    page = text(patient.get("/tools"))
    for tool in programmes()["low-mood"].tools.values():
        assert tool.purpose.replace("'", "&#39;") in page
        assert f"bout {tool.minutes} minute" in page
        assert patient.get(f"/tools/{tool.slug}").status_code == 200


def test_above_a_box_that_the_service_sees_stands_when_it_is_read(patient: PageClient) -> None:
    page = text(patient.get("/tools/mood-diary"))
    assert "Pat reads what you share" in page
    assert "Nobody reads it straight away" in page
    assert "If this is about staying safe, use" in page
    assert page.index("If this is about staying safe") < page.index('name="field-doing"')


def test_a_mood_is_saved_and_listed(patient: PageClient) -> None:
    page = text(post_form(patient, "/tools/mood-diary", DIARY))
    assert "Saved. Pat can see it." in page
    entry = the_entry()
    assert entry.fields == {"mood": 2, "doing": "Bus stop, chatted to the driver"}
    assert entry.is_shared
    assert entry.finished_at is not None
    assert "chatted to the driver" in text(patient.get("/tools"))
    assert "chatted to the driver" in text(patient.get("/tools/mood-diary"))


def test_a_form_posted_twice_makes_one_entry_and_two_forms_make_two(patient: PageClient) -> None:
    patient.get("/tools/mood-diary")
    values = {**DIARY, "posted_key": patient.page.fields["posted_key"]}
    patient.post("/tools/mood-diary", values)
    patient.post("/tools/mood-diary", values)
    assert entry_count() == 1
    post_form(patient, "/tools/mood-diary", DIARY)
    assert entry_count() == 2


def test_what_is_missing_is_said_at_the_field_and_in_the_summary_and_the_text_is_kept(
    patient: PageClient,
) -> None:
    response = post_form(patient, "/tools/mood-diary", {"field-doing": "Washing up", "sharing": "private"})
    assert response.status_code == 422
    page = text(response)
    assert page.count("Select an answer to “How is your mood right now?”") == 2
    assert "Washing up" in page
    assert entry_count() == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"field-what": ""}, "Write something under “What will you do?”"),
        ({"field-when-on-month": "13"}, "Enter a real date"),
        ({"field-when-on-year": "26"}, "Enter a day in this century"),
        ({"field-when-at": "half past"}, "Write a time like 6.30pm"),
        ({"field-when-at": "25:00"}, "Write a time like 6.30pm"),
        ({"field-what": "w" * 201}, "Write this in 200 characters or fewer"),
        ({"sharing": ""}, "Select who can see this"),
    ],
)
def test_a_mistake_says_what_to_do(patient: PageClient, changes: dict[str, str], error: str) -> None:
    response = post_form(patient, "/tools/activity-plan", {**PLAN, **changes})
    assert response.status_code == 422
    assert text(response).count(error) == 2
    assert entry_count() == 0


@pytest.mark.parametrize("key", ["", "x\x00y", "k" * 500])
def test_a_form_whose_key_was_lost_or_changed_loses_nothing(patient: PageClient, key: str) -> None:
    for _ in range(2):
        assert patient.post("/tools/mood-diary", {**DIARY, "posted_key": key}).status_code == 200
    assert entry_count() == 2


@pytest.mark.parametrize(
    ("written", "kept"),
    [("6.30pm", "18:30"), ("18:30", "18:30"), ("9am", "09:00"), ("12 pm", "12:00"), ("12am", "00:00")],
)
def test_times_are_read_as_people_write_them(patient: PageClient, written: str, kept: str) -> None:
    post_form(patient, "/tools/activity-plan", {**PLAN, "field-when-at": written})
    assert the_entry().fields["when-at"] == kept


def test_fields_that_a_tool_does_not_have_are_ignored(patient: PageClient) -> None:
    extra = {"field-author": "somebody", "enrolment_id": "2", "is_shared": "1", "field-mood": "99"}
    post_form(patient, "/tools/mood-diary", {**DIARY, **extra, "field-mood": "3", "sharing": "private"})
    entry = the_entry()
    assert set(entry.fields) == {"mood", "doing"}
    assert not entry.is_shared


# Afterwards, changing, sharing ------------------------------------------------------------------------------


def test_afterwards_a_plan_shows_before_and_after(patient: PageClient) -> None:
    page = text(post_form(patient, "/tools/activity-plan", PLAN))
    assert "Saturday 28 November" in page
    assert "6.30pm" in page
    assert "Say how it went" in page
    path = f"/tools/activity-plan/{the_entry().id}/afterwards"
    assert post_form(patient, path, {}).status_code == 422
    after = {"field-outcome": "Changed", "field-mood-after": "6", "field-a-word": "Rain, so the shed"}
    page = text(post_form(patient, path, after))
    assert "Before 3 and after 6, out of 10" in page
    assert "Rain, so the shed" in page
    assert the_entry().fields["what"] == "Walk to the canal"


def test_an_edit_shows_what_was_kept_and_saves_the_change(patient: PageClient) -> None:
    post_form(patient, "/tools/activity-plan", PLAN)
    path = f"/tools/activity-plan/{the_entry().id}/edit"
    patient.get(path)
    fields = patient.page.fields
    assert fields["field-when-at"] == "6.30pm"
    assert (fields["field-when-on-day"], fields["field-mood-before"]) == ("28", "3")
    post_form(patient, path, {**PLAN, "field-what": "Sit by the canal", "sharing": "private"})
    entry = the_entry()
    assert (entry.fields["what"], entry.is_shared, entry.version) == ("Sit by the canal", False, 2)


def test_a_stale_edit_is_refused_with_both_texts(patient: PageClient, cast: Cast, now: datetime) -> None:
    entry = save_for(cast.enrolment, now)
    path = f"/tools/mood-diary/{entry.id}/edit"
    stale = {**DIARY, "version": str(entry.version), "field-doing": "From the phone"}
    post_form(patient, path, {**DIARY, "field-doing": "From the laptop"})
    response = patient.post(path, stale)
    assert response.status_code == 409
    page = text(response)
    assert "From the phone" in page
    assert "From the laptop" in page
    assert the_entry().fields["doing"] == "From the laptop"


def test_sharing_and_making_private_again(patient: PageClient, cast: Cast, now: datetime) -> None:
    entry = save_for(cast.enrolment, now, is_shared=False)
    share = f"/tools/mood-diary/{entry.id}/share"
    assert "Pat can see it" in text(patient.post(share, {"sharing": "shared"}))
    assert the_entry().is_shared
    assert "Only you can see this from now on" in text(patient.post(share, {"sharing": "private"}))
    assert not the_entry().is_shared
    assert patient.post(share, {"sharing": "everybody"}).status_code == 400


def test_a_shared_phrase_of_the_service_shows_help_and_is_read_first(patient: PageClient) -> None:
    words = {**DIARY, "field-doing": "Lying here. I want to die."}
    page = text(post_form(patient, "/tools/mood-diary", words))
    assert "If you might not be safe" in page
    assert page.index("If you might not be safe") < page.index("Lying here. I want to die.</dd>")
    assert db.session.scalar(select(func.count()).select_from(ReadFirst)) == 1


def test_a_private_phrase_shows_help_and_tells_nobody(patient: PageClient) -> None:
    words = {**DIARY, "field-doing": "I want to die", "sharing": "private"}
    assert "If you might not be safe" in text(post_form(patient, "/tools/mood-diary", words))
    assert db.session.scalar(select(func.count()).select_from(ReadFirst)) == 0


def test_an_ordinary_entry_shows_no_help_panel(patient: PageClient) -> None:
    assert "If you might not be safe" not in text(post_form(patient, "/tools/mood-diary", DIARY))


def test_the_safety_plan_is_private_at_first_and_one_that_is_changed(patient: PageClient) -> None:
    patient.get("/tools/safety-plan")
    assert patient.page.fields["sharing"] == "private"
    post_form(patient, "/tools/safety-plan", {"field-by-myself": "Ring Mo", "sharing": "private"})
    page = text(patient.get("/tools/safety-plan"))
    assert "Ring Mo" in page
    assert "use Print" in page
    post_form(patient, f"/tools/safety-plan/{the_entry().id}/edit", {"field-by-myself": "A bath"})
    assert entry_count() == 1


# Whose they are ---------------------------------------------------------------------------------------------

SHAPES = ["", "/edit", "/afterwards", "/finish", "/steps/doing"]


@pytest.mark.parametrize("shape", SHAPES)
def test_entries_of_others_and_entries_of_nobody_are_not_found(
    patient: PageClient, cast: Cast, now: datetime, shape: str
) -> None:
    entry = save_for(cast.other_enrolment, now)
    for entry_id in (entry.id, 99999, 2**63 - 1, 2**63, 0, "x"):
        path = f"/tools/mood-diary/{entry_id}{shape}"
        assert patient.get(path).status_code == 404
        assert patient.post(path, DIARY).status_code in (404, 405)
    assert patient.post(f"/tools/mood-diary/{entry.id}/share", {"sharing": "shared"}).status_code == 404


def test_an_entry_is_not_found_under_another_tool(patient: PageClient, cast: Cast, now: datetime) -> None:
    entry = save_for(cast.enrolment, now)
    assert patient.get(f"/tools/thought-record/{entry.id}").status_code == 404
    assert patient.get("/tools/nowhere").status_code == 404


@pytest.mark.parametrize("role", ["supporter", "clinician", "administrator"])
def test_staff_do_not_find_a_patients_tools(client: PageClient, cast: Cast, now: datetime, role: str) -> None:
    entry = save_for(cast.enrolment, now)
    client.sign_in(getattr(cast, role))
    for path in ("/tools", "/tools/mood-diary", f"/tools/mood-diary/{entry.id}"):
        assert client.get(path).status_code == 404


def test_what_a_person_wrote_is_not_in_the_title_of_a_page(
    patient: PageClient, cast: Cast, now: datetime
) -> None:
    entry = save_for(cast.enrolment, now)
    for shape in ("", "/edit"):
        patient.get(f"/tools/mood-diary/{entry.id}{shape}")
        assert "canal" not in patient.page.title


def test_looking_changes_nothing(patient: PageClient, cast: Cast, now: datetime) -> None:
    entry = save_for(cast.enrolment, now)
    for path in ("/tools", "/tools/mood-diary", f"/tools/mood-diary/{entry.id}"):
        patient.get(path)
    assert (entry_count(), the_entry().version) == (1, 1)


def test_not_safe_beside_save_is_told_with_what_was_typed(patient: PageClient, cast: Cast) -> None:
    assert 'formaction="/safety"' in text(patient.get("/tools/mood-diary"))
    typed = {"field-doing": "It is all too much", "field-mood": "1", "posted_key": "k", "not_safe": "yes"}
    for _ in range(2):
        told = patient.post("/safety", {**typed, "sharing": "shared"})
    assert told.request.path.startswith("/safety/")
    alert = db.session.scalars(select(RiskAlert)).one()
    assert (alert.grade, alert.words) == (Grade.URGENT, "It is all too much")


def test_not_safe_keeps_to_oneself_what_was_for_oneself(patient: PageClient, cast: Cast) -> None:
    told = patient.post("/safety", {"field-doing": "My own words", "sharing": "private", "not_safe": "yes"})
    assert "Please talk to someone now" in told.text
    assert "My own words" in told.text
    assert db.session.scalars(select(RiskAlert)).one().words == NOT_SAFE_WORDS


def test_after_the_end_the_tools_stay_for_oneself(patient: PageClient, cast: Cast, now: datetime) -> None:
    entry = save_for(cast.enrolment, now)
    cast.enrolment.state = EnrolmentState.ENDED
    db.session.commit()
    assert "Walked past the canal" in text(patient.get(f"/tools/mood-diary/{entry.id}"))
    page = text(patient.get("/tools/mood-diary"))
    assert "Your course has ended, so nobody here reads this." in page
    assert "Who can see this?" not in page
    saved = text(post_form(patient, "/tools/mood-diary", DIARY))
    assert "Saved. Only you can see it." in saved
    newest = db.session.scalars(select(Entry).order_by(Entry.id.desc())).first()
    assert newest is not None
    assert (entry_count(), newest.is_shared) == (2, False)
    shared = patient.post(f"/tools/mood-diary/{newest.id}/share", {"sharing": "shared"})
    assert (shared.status_code, newest.is_shared) == (409, False)


def test_after_the_end_a_tool_of_steps_is_finished_for_oneself(patient: PageClient, cast: Cast) -> None:
    post_form(patient, "/tools/worry-tree", {"field-worry": "I am worried that it rains"})
    draft = the_entry()
    cast.enrolment.state = EnrolmentState.ENDED
    db.session.commit()
    post_form(patient, f"/tools/worry-tree/{draft.id}/steps/can-do", {"answer": "no"})
    page = text(patient.get(f"/tools/worry-tree/{draft.id}/finish"))
    assert "Who can see this?" not in page
    post_form(patient, f"/tools/worry-tree/{draft.id}/finish", {"sharing": "shared"})
    assert (the_entry().is_shared, the_entry().finished_at is not None) == (False, True)


def test_what_was_typed_is_shown_as_text(patient: PageClient) -> None:
    page = text(post_form(patient, "/tools/mood-diary", {**DIARY, "field-doing": "<b>bold</b> {{ 7 * 7 }}"}))
    assert "&lt;b&gt;bold&lt;/b&gt; {{ 7 * 7 }}" in page
