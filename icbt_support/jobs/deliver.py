"""The delivery loop: claim with a lease, check that it is still wanted, render, hand over, settle.

No transaction is open while mails are rendered or sent. What was accepted stands in the send journal before
the next mail goes out on that connection, so a kill repeats at most one mail for each open connection.
"""

import gc
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from traceback import format_tb

import structlog
from sqlalchemy.exc import DBAPIError

from icbt_support import clock
from icbt_support.db import commit_with_retry, db
from icbt_support.delivery.channel import Channel, ChannelAway, Mail, Outcome, Result
from icbt_support.delivery.mailbox import MailboxChannel
from icbt_support.delivery.rendering import Renderer, UnsafeMail
from icbt_support.delivery.send_journal import (
    JournalLine,
    SendJournal,
    lines_of_others,
    open_journal,
    replay_journals,
)
from icbt_support.delivery.smtp import SmtpChannel
from icbt_support.jobs.bounces import note_refused_addresses
from icbt_support.jobs.gate import Gate
from icbt_support.jobs.mail_rest import MailRest
from icbt_support.jobs.wanted import EmailJudge, InboxJudge
from icbt_support.jobs.wording import Wording
from icbt_support.reminders import queries as ledger
from icbt_support.reminders import settling
from icbt_support.reminders.claims import Claim, ClaimedMailing, claim_emails
from icbt_support.reminders.inbox import deliver_to_inboxes
from icbt_support.reminders.rules import Channel as ReminderChannel
from icbt_support.settings import Settings

BATCH = 2000
SETTLE_AFTER = 1000
_ACCEPTED = Result.ACCEPTED
NEVER_BY_SMTP = (".example.org", "@example.org")

log = structlog.get_logger()


@dataclass
class Delivered:
    """What one run did, in numbers and in words."""

    in_app: int = 0
    sent: int = 0
    held_back: int = 0
    later: int = 0
    refused: int = 0
    unwritten: int = 0
    not_now: str = ""
    away: str = ""

    @property
    def words(self) -> str:
        counts = (
            (self.sent, "sent"),
            (self.in_app, "shown in the app"),
            (self.held_back, "held back or no longer wanted"),
            (self.later, f"to be tried again ({self.not_now})"),
            (self.refused, "refused"),
            (self.unwritten, "could not be written: the log says why"),
        )
        parts = [f"{count} {words}" for count, words in counts if count]
        if self.away:
            parts.append(self.away)
        return ", ".join(parts)


@dataclass
class _Batch:
    """One claim on its way out: what became of it so far."""

    claim: Claim
    accepted: list[settling.Accepted] = field(default_factory=list)
    later: list[settling.Refusal] = field(default_factory=list)
    refused: list[settling.Refusal] = field(default_factory=list)
    unwritten: list[settling.Refusal] = field(default_factory=list)
    refused_addresses: list[int] = field(default_factory=list)
    emptied: list[int] = field(default_factory=list)
    sent_rows: dict[int, tuple[int, ...]] = field(default_factory=dict)
    open: dict[int, ClaimedMailing] = field(default_factory=dict)


