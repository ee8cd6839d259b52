"""Mails as they leave: headers that cannot be broken, links that lead home, both parts, every kind."""

import re
import time
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from typing import Any

import pytest

from icbt_support.delivery.rendering import OUTBOUND, Letter, Part, Renderer, UnsafeMail
from icbt_support.reminders.rules import ReminderClass, ReminderKind, class_of

BASE = "https://course.example.net"
AT = datetime(2026, 11, 19, 9, 41, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "opens_week": True,
    "day": "Tuesday",
    "time": "7pm",
    "minutes": "about 12 minutes",
    "title": "planning for low days",
    "person": "Priya",
    "review_day": "Thursday",
    "until": "Thursday 3 December",
    "sender": "Online course",
    "when": "9.41am on Thursday",
    "told_by": "12pm on Friday",
    "moved_from": "Thursday 19 November",
    "because": "Priya is on a course",
    "promised": "Friday 20 November, 5pm",
    "initials": "ST",
    "supporter": "Priya",
    "service": "Northfield",
    "summary": "1 late and 4 due reviews",
    "first_due": "5pm",
    "is_answer": False,
    "moved": "",
    "is_cover": False,
    "is_welcome": False,
    "day_and_time": "Tuesday 7pm",
    "waited": "about 20 minutes",
    "week": "Monday 16 November",
    "figures": (("Invited", "fewer than 5"),),
    "to_look_at": ("Nobody is on duty on a day of this week.",),
    **dict.fromkeys(("link", "move_link", "plan_link"), f"{BASE}/somewhere"),
}
PROMPTS = [kind for kind in ReminderKind if class_of(kind) is ReminderClass.PROMPT]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(base_url=BASE, mail_from="course@example.net")


def letter(*parts: Part, **more: Any) -> Letter:
    given = {
        "address": "sam@example.net",
        "message_id": "abc@example.net",
        "sender_name": "Online course",
        "called": "Sam",
        "at": AT,
        "parts": parts or (session(),),
    }
    return Letter(**{**given, **more})


def session(**more: Any) -> Part:
    return Part("session", {**FACTS, "detail": False, **more})


def opened(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=policy.default)  # type: ignore[return-value]


def texts(data: bytes) -> tuple[str, str]:
    message = opened(data)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


def test_the_headers_that_every_mail_has(renderer: Renderer) -> None:
    message = opened(renderer.render(letter(stop_url=f"{BASE}/reminders/stop/1-x")))
    assert message["From"] == "Online course <course@example.net>"
    assert message["To"] == "sam@example.net"
    assert message["Date"].datetime == AT
    assert message["Message-ID"] == "<abc@example.net>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == f"<{BASE}/reminders/stop/1-x>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message.get_content_type() == "multipart/alternative"
    assert message.defects == []


@pytest.mark.parametrize("kind", list(ReminderKind))
@pytest.mark.parametrize("detail", [False, True])
def test_every_kind_says_what_happens_if_it_is_ignored_and_links_home(
    renderer: Renderer, kind: ReminderKind, detail: bool
) -> None:
    data = renderer.render(letter(Part(kind, {**FACTS, "detail": detail})))
    plain, html = texts(data)
    assert opened(data)["Subject"]
    assert f"{BASE}/" in plain
    assert f'href="{BASE}/' in html
    assert re.search(r"\b(if|do not need|nothing is lost|counts as late)\b", plain, re.IGNORECASE)
    assert "help-now" in plain
    for word in ("should", "failed", "overdue", "streak"):
        assert word not in plain.lower()


@pytest.mark.parametrize("kind", [kind for kind in PROMPTS if kind is not ReminderKind.START_PROMPT])
def test_every_prompt_says_how_to_move_it(renderer: Renderer, kind: ReminderKind) -> None:
    plain, _ = texts(renderer.render(letter(Part(kind, {**FACTS, "detail": False}))))
    assert re.search(r"move|another time", plain, re.IGNORECASE)


@pytest.mark.parametrize("kind", [kind for kind in ReminderKind if not kind.startswith("staff_")])
def test_discreet_tells_nothing_to_somebody_who_looks_over_a_shoulder(
    renderer: Renderer, kind: ReminderKind
) -> None:
    data = renderer.render(letter(Part(kind, {**FACTS, "detail": False, "service": "", "initials": ""})))
    whole = f"{opened(data)['Subject']} {' '.join(texts(data))}".lower()
    for word in ("low days", "priya", "cbt", "therap", "mood", "review", "mental"):
        assert word not in whole


@pytest.mark.parametrize(
    "name", ["Sam\r\nBcc: all@example.net", "Sam\nX: y", "Sam\x00", "Sam\u2028Bcc: x", "a\r\n\r\nbody"]
)
def test_no_name_can_add_a_header(renderer: Renderer, name: str) -> None:
    data = renderer.render(letter(session(day=name), sender_name=name, called=name))
    message = opened(data)
    assert set(message.keys()) == set(opened(renderer.render(letter())).keys())
    assert len(message["Subject"].splitlines()) == 1


