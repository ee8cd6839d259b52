"""A mail server that refuses, at every stage: nobody's address is blamed for what is ours, and nothing is lost."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from icbt_support.delivery.channel import ChannelAway, Mail, Outcome, Result
from icbt_support.delivery.smtp import SmtpChannel
from icbt_support.delivery.standing import MOST_IN_A_ROW
from tests.outbound.scripted import CLOSE, DRIP, HANG, Scripted, scripted_server
from tests.outbound.test_smtp import channel_to, mail

ONE_BY_ONE = {"EHLO": "250 scripted"}
DENIED = "550 5.7.1 relay not permitted"


def deliver(channel: SmtpChannel, mails: list[Mail]) -> tuple[list[Outcome], str]:
    """What became of mails, and why the channel went away if it did."""
    outcomes: list[Outcome] = []
    try:
        for outcome in channel.deliver(mails, lambda reference: True):
            outcomes.append(outcome)
    except ChannelAway as away:
        return outcomes, str(away)
    return outcomes, ""


def mails(count: int) -> list[Mail]:
    return [mail(number) for number in range(count)]


@pytest.mark.parametrize("hello", [{}, ONE_BY_ONE])
@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("RCPT", "550 relay not permitted"),
        ("RCPT", DENIED),
        ("RCPT", "554 Transaction failed"),
        ("DATA", "554 5.7.1 Not from you"),
        ("body", "550 5.7.1 Looks like spam"),
    ],
)
def test_a_server_that_refuses_us_gets_a_rest_and_marks_nobody(
    hello: dict[str, str], step: str, said: str
) -> None:
    with scripted_server(**hello, **{step: said}) as server:
        channel = channel_to(server.port)
        outcomes, away = deliver(channel, mails(20))
        assert [one.result for one in outcomes][:1] == [Result.LATER]
        assert {one.result for one in outcomes} == {Result.LATER}
        assert len(outcomes) <= 2
        assert "does not take our mail" in away
        assert said in away
        server.answers.update(RCPT="250 OK", DATA="354 Go on", body="250 Taken")
        assert len(deliver(channel, mails(20))[0]) == 20
        channel.close()
    assert sorted(server.taken) == sorted(f"{number}@example.net" for number in range(20))


def test_one_person_who_wants_none_of_our_mail_holds_up_nobody_else() -> None:
    with scripted_server(RCPT=lambda line: DENIED if "<p3@" in line else "250 OK") as server:
        channel = channel_to(server.port)
        outcomes, away = deliver(channel, mails(10))
        channel.close()
    assert away == ""
    assert [one.reference for one in outcomes if one.result is Result.LATER] == [3]
    assert len(server.taken) == 9


def test_a_server_that_begins_to_refuse_is_asked_a_few_times_and_then_once() -> None:
    with scripted_server() as server:
        channel = channel_to(server.port)
        deliver(channel, mails(2))
        server.answers["RCPT"] = DENIED
        outcomes, away = deliver(channel, mails(30))
        assert len(outcomes) == MOST_IN_A_ROW
        assert "relay not permitted" in away
        outcomes, away = deliver(channel, mails(30))
        assert len(outcomes) == 1
        assert away
        channel.close()


@pytest.mark.parametrize("hello", [{}, ONE_BY_ONE])
@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("MAIL", "451 4.3.0 Too busy"),
        ("MAIL", "550 5.7.1 Sender refused"),
        ("MAIL", "421 4.3.2 Closing"),
        ("MAIL", CLOSE),
        ("RCPT", "530 5.7.0 Authentication required"),
        ("RCPT", "421 4.3.2 Closing"),
        ("RCPT", CLOSE),
        ("DATA", "421 4.3.2 Closing"),
        ("DATA", CLOSE),
    ],
)
def test_trouble_before_the_body_leaves_every_mail_untouched(
    hello: dict[str, str], step: str, said: str
) -> None:
    with scripted_server(**hello, **{step: said}) as server:
        channel = channel_to(server.port)
        outcomes, away = deliver(channel, mails(5))
        assert outcomes == []
        assert away
        server.answers.update(MAIL="250 OK", RCPT="250 OK", DATA="354 Go on")
        assert [one.result for one in deliver(channel, mails(5))[0]] == [Result.ACCEPTED] * 5
        channel.close()


@pytest.mark.parametrize("said", ["421 4.3.2 Closing", CLOSE])
def test_after_the_body_only_the_mail_in_hand_is_unsure(said: str) -> None:
    with scripted_server(body=said) as server:
        channel = channel_to(server.port)
        outcomes, away = deliver(channel, mails(5))
        channel.close()
    assert [(one.reference, one.result) for one in outcomes] == [(0, Result.LATER)]
    assert away


def test_a_full_mailbox_is_tried_again_and_holds_up_nobody() -> None:
    with scripted_server(
        RCPT=lambda line: "552 5.2.2 Mailbox full" if "<p0@" in line else "250 OK"
    ) as server:
        channel = channel_to(server.port)
        outcomes, away = deliver(channel, mails(3))
        channel.close()
    assert away == ""
    assert [one.result for one in outcomes] == [Result.LATER, Result.ACCEPTED, Result.ACCEPTED]


def test_what_a_server_says_can_be_kept_by_any_database() -> None:
    with scripted_server(body="250 Taken \x00 for <sam@example.net>\x07") as server:
        channel = channel_to(server.port)
        outcomes, _ = deliver(channel, mails(1))
        channel.close()
    assert outcomes[0].reply == "250 Taken   for (address) "


# Silence
# ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [{"hello": HANG}, {"hello": DRIP}, {"EHLO": HANG}, {"EHLO": DRIP}])
def test_a_server_that_does_not_get_to_the_point_is_left_in_time(
    answers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SmtpChannel, "open", _open_within(0.4))
    with scripted_server(**answers) as server:
        began = time.monotonic()
        with pytest.raises(ChannelAway, match="does not answer"):
            channel_to(server.port).open()
        assert time.monotonic() - began < 2


def _open_within(seconds: float) -> Callable[[SmtpChannel], None]:
    def open_first(channel: SmtpChannel) -> None:
        channel._pool[0].open(seconds)

    return open_first


def test_a_second_connection_that_hangs_costs_little_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("icbt_support.delivery.smtp.OPEN_ANOTHER_SECONDS", 0.3)
    with scripted_server() as server:
        server.answers["hello"] = lambda line: "220 scripted" if server.connections == 1 else HANG
        channel = channel_to(server.port, connections=2)
        began = time.monotonic()
        for _ in range(3):
            assert [one.result for one in deliver(channel, mails(2))[0]] == [Result.ACCEPTED] * 2
        channel.close()
    assert server.connections == 2
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("said", [HANG, DRIP])
@pytest.mark.parametrize("step", ["MAIL", "DATA", "body"])
def test_a_connection_that_falls_silent_is_given_up_while_the_other_works(
    said: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icbt_support.delivery.smtp_connection.ANSWER_SECONDS", 0.5)
    with scripted_server() as server:
        is_first = iter([True])
        server.answers[step] = lambda line: said if next(is_first, False) else _usual(step, server)
        channel = channel_to(server.port, connections=2)
        began = time.monotonic()
        outcomes, away = deliver(channel, mails(40))
        channel.close()
    assert time.monotonic() - began < 3
    assert "stopped answering" in away
    assert {one.result for one in outcomes} <= {Result.ACCEPTED, Result.LATER}
    assert len(server.taken) > 1
    assert len([one for one in outcomes if one.result is Result.LATER]) == (1 if step == "body" else 0)


def _usual(step: str, server: Scripted) -> str:
    return {"MAIL": "250 OK", "DATA": "354 Go on", "body": "250 Taken"}[step]


def test_an_answer_that_came_while_the_process_was_stopped_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was only read late: the mail is not sent a second time."""
    monkeypatch.setattr("icbt_support.delivery.smtp_connection.ANSWER_SECONDS", 0.2)
    with scripted_server(EHLO="250 scripted") as server:
        channel = channel_to(server.port)
        waits_long = channel._readable

        def stopped_for_a_while(*given: Any) -> Any:
            time.sleep(0.4)
            return waits_long(*given)

        monkeypatch.setattr(channel, "_readable", stopped_for_a_while)
        outcomes, away = deliver(channel, mails(2))
        channel.close()
    assert away == ""
    assert [one.result for one in outcomes] == [Result.ACCEPTED, Result.ACCEPTED]
