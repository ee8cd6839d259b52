"""The development mailbox shows what would have gone out."""

from flask import Flask

from icbt_support.delivery.channel import Mail
from icbt_support.delivery.mailbox import MailboxChannel
from tests.browsing import PageClient

MAIL = b"\r\n".join(
    (
        b'From: "Online course" <no-reply@example.org>',
        b"To: <sam@example.org>",
        b"Subject: Your plan for Tuesday",
        b"Message-ID: <one@example.org>",
        b"Content-Type: text/plain; charset=utf-8",
        b"",
        b"7pm, about 12 minutes. <script>alert(1)</script>",
    )
)


def test_mails_are_listed_and_opened(app: Flask, client: PageClient) -> None:
    mail = Mail(1, "sam@example.org", "one@example.org", MAIL, 0.0)
    assert [one.result for one in MailboxChannel().deliver([mail], lambda _: True)] == ["accepted"]
    assert [one.result for one in MailboxChannel().deliver([mail], lambda _: True)] == ["accepted"]
    text = client.get("/dev/mailbox").text
    assert text.count("Your plan for Tuesday") == 1
    opened = client.get("/dev/mailbox/1").text
    assert "7pm, about 12 minutes." in opened
    assert "<script>alert" not in opened


def test_an_empty_mailbox_says_so(client: PageClient) -> None:
    assert "No emails yet" in client.get("/dev/mailbox").text
    assert client.get("/dev/mailbox/1").status_code == 404
