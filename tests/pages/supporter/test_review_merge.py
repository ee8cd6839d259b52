"""Two texts of one letter become one, by choices that work without script; nobody else sees what was kept."""

from flask import Flask
from sqlalchemy import select

from icbt_support.db import db
from icbt_support.pages.supporter.review_form import SHORT_WORDS
from icbt_support.pages.supporter.review_merge import joined
from icbt_support.reviews.models import KeptText
from icbt_support.reviews.queries import draft_of
from tests.browsing import PageClient
from tests.cast import Cast
from tests.pages.supporter.course import Course, draft_text, letter_values
from tests.pages.supporter.workspace import open_workspace, path, preview, send
from tests.pages.visits import status_of


def two_texts(writer: PageClient, course: Course) -> tuple[str, str]:
    """The older tab was refused; the address where both stand, and the page that said so."""
    fields = open_workspace(writer, course.review)
    newer = letter_values(fields, save="1", noticed="The newer text", question="", step_what="Walk with Mo")
    writer.post(path(course.review), newer)
    mine = letter_values(fields, save="1", noticed="My text", question="An answer", step_what="Call Mo")
    refused = writer.post(path(course.review), mine)
    assert refused.status_code == 409
    kept_id = db.session.scalar(select(KeptText.id))
    return path(course.review, f"/kept/{kept_id}"), refused.get_data(as_text=True)


def test_each_part_is_chosen_and_the_kept_text_is_settled(course: Course, writer: PageClient) -> None:
    address, refused = two_texts(writer, course)
    for name in ("take_noticed", "take_question", "take_step_what"):
        assert f'name="{name}"' in refused
    assert 'name="take_scores"' not in refused
    version = writer.page.fields["version"]
    taken = {"take_noticed": "both", "take_question": "mine", "take_step_what": "theirs", "version": version}
    after = writer.post(address, taken).get_data(as_text=True)
    assert "one letter now" in after
    assert draft_text(course.review) == "The newer text\n\nMy text"
    assert draft_text(course.review, "question") == "An answer"
    assert draft_of(course.review).content["step_what"] == "Walk with Mo"
    assert "Your words, kept" not in after
    assert db.session.scalars(select(KeptText)).one().content["words"]["noticed"] == "My text"


def test_a_letter_that_changed_again_is_shown_again_and_not_written_over(
    course: Course, writer: PageClient
) -> None:
    address, _ = two_texts(writer, course)
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, save="1", noticed="Newer still"))
    refused = writer.post(address, {"take_noticed": "mine", "version": "1"})
    assert refused.status_code == 409
    assert "saved once more while you chose" in refused.get_data(as_text=True)
    assert draft_text(course.review) == "Newer still"


def test_nobody_else_finds_what_was_kept(app: Flask, cast: Cast, course: Course, writer: PageClient) -> None:
    address, _ = two_texts(writer, course)
    for account in (cast.patient, cast.colleague, cast.clinician, cast.other_supporter):
        assert status_of(app, account, address) == 404
    assert status_of(app, cast.supporter, address) == 200
    kept = db.session.scalars(select(KeptText)).one()
    kept.author_id = cast.colleague.id
    db.session.commit()
    assert status_of(app, cast.supporter, address) == 404


def test_what_is_taken_back_stands_in_the_letter_and_time_is_not_lost() -> None:
    theirs = {"words": {"noticed": "A", "question": ""}, "left_out": ["question"], "worked_seconds": 60}
    mine = {
        "words": {"noticed": "A", "question": "B"},
        "shape": "letter",
        "opens": "pause",
        "worked_seconds": 90,
    }
    one = joined(theirs, mine, {"question": "mine"})
    assert "B" in [row["words"] for row in one["sections"]]
    assert (one["left_out"], one["worked_seconds"], one.get("opens")) == ([], 90, None)
    assert joined(theirs, mine, {"rest": "mine"})["opens"] == "pause"


def test_what_the_short_form_offers_is_nobodys_words_in_a_whole_letter(
    course: Course, writer: PageClient
) -> None:
    preview(writer, course.review, shape="letter")
    previewed = dict(writer.page.fields)["version"]
    fields = open_workspace(writer, course.review)
    writer.post(path(course.review), letter_values(fields, save="1", noticed="The newer text", **SHORT_WORDS))
    refused = send(writer, course.review, previewed)
    assert "The newer text" in refused
    assert "It has been a quiet week here" not in refused
