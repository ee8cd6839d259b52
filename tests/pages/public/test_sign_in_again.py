"""Signing in again in place: only the person whose words the page holds gets in."""

from flask import Flask

from icbt_support.accounts.passwords import hash_password
from icbt_support.db import db
from icbt_support.pages.keeping import mark_of
from tests.cast import PASSWORD, Cast

AGAIN = "/sign-in/again"


def test_only_the_person_whose_words_they_are_gets_in(app: Flask, cast: Cast) -> None:
    for person in (cast.supporter, cast.colleague):
        person.password_hash = hash_password(PASSWORD).encoded
    pat, chris = cast.supporter.email, cast.colleague.email
    ids = (cast.supporter.id, cast.colleague.id)
    db.session.commit()
    with app.test_request_context():
        mark, other = mark_of(ids[0]), mark_of(ids[1])
    assert mark != other
    browser = app.test_client()

    def ask(email: str, password: str) -> tuple[int, dict[str, str]]:
        token = browser.get(AGAIN).json["token"]
        values = {"email": email, "password": password, "who": mark, "csrf_token": token}
        answer = browser.post(AGAIN, data=values)
        return answer.status_code, answer.json

    assert ask(pat, "not this one") == (
        401,
        {"error": "The email address or the password is not right. Check both and try again"},
    )
    assert ask(chris, PASSWORD)[0] == 403
    assert browser.get(AGAIN).json["who"] == ""
    code, answer = ask(pat, PASSWORD)
    assert (code, answer["who"]) == (200, mark)
    assert browser.get(AGAIN).json == {"who": mark, "token": answer["token"]}
    assert browser.get("/supporting/today").status_code == 200
    assert browser.post("/sign-out", data={"csrf_token": answer["token"]}).status_code == 302


def test_it_takes_no_post_without_its_token(app: Flask, cast: Cast) -> None:
    assert app.test_client().post(AGAIN, data={"email": "x", "password": "y"}).status_code == 400
