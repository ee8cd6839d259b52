"""Outcomes: rates with their definitions, honest at 0, 1, 4 and 40; every figure leads to its people."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from flask import Flask
from sqlalchemy import event, select

from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import EndCode
from icbt_support.measures.outcomes import DEFINITIONS
from icbt_support.pages.outcome_words import NOT_NATIONAL
from tests.browsing import PageClient
from tests.cast import Cast
from tests.concepts.ended_courses import EndedCourses
from tests.pages.visits import status_of

FIXED_NUMBERS = re.compile(r"PHQ-9 (of|by) \d+|GAD-7 (of|by) \d+|GAD-7|PHQ-9|\(code 47\)|\b4[678] \D|95%")
OUTCOMES, PEOPLE = "/clinical/outcomes", "/clinical/outcomes/people"


@pytest.fixture
def clinician(client: PageClient, cast: Cast) -> PageClient:
    return client.sign_in(cast.clinician)


def text_of(clinician: PageClient, path: str = OUTCOMES) -> str:
    return unescape(clinician.get(path).get_data(as_text=True))


class Paper(HTMLParser):
    """The words of a page, without what stands on a screen alone."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "input", "br", "line", "rect", "circle", "img", "hr"):
            is_hidden = "screen-only" in (dict(attrs).get("class") or "") or tag in ("script", "head")
            if self.hidden or is_hidden:
                self.hidden.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """What closes itself has no words."""

    def handle_endtag(self, tag: str) -> None:
        while self.hidden and self.hidden.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)


def on_paper(html: str) -> str:
    paper = Paper()
    paper.feed(html)
    return " ".join(paper.words)


def forty(cast: Cast) -> None:
    courses = EndedCourses(cast)
    for _ in range(20):
        courses.course()
    for _ in range(10):
        courses.course(last=(17, 12))
    for _ in range(7):
        courses.course(contacts=1, end_code=EndCode.LOST)
    for _ in range(3):
        courses.course(last=(None, None), end_code=EndCode.PATIENT_STOPPED_EARLIER)


def test_only_clinicians_find_it_and_a_look_is_audited(app: Flask, cast: Cast) -> None:
    for path in (OUTCOMES, PEOPLE):
        for account in (cast.patient, cast.supporter, cast.administrator):
            assert status_of(app, account, path) == 404
        assert status_of(app, cast.clinician, path) == 200
    lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "read_outcomes")).all()
    assert [(line.actor_account_id, line.service_id, line.detail) for line in lines] == [
        (cast.clinician.id, cast.service.id, ""),
        (cast.clinician.id, cast.service.id, "people: Courses that ended"),
    ]


def test_nobody_has_no_rate_and_the_definitions_stand_all_the_same(clinician: PageClient, cast: Cast) -> None:
    html = text_of(clinician)
    assert html.count("No rate") == 6
    assert "(95% interval" not in html
    assert NOT_NATIONAL in html
    for definition in DEFINITIONS.values():
        assert definition.counts in html
        assert definition.missing in html


@pytest.mark.parametrize("people", [1, 4])
def test_a_few_are_shown_to_staff_with_their_wide_interval_and_hidden_on_paper(
    clinician: PageClient, cast: Cast, people: int
) -> None:
    for _ in range(people):
        EndedCourses(cast).course()
    html = text_of(clinician)
    low = {1: 21, 4: 51}[people]
    assert f"{people} of {people}</a>" in html
    assert f"100% (95% interval {low}% to 100%)" in html
    paper = on_paper(html)
    assert "Hidden: too few people" in paper
    figures = paper[paper.index("Courses that ended") : paper.index("How to read this page")]
    assert not re.search(rf"\b{people}\b(?! or more)(?! points?)", FIXED_NUMBERS.sub("", figures))


def test_a_tile_does_not_print_what_it_is_counted_of_where_that_is_hidden(
    clinician: PageClient, cast: Cast
) -> None:
    """38 of 40 completed, which the rates say: two did not."""
    courses = EndedCourses(cast)
    for _ in range(38):
        courses.course()
    for _ in range(2):
        courses.course(contacts=1)
    html = text_of(clinician)
    assert re.search(r"38</a></span><small class=.screen-only.> of 40<", html)
    paper = on_paper(html)
    assert "of Hidden" not in paper
    assert "38" in paper
    assert not re.search(r"\b(2|40)\b", FIXED_NUMBERS.sub("", paper[paper.index("Courses that ended") :]))


def test_forty_people_each_figure_with_its_people(clinician: PageClient, cast: Cast) -> None:
    forty(cast)
    html = text_of(clinician)
    for words in (
        "20 of 33",
        "61% (95% interval 44% to 75%)",
        "0 of 33",
        "10 of 40",
        "October 2026",
        "Low mood",
    ):
        assert words in html, words
    assert "Lost: we could not reach this person" in html
    assert "module 1" in html
    followed = {link for link in clinician.page.links if link.startswith(PEOPLE)}
    assert len(followed) > 20
    for figure, number in {
        "figure=recovery": 20,
        "figure=completed": 33,
        "figure=missing_scores": 3,
        "figure=not_completed": 7,
        "figure=ended&code=lost": 7,
        "figure=dropped_out&week=12": 10,
        "programme=low-mood&figure=dropped_out&module=getting-started": 10,
        "from=2026-10&until=2026-10&figure=at_caseness": 33,
        "from=2026-11&figure=at_caseness": 0,
        "group=none&figure=reliable_deterioration": 0,
    }.items():
        words = text_of(clinician, f"{PEOPLE}?{figure}")
        assert (f"of {number}</p>" in words) if number else ("Nobody here" in words), figure
    assert "Alex Reed" in text_of(clinician, f"{PEOPLE}?figure=recovery")


def test_a_figure_that_there_is_not_is_not_found(clinician: PageClient, cast: Cast) -> None:
    for query in ("figure=happiness", "figure=ended&code=49"):
        assert clinician.get(f"{PEOPLE}?{query}").status_code == 404
    assert clinician.get(f"{OUTCOMES}?from=x&until=9999-13&group=7&programme=none").status_code == 200
    assert clinician.get(f"{PEOPLE}?page=99999999999999999999").status_code == 200
    assert clinician.get(f"{PEOPLE}?page=2&endpoint=x&_external=1").status_code == 200


def test_many_people_are_shown_page_by_page(clinician: PageClient, cast: Cast) -> None:
    for _ in range(51):
        EndedCourses(cast).course()
    assert "Showing 1 to 50 of 51" in text_of(clinician, f"{PEOPLE}?figure=recovery&from=2026-10")
    [following] = [link for link in clinician.page.links if "page=2" in link]
    assert "Showing 51 to 51 of 51" in text_of(clinician, following)


def test_another_services_people_are_nowhere(client: PageClient, cast: Cast) -> None:
    forty(cast)
    client.sign_in(cast.other_clinician)
    assert text_of(client).count("No rate") == 6
    assert "Nobody here" in text_of(client, PEOPLE)


def test_the_statements_do_not_grow_with_the_people(clinician: PageClient, cast: Cast) -> None:
    def statements() -> int:
        said: list[str] = []

        def note(conn, cursor, statement, *rest) -> None:  # type: ignore[no-untyped-def]
            said.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            text_of(clinician)
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        return len(said)

    EndedCourses(cast).course()
    statements()
    few = statements()
    forty(cast)
    assert statements() == few