class Deliverer:
    """One worker's hands: its channels, its renderer and its journal. Used by one thread at a time."""

    def __init__(
        self,
        settings: Settings,
        *,
        smtp: Channel | None = None,
        stop: Callable[[], bool] = lambda: False,
        worker: str = "",
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._worker = worker or f"{socket.gethostname()}:{os.getpid()}"
        self._mailbox = MailboxChannel()
        self._smtp = smtp or _smtp_channel(settings)
        self._renderer = Renderer(base_url=settings.base_url, mail_from=settings.mail_from)
        self._journal: SendJournal | None = None
        self._lock = threading.Lock()
        self._rest = MailRest()

    def close(self) -> None:
        """Closes connections and gives the journal's slot back."""
        if self._smtp is not None:
            self._smtp.close()
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def show_due(self) -> Delivered:
        """Shows in the app what is due now; it needs no mail server, and waits for none."""
        done = Delivered()
        self._deliver_in_app(done)
        return done

    def deliver_due(self) -> Delivered:
        """Delivers everything that is due now, in the app and by email."""
        done = self.show_due()
        with self._lock:
            self._deliver_emails(done)
        done.away = self._rest.why
        return done

    def replay(self) -> int:
        """Settles what workers that have gone had handed over; to be called before leases are recovered.

        A worker that lives but lost a lease (it was stopped for a while) is read too, though its slot stays
        its own.
        """
        folder = self._settings.journal_dir
        if not folder.exists():
            return 0
        replayed = self._replay_own() + replay_journals(folder, _settle_lines)
        has_lost_leases = settling.has_lost_leases(real_now=clock.real_now())
        db.session.rollback()
        if has_lost_leases:
            lines = lines_of_others(folder, self._journal)
            if lines:
                _settle_lines(lines)
        return replayed

    def _replay_own(self) -> int:
        """What an error kept this worker from settling; not while it is sending."""
        if self._journal is None or not self._lock.acquire(blocking=False):
            return 0
        try:
            return self._journal.replay(_settle_lines)
        finally:
            self._lock.release()

    # In the app
    # ------------------------------------------------------------------------------------------------

    def _deliver_in_app(self, done: Delivered) -> None:
        while not self._stop() and _is_due(ReminderChannel.INBOX):
            looked_at, arrived = commit_with_retry(
                lambda: deliver_to_inboxes(InboxJudge(), limit=BATCH, now=clock.now())
            )
            done.in_app += arrived
            done.held_back += looked_at - arrived
            if not looked_at:
                return

    # By email
    # --------------------------------------------------------------------------------------------------

    def _deliver_emails(self, done: Delivered) -> None:
        is_due = _is_due(ReminderChannel.EMAIL)
        if not (is_due or self._rest.why) or not self._may_send() or not is_due:
            return
        self._own_journal().replay(_settle_lines)  # It is emptied with what this run settles.
        while not self._stop():
            judge = EmailJudge()
            with _collector_at_rest():
                claim = commit_with_retry(partial(self._claim, judge))
            done.held_back += claim.held_back
            if not claim.mailings and not claim.held_back and not claim.put_off:
                return
            if claim.mailings and not self._send(claim, judge, done):
                return

    def _claim(self, judge: EmailJudge) -> Claim:
        return claim_emails(
            judge,
            worker=self._worker,
            message_domain=self._renderer.domain,
            limit=BATCH,
            now=clock.now(),
            real_now=clock.real_now(),
        )

    def _may_send(self) -> bool:
        """Whether the mail server takes mail now; nothing is claimed while it does not."""
        if self._rest.is_on:
            return False
        if self._smtp is None:
            return True
        try:
            self._smtp.open()
        except ChannelAway as away:
            self._rest.does_not_answer(str(away))
            return False
        self._rest.answers()
        return True

    def _own_journal(self) -> SendJournal:
        if self._journal is None:
            self._journal = open_journal(self._settings.journal_dir)
        return self._journal

    def _send(self, claim: Claim, judge: EmailJudge, done: Delivered) -> bool:
        """Sends one batch; False when the channel is away or the process is asked to stop."""
        batch = _Batch(claim, open={mailing.id: mailing for mailing in claim.mailings})
        wording = Wording(
            judge.scene,
            judge.digests,
            base_url=self._settings.base_url,
            link_key=self._settings.link_key,
            now=clock.now(),
        )
        wording.read_titles(claim.mailings)
        db.session.rollback()
        try:
            for channel, mailings in self._by_channel(claim.mailings, wording):
                with Gate(batch.claim.token, mailings) as gate:
                    mails = self._mails(batch, gate, wording)
                    for outcome in channel.deliver(mails, gate.is_still_wanted):
                        self._note(batch, outcome, done)
        except ChannelAway as away:
            self._rest.does_not_take(str(away))
            return False
        finally:
            self._settle(batch, done)
        return not self._stop()

    def _by_channel(
        self, mailings: Sequence[ClaimedMailing], wording: Wording
    ) -> list[tuple[Channel, list[ClaimedMailing]]]:
        """Addresses below example.org stay in the house, whatever the settings."""
        inside: list[ClaimedMailing] = []
        outside: list[ClaimedMailing] = []
        for mailing in mailings:
            is_inside = self._smtp is None or is_kept_inside(wording.address_of(mailing))
            (inside if is_inside else outside).append(mailing)
        chosen: list[tuple[Channel, list[ClaimedMailing]]] = []
        if inside:
            chosen.append((self._mailbox, inside))
        if outside and self._smtp is not None:
            chosen.append((self._smtp, outside))
        return chosen

    def _mails(self, batch: _Batch, gate: Gate, wording: Wording) -> Iterator[Mail]:
        """Each mail as late as it can be: read again whether it is wanted, then rendered."""
        for position, mailing in enumerate(gate.mailings):
            if self._stop():
                return
            rows = gate.still_wanted(position)
            looked_at = gate.read_at
            if not rows:
                batch.emptied.append(mailing.id)
                continue
            try:
                letter = wording.letter(mailing, rows)
                data = self._renderer.render(letter)
            except UnsafeMail as error:
                log.error("mail_not_rendered", mailing=mailing.id, why=str(error))
                batch.refused.append(settling.Refusal(mailing.id, mailing.attempt, str(error)))
                continue
            except DBAPIError:
                raise
            except Exception as problem:  # noqa: BLE001 (one mail that cannot be written holds up no other)
                why = f"not written: {type(problem).__name__}"
                log.error(
                    "mail_not_written", mailing=mailing.id, why=why, where=format_tb(problem.__traceback__)
                )
                batch.unwritten.append(settling.Refusal(mailing.id, mailing.attempt, why))
                continue
            batch.sent_rows[mailing.id] = tuple(row.id for row in rows)
            yield Mail(mailing.id, letter.address, mailing.message_id, data, looked_at)

    def _note(self, batch: _Batch, outcome: Outcome, done: Delivered) -> None:
        mailing = batch.open.pop(outcome.reference)
        if outcome.result is _ACCEPTED:
            self._own_journal().note(outcome.reference, batch.claim.token, outcome.reply)
            rows = batch.sent_rows[outcome.reference]
            batch.accepted.append(settling.Accepted(outcome.reference, rows, outcome.reply))
            done.sent += 1
            self._rest.has_taken_mail()
            if len(batch.accepted) >= SETTLE_AFTER:
                self._settle_accepted(batch)
            return
        refusal = settling.Refusal(mailing.id, mailing.attempt, outcome.reply)
        if outcome.result is Result.LATER:
            batch.later.append(refusal)
            done.later += 1
            done.not_now = outcome.reply
            return
        batch.refused.append(refusal)
        done.refused += 1
        if outcome.result is Result.ADDRESS_REFUSED:
            batch.refused_addresses.append(mailing.recipient_id)

    def _settle_accepted(self, batch: _Batch) -> None:
        accepted = batch.accepted
        commit_with_retry(
            lambda: settling.settle_accepted(accepted, token=batch.claim.token, now=clock.now())
        )
        self._own_journal().clear()
        batch.accepted = []

    def _settle(self, batch: _Batch, done: Delivered) -> None:
        """Everything of the batch gets its end, also after an error: what was not tried is given back."""
        if batch.accepted:
            self._settle_accepted(batch)
        batch.later += batch.unwritten
        done.unwritten += len(batch.unwritten)
        for refusal in (*batch.refused, *batch.unwritten):
            batch.open.pop(refusal.mailing_id, None)
        for mailing_id in batch.emptied:
            batch.open.pop(mailing_id, None)
        if batch.later or batch.refused or batch.emptied or batch.open:
            commit_with_retry(lambda: _settle_rest(batch))
        done.held_back += len(batch.emptied)


def _settle_rest(batch: _Batch) -> None:
    token, now = batch.claim.token, clock.now()
    settling.put_off(batch.later, token=token, now=now)
    settling.fail(batch.refused, token=token, now=now)
    settling.drop_empty(batch.emptied, token=token)
    settling.release(list(batch.open), token=token)
    note_refused_addresses(batch.refused_addresses, now=now)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """A claim makes tens of thousands of objects and no cycles: the collector would walk them for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def is_kept_inside(address: str) -> bool:
    return address.lower().endswith(NEVER_BY_SMTP)


def _is_due(channel: ReminderChannel) -> bool:
    at = ledger.next_due_at((channel,))
    db.session.rollback()
    return at is not None and at <= clock.now()


def _settle_lines(lines: Sequence[JournalLine]) -> None:
    settled = commit_with_retry(lambda: settling.settle_from_journal(lines, now=clock.now()))
    log.info("journal_replayed", lines=len(lines), settled=settled)


def _smtp_channel(settings: Settings) -> Channel | None:
    if settings.smtp is None:
        return None
    return SmtpChannel(
        settings.smtp,
        settings.mail_from,
        connections=settings.email_connections,
        max_per_second=settings.email_max_per_second,
    )
