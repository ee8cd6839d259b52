"""The letter at depth: phrases and gaps, what the next step uses, how it reads, and the course from here on."""

import pytest
from sqlalchemy import event, select

from icbt_support.db import db
from icbt_support.plan.models import ItemKind, PlanItem
from icbt_support.reviews.models import ReviewLetter, ReviewState
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.supporter.course import Course, draft_text, letter_values, reload
from tests.pages.supporter.test_phrases import keep
from tests.pages.supporter.workspace import open_workspace, path, preview, send

FORTNIGHT = "2026-12-03T11:00:00+00:00"


def press(browser: PageClient, course: Course, **changes: str) -> str:
    fields = open_workspace(browser, course.review)
    kept = {name: fields.get(name, "") for name in ("course_before", "phrases")}
    values = letter_values(fields, **(kept | changes))
    return browser.post(path(course.review), values).get_data(as_text=True)


def course_fields(browser: PageClient, course: Course, **changes: str) -> dict[str, str]:
    return {"course_before": open_workspace(browser, course.review)["course_before"], **changes}


# Phrases ------------------------------------------------------------------------------------------


def test_a_phrase_goes_to_the_end_of_the_chosen_section_and_nothing_is_lost(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    phrase_id = keep(
        cast, "Praise", words="{called}, [what you noticed]. Next: {step}. {next_review}, {supporter}"
    )
    html = press(
        writer,
        course,
        phrase=str(phrase_id),
        phrase_into="question",
        question="Typed.",
        step_what="",
        noticed="Here",
    )
    words = "Typed.\n\nAlex, [what you noticed]. Next: {step}. Thursday 26 November, Pat"
    assert draft_text(course.review, "question") == words
    assert draft_text(course.review) == "Here"
    assert "Not used lately" in html


def test_an_open_gap_blocks_the_preview_at_its_field_by_its_name(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    html = preview(writer, course.review, question="I saw [what you noticed] on {step_by}.", step_why="[why]")
    assert html.count("Fill in [what you noticed] in “Your question”, or take it out") == 2
    assert html.count("Fill in [why] in “Why it helps, because …”, or take it out") == 2
    assert 'href="#question"' in html
    assert draft_text(course.review, "question") == "I saw [what you noticed] on Sunday 22 November, 6pm."
    html = preview(writer, course.review, question="I saw {score_change}.")
    assert "Fill in {score_change} in “Your question”" in html
    assert reload(course.review).draft.previewed_version is None


def test_a_sent_phrase_shows_its_use_to_the_next_letter(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    phrase_id = keep(cast, "Praise", words="That took courage, {called}.")
    press(writer, course, phrase=str(phrase_id), phrase_into="noticed", shape="letter")
    fields = open_workspace(writer, course.review)
    values = letter_values(fields, noticed="That took courage, Alex.", phrases=fields["phrases"], preview="1")
    writer.post(path(course.review), values)
    send(writer, course.review)
    html = writer.get(path(reload(course.review), "").replace("/1", "/2")).get_data(as_text=True)
    assert "Used in Alex&#39;s last letter, 1 time this month by you" in html


def test_a_strangers_phrase_is_not_put_in(cast: Cast, course: Course, client: PageClient) -> None:
    phrase_id = keep(cast, "Own of Pat")
    cast.enrolment.supporter_id = cast.colleague.id
    db.session.commit()
    client.sign_in(cast.colleague)
    for chosen in (str(phrase_id), "0", "x", str(2**70), "9" * 9):
        press(client, course, phrase=chosen, noticed="Mine.")
        assert draft_text(course.review) == "Mine."


def test_phrases_cost_one_statement_whatever_their_number(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    def statements() -> int:
        seen: list[str] = []
        count = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", count)
        writer.http.get(path(course.review))
        event.remove(db.engine, "before_cursor_execute", count)
        return len([one for one in seen if "phrase_uses" in one])

    none = statements()
    for number in range(12):
        keep(cast, f"Phrase {number}", is_own=bool(number % 2))
    assert none == statements() == 1


# The next step ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "subject", "title", "leads_to"),
    [
        ("tool", "tool:thought-record", "Use: Thought record", "/tools/thought-record"),
        ("page", "page:getting-started/meet-robin", "Read: ", "/programme/getting-started/meet-robin"),
        ("module", "module:doing-more", "Work through: ", "/programme/doing-more"),
    ],
)
def test_a_step_leads_from_the_plan_to_what_it_uses(
    cast: Cast, course: Course, client: PageClient, kind: str, subject: str, title: str, leads_to: str
) -> None:
    client.sign_in(cast.supporter)
    chosen = {"step_kind": kind, f"step_{kind}": subject}
    html = preview(client, course.review, step_what="", **chosen)
    assert title in html
    send(client, course.review)
    item = db.session.scalars(select(PlanItem).where(PlanItem.kind == ItemKind.AGREED_STEP)).one()
    assert item.subject == subject
    assert item.title.startswith(title)
    client.sign_in(cast.patient).get(f"/week/plan/{item.id}")
    assert client.page is not None
    assert leads_to in client.page.links


def test_a_step_whose_tool_is_not_chosen_or_not_there_is_refused(course: Course, writer: PageClient) -> None:
    for chosen in ("", "tool:nothing", "page:x/y", "<script>"):
        html = preview(writer, course.review, step_kind="tool", step_tool=chosen)
        assert html.count("Choose the tool, or a task that uses nothing") == 2


# How it reads -------------------------------------------------------------------------------------


def test_length_and_reading_age_are_shown_and_stored_nowhere(course: Course, writer: PageClient) -> None:
    words = "You went for the walk on Sunday, even though the day began low. " * 4
    html = press(writer, course, save="1", noticed=words, shape="letter")
    assert "About 50 words · reads at about age" in html
    assert "reads at" not in str(reload(course.review).draft.content)
    assert "a 1-minute read. Only you see this line." in preview(writer, course.review, noticed=words)


# The course from here on --------------------------------------------------------------------------


def test_changes_are_shown_before_they_hold_said_in_the_letter_and_hold_once_it_is_sent(
    cast: Cast, course: Course, writer: PageClient
) -> None:
    order = {"order-0": "managing-worry", "order-1": "", "order-2": "doing-more", "order-3": "managing-worry"}
    changes = course_fields(writer, course, cadence="14", pace="1", **order)
    html = press(writer, course, reorder="1", **changes)
    assert "From now on we go every two weeks." in html
    assert "Sending makes it so." in html
    assert (cast.enrolment.cadence_days, cast.enrolment.modules_ahead) == (7, None)

    html = preview(writer, course.review, **changes)
    assert "From now on we go every two weeks. From now on we go more slowly" in html
    assert "Thursday 3 December" in html
    assert "From now on we go every two weeks." in send(writer, course.review)
    db.session.refresh(cast.enrolment)
    assert (cast.enrolment.cadence_days, cast.enrolment.sessions_a_week) == (14, 1)
    assert cast.enrolment.modules_ahead == ["managing-worry", "doing-more", "managing-worry"]
    letter = db.session.scalars(select(ReviewLetter)).one()
    assert letter.sections[-1]["heading"] == "From here on"
    assert letter.next_review_on.isoformat() == FORTNIGHT[:10]
    html = writer.sign_in(cast.patient).get(f"/reviews/{course.review.id}").get_data(as_text=True)
    assert "From now on we go every two weeks." in html


def test_a_form_that_changes_nothing_says_nothing(cast: Cast, course: Course, writer: PageClient) -> None:
    fields = open_workspace(writer, course.review)
    same = dict(zip(("cadence", "pace"), fields["course_before"].split(";")[:2], strict=True))
    after = {f"order-{n}": slug for n, slug in enumerate(fields["course_before"].split(";")[2].split(","))}
    html = preview(writer, course.review, course_before=fields["course_before"], **same, **after)
    assert "From here on" not in html
    assert "Thursday 26 November" in html


def test_what_a_browser_invents_changes_nothing(cast: Cast, course: Course, writer: PageClient) -> None:
    changes = course_fields(writer, course, cadence="3", pace="99", **{"order-0": "no-such-module"})
    html = preview(writer, course.review, **changes)
    assert "no-such-module" not in html
    send(writer, course.review)
    db.session.refresh(cast.enrolment)
    assert (cast.enrolment.cadence_days, cast.enrolment.sessions_a_week) == (7, None)
    assert cast.enrolment.modules_ahead == []
    assert reload(course.review).state is ReviewState.SENT