@pytest.mark.parametrize(
    "address",
    [
        "sam@example.net\r\nBcc: x@y.z",
        "<sam@example.net>",
        "a@b@c",
        "sam",
        "sam @x.y",
        "sam@x.y, b@x.y",
        "sämi@x.y",
    ],
)
def test_a_broken_address_is_refused(renderer: Renderer, address: str) -> None:
    with pytest.raises(UnsafeMail):
        renderer.render(letter(address=address))


@pytest.mark.parametrize(
    "link",
    ["http://evil.example/x", "https://evil.example", f"{BASE}.evil.example/x", f"{BASE}@evil.example/"],
)
def test_a_link_to_elsewhere_is_refused(renderer: Renderer, link: str) -> None:
    with pytest.raises(UnsafeMail):
        renderer.render(letter(session(link=link)))


def test_names_beyond_ascii_arrive_whole(renderer: Renderer) -> None:
    name = "Zoë Łukasiewicz-Ångström " * 5
    data = renderer.render(letter(called="Zoë", sender_name="Čeština", parts=[session(day=name)]))
    data.decode("ascii")
    message = opened(data)
    assert message["From"].addresses[0].display_name == "Čeština"
    assert name.strip()[:40] in str(message["Subject"])
    assert texts(data)[0].startswith("Hello Zoë,")
    assert max(len(line) for line in data.split(b"\r\n")) < 998


def test_markup_in_a_name_stays_words(renderer: Renderer) -> None:
    _, html = texts(renderer.render(letter(called="<script>alert(1)</script>")))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_folded_mail_takes_its_subject_from_the_first_part(renderer: Renderer) -> None:
    parts = [Part("review_ready", {**FACTS, "detail": False}), session()]
    data = renderer.render(letter(parts=parts))
    assert opened(data)["Subject"] == "Your plan for the week is ready"
    plain, html = texts(data)
    assert plain.count("7pm") == html.count("7pm") == 1


def said(renderer: Renderer, kind: str, **more: Any) -> tuple[str, str]:
    """The subject, and the words of the text once it is known that the HTML says the same."""
    data = renderer.render(letter(Part(kind, {**FACTS, **more})))
    plain, html = texts(data)
    words = re.sub(r"<title>.*?</title>|<[^>]+>", "", html)
    for sentence in re.findall(r"[^\n]*[^\n:]\.\n", plain):
        assert sentence.strip() in unescape(words), sentence
    return str(opened(data)["Subject"]), plain


@pytest.mark.parametrize("kind", list(ReminderKind))
@pytest.mark.parametrize("detail", [False, True])
def test_text_and_html_say_the_same(renderer: Renderer, kind: ReminderKind, detail: bool) -> None:
    for more in (
        {},
        {"is_welcome": True, "opens_week": False, "is_answer": True, "is_cover": True, "person": ""},
    ):
        said(renderer, kind, detail=detail, **more)


def test_a_check_in_counts_one_thing_as_one(renderer: Renderer) -> None:
    _, words = said(renderer, "check_in", detail=True)
    assert (
        "Your check-in is open. Priya reads it before the review on Thursday. It takes about 12 minutes."
        in words
    )
    _, words = said(renderer, "check_in", detail=False)
    assert "There are a few questions for you before Thursday. They take about 12 minutes." in words


def test_the_last_review_promises_no_week(renderer: Renderer) -> None:
    for detail in (False, True):
        subject, words = said(renderer, "review_ready", detail=detail, opens_week=False)
        assert "week" not in f"{subject} {words}"
        assert "plan" not in f"{subject} {words}"


def test_a_welcome_is_not_called_a_review(renderer: Renderer) -> None:
    for kind in ("staff_review_late", "staff_review_warning"):
        subject, words = said(renderer, kind, detail=False, is_welcome=True)
        assert "review" not in f"{subject} {words}"
        assert "welcome" in subject
        assert "has been told that it is late" not in words


def test_nothing_is_said_of_a_day_or_a_tap_that_may_not_be_so(renderer: Renderer) -> None:
    """A late mail may come a day later, and a link opens a page that asks again."""
    for kind in ReminderKind:
        for detail in (False, True):
            _, words = said(renderer, kind, detail=detail)
            assert "today is not" not in words
            assert "one tap" not in words


def test_every_kind_has_both_templates() -> None:
    there = {path.name for path in OUTBOUND.iterdir()}
    assert there == {"_frame.txt", "_frame.html"} | {
        f"{kind}.{form}" for kind in ReminderKind for form in ("txt", "html")
    }


def test_rendering_is_fast_enough_to_matter_to_nobody(renderer: Renderer) -> None:
    one = letter()
    renderer.render(one)
    began = time.process_time()
    for _ in range(500):
        renderer.render(one)
    assert 500 / (time.process_time() - began) > 2_000
