"""Phrases: a supporter's own, the service's kept by clinicians, and nobody else's."""

import pytest
from sqlalchemy import select

from icbt_support.accounts.models import Role
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.phrases.models import Phrase
from icbt_support.phrases.operations import add_phrase
from tests.browsing import PageClient
from tests.cast import Cast
from tests.conftest import THURSDAY
from tests.pages.supporter.course import actor

PAGE = "/supporting/phrases"


def keep(cast: Cast, title: str, *, is_own: bool = True, words: str = "Well done, {called}.") -> int:
    owner, role = (cast.supporter, Role.SUPPORTER) if is_own else (cast.clinician, Role.CLINICIAN)
    phrase = add_phrase(
        cast.service.id,
        title,
        words,
        owner_id=owner.id if is_own else None,
        posted_key=title,
        by=actor(owner, role, cast.service.id),
        now=THURSDAY,
    )
    db.session.commit()
    return phrase.id


def kept() -> list[tuple[str, str, int | None, bool]]:
    db.session.rollback()
    rows = db.session.scalars(select(Phrase).order_by(Phrase.id).execution_options(populate_existing=True))
    return [(one.title, one.words, one.owner_id, one.removed_at is None) for one in rows]


def post(browser: PageClient, path: str, **values: str) -> str:
    return browser.post(path, {"posted_key": "k1", **values}).get_data(as_text=True)


def test_a_supporter_adds_changes_and_removes_a_phrase_of_their_own(cast: Cast, client: PageClient) -> None:
    client.sign_in(cast.supporter)
    html = client.get(f"{PAGE}/new").get_data(as_text=True)
    assert "{score_change}" in html
    post(client, f"{PAGE}/new", title="Praise", words="Well done, {called}: [what they did].")
    post(client, f"{PAGE}/new", title="Praise", words="Well done, {called}: [what they did].")
    assert kept() == [("Praise", "Well done, {called}: [what they did].", cast.supporter.id, True)]
    [phrase_id] = db.session.scalars(select(Phrase.id))
    html = post(client, f"{PAGE}/{phrase_id}", title="Praise", words="Good, {called}.")
    assert "Good, {called}." in html
    assert "Not used lately" in html
    assert "Praise" in client.get(f"{PAGE}/{phrase_id}").get_data(as_text=True)
    html = post(client, f"{PAGE}/{phrase_id}/remove")
    assert "Good, {called}." not in html
    assert kept() == [("Praise", "Good, {called}.", cast.supporter.id, False)]
    actions = db.session.scalars(select(AuditLine.action).where(AuditLine.object_kind == "phrase")).all()
    assert actions == ["added_phrase", "changed_phrase", "removed_phrase"]


def test_the_services_phrases_are_kept_by_clinicians_and_read_by_supporters(
    cast: Cast, client: PageClient
) -> None:
    client.sign_in(cast.clinician).get(PAGE)
    post(client, f"{PAGE}/new", title="Scores", words="{score_change}", whose="own")
    assert kept() == [("Scores", "{score_change}", None, True)]
    [phrase_id] = db.session.scalars(select(Phrase.id))
    client.sign_in(cast.colleague)
    html = client.get(PAGE).get_data(as_text=True)
    assert "{score_change}" in html
    assert f"{PAGE}/{phrase_id}" not in html
    for path in (f"{PAGE}/{phrase_id}", f"{PAGE}/{phrase_id}/remove"):
        assert client.http.post(path, data={"csrf_token": client.token()}).status_code == 404
    assert kept()[0][3]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"title": "", "words": "x"}, "Write a name by which you find it"),
        ({"title": "x", "words": " "}, "Write the words of the phrase"),
        ({"title": "x", "words": "{Nobody} and {me}"}, "{Nobody} and {me} cannot be filled in"),
    ],
)
def test_a_phrase_without_words_or_with_unknown_ones_is_refused(
    cast: Cast, client: PageClient, values: dict[str, str], sentence: str
) -> None:
    client.sign_in(cast.supporter).get(f"{PAGE}/new")
    assert sentence in post(client, f"{PAGE}/new", **values)
    phrase_id = keep(cast, "Kept")
    assert sentence in post(client, f"{PAGE}/{phrase_id}", **values)
    assert kept() == [("Kept", "Well done, {called}.", cast.supporter.id, True)]


def test_a_phrase_of_somebody_else_is_not_found_nor_seen(cast: Cast, client: PageClient) -> None:
    own, of_the_service = keep(cast, "Canary own"), keep(cast, "Canary service", is_own=False)
    for account, is_seen in ((cast.colleague, True), (cast.clinician, True), (cast.other_supporter, False)):
        client.sign_in(account)
        html = client.get(PAGE).get_data(as_text=True)
        assert "Canary own" not in html
        assert ("Canary service" in html) is is_seen
        assert client.http.get(f"{PAGE}/{own}").status_code == 404
    assert client.http.get(f"{PAGE}/{of_the_service}").status_code == 404
    for account in (cast.patient, cast.administrator):
        client.sign_in(account)
        for path in (PAGE, f"{PAGE}/new", f"{PAGE}/{own}"):
            assert client.http.get(path).status_code == 404
