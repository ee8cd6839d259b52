"""Whom a mail server's refusal is about. Only what speaks of the address may mark it."""

import pytest

from icbt_support.delivery.smtp_replies import Blame, Reply, Step, blame_of

ABOUT_THE_ADDRESS = [
    (550, "5.1.1 <sam@example.net>: Recipient address rejected: User unknown"),
    (550, "5.1.1 The email account that you tried to reach does not exist.\n5.1.1 Try again"),
    (550, "sorry, no mailbox here by that name (#5.1.1)"),
    (550, "5.1.2 Domain not found"),
    (501, "5.1.3 Bad address syntax"),
    (551, "5.1.6 Mailbox has moved"),
    (556, "5.1.10 The domain takes no mail"),
    (550, "5.2.1 The mailbox is disabled"),
    (550, "No such user here"),
    (550, "Requested action not taken: mailbox unavailable"),
    (551, "User not local"),
    (553, "Not a mailbox"),
]
PERHAPS_ABOUT_US = [
    (550, "relay not permitted"),
    (550, "Relaying denied"),
    (553, "sorry, that domain is not in my list of allowed rcpthosts (#5.7.1)"),
    (554, "5.7.1 <sam@example.net>: Relay access denied"),
    (550, "5.7.1 Client host blocked using a block list"),
    (550, "5.7.26 This mail is unauthenticated"),
    (550, "5.1.1 Relaying to this user is denied"),
    (550, "5.1.0 Address rejected"),
    (550, "5.1.8 Sender's domain does not exist"),
    (553, "5.1.7 Sender address rejected"),
    (550, "Sender verify failed"),
    (550, "Your IP address is listed"),
    (550, "Access denied by policy"),
    (554, "Transaction failed"),
    (503, "5.5.1 Bad sequence of commands"),
    (550, "5.0.0 No"),
]
ABOUT_NOBODY = [
    (552, "5.2.2 Mailbox full"),
    (550, "5.2.2 Over quota"),
    (550, "Mailbox is full"),
    (552, "Requested action aborted"),
    (550, "5.4.1 No route"),
    (451, "4.7.1 Greylisted, come back later"),
    (450, "4.1.1 Not sure who this is"),
    (452, "4.2.2 Mailbox full"),
]
ABOUT_THE_CHANNEL = [
    (421, "4.3.2 Closing"),
    (454, "4.7.0 TLS is not available"),
    (530, "5.7.0 Authentication required"),
    (535, "5.7.8 No"),
]


@pytest.mark.parametrize(("code", "text"), ABOUT_THE_ADDRESS)
def test_what_speaks_of_the_address_marks_it(code: int, text: str) -> None:
    assert blame_of(Reply(code, text), Step.RCPT) is Blame.ADDRESS


@pytest.mark.parametrize(("code", "text"), PERHAPS_ABOUT_US)
def test_policy_relaying_and_what_cannot_be_told_mark_no_address(code: int, text: str) -> None:
    assert blame_of(Reply(code, text), Step.RCPT) is Blame.US


@pytest.mark.parametrize(("code", "text"), ABOUT_NOBODY)
def test_a_full_mailbox_or_a_closed_way_is_trouble_that_passes(code: int, text: str) -> None:
    assert blame_of(Reply(code, text), Step.RCPT) is Blame.NOBODY


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize(("code", "text"), ABOUT_THE_CHANNEL)
def test_a_server_that_closes_or_wants_a_password_is_the_channels_trouble(
    code: int, text: str, step: Step
) -> None:
    assert blame_of(Reply(code, text), step) is Blame.CHANNEL


@pytest.mark.parametrize(("code", "text"), [*ABOUT_THE_ADDRESS, *PERHAPS_ABOUT_US, *ABOUT_NOBODY])
def test_no_reply_to_the_sender_blames_a_mail_or_its_address(code: int, text: str) -> None:
    assert blame_of(Reply(code, text), Step.MAIL) is Blame.CHANNEL


@pytest.mark.parametrize("step", [Step.DATA, Step.BODY])
def test_a_bare_refusal_of_the_body_does_not_speak_of_the_address(step: Step) -> None:
    assert blame_of(Reply(550, "No"), step) is Blame.US
    assert blame_of(Reply(554, "5.6.0 Not this one"), step) is Blame.MAIL
    assert blame_of(Reply(552, "5.3.4 Too large"), step) is Blame.MAIL
    assert blame_of(Reply(550, "5.1.1 Nobody of that name"), step) is Blame.ADDRESS


def test_a_number_that_only_looks_like_a_code_is_none() -> None:
    assert Reply(550, "Host 5.7.1.9 and 195.5.7.1 are welcome").enhanced == ""
    assert Reply(550, "4.1.1 of another class").enhanced == ""


def test_words_for_operators_hold_no_address_and_no_odd_character() -> None:
    said = str(Reply(550, "5.7.1 <sam@example.net>: no\nto sam@example.net \x00\x1b[2J"))
    assert said == "550 5.7.1 (address): no to (address)   [2J"
