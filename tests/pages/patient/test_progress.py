"""Progress: scores in words and as a line, and what was done."""

from flask import Flask

from icbt_support.db import db
from icbt_support.enrolments.operations import set_goals
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.rhythm_steps import answer_check_in, at, read_session
from tests.pages.patient.home_states import NOW, build, patient
from tests.pages.patient.scores import finish_check_ins
from tests.pages.visits import status_of


def words_of(client: PageClient, cast: Cast) -> str:
    return client.sign_in(cast.patient).get("/progress").get_data(as_text=True)


def test_at_the_start_there_is_nothing_to_draw(client: PageClient, cast: Cast) -> None:
    build("open", cast)
    words = words_of(client, cast)
    assert "No scores yet" in words
    assert "1 week begun" in words
    assert "/goals" in client.page.links


def test_one_score_is_words_and_two_are_a_line(client: PageClient, cast: Cast) -> None:
    build("open", cast)
    answer_check_in(cast.enrolment, 0, value=2, now=NOW)
    finish_check_ins(cast.enrolment, {0: NOW})
    assert "A line appears after your next check-in." in words_of(client, cast)
    answer_check_in(cast.enrolment, 1, value=1, now=at(24, 18))
    finish_check_ins(cast.enrolment, {1: at(24, 18)})
    words = words_of(client, cast)
    assert "chart-box__numbers" in words
    assert "From 16 to 8, out of 27. Lower means fewer problems." in words


def test_what_was_done_is_counted(client: PageClient, cast: Cast) -> None:
    build("open", cast)
    read_session(cast.enrolment, "getting-started", 0, now=NOW)
    words = words_of(client, cast)
    assert "1 thing in your plan done" in words
    assert "pages read" in words


def test_goals_are_shown_with_the_way_to_change_them(client: PageClient, cast: Cast) -> None:
    set_goals(cast.enrolment, ["Draw again"], by=patient(cast.enrolment), now=NOW)
    db.session.commit()
    words = words_of(client, cast)
    assert "Draw again" in words
    assert "Change what you want" in words


def test_everybody_sees_their_own_and_staff_none(app: Flask, client: PageClient, cast: Cast) -> None:
    set_goals(cast.other_enrolment, ["Secret wish"], by=patient(cast.other_enrolment), now=NOW)
    db.session.commit()
    assert "Secret wish" not in words_of(client, cast)
    for account in (cast.supporter, cast.clinician):
        assert status_of(app, account, "/progress") == 404
