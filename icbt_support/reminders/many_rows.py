"""Statements that write many rows at once: all of them travel as one JSON parameter, on both engines."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, TextClause, bindparam, select, text

from icbt_support.db import UtcDateTime
from icbt_support.reminders.models import Mailing
from icbt_support.reminders.whole_results import WholeResult

# One number for each reminder: an object is read faster than a list of lists, and they are many.
_PAIRS = {
    "sqlite": "(SELECT CAST(key AS INTEGER) AS reminder_id, value AS mailing_id "
    "FROM json_each(:rows)) AS given",
    "postgresql": "(SELECT CAST(key AS bigint) AS reminder_id, CAST(value AS bigint) AS mailing_id "
    "FROM jsonb_each_text(CAST(:rows AS jsonb))) AS given",
}
_LISTS = {"sqlite": "json_each(:rows)", "postgresql": "jsonb_array_elements(CAST(:rows AS jsonb))"}


def _given(dialect: str, **types: str) -> str:
    """The rows of the parameter as a table: each is a JSON list with one element for each of these columns."""
    read = "json_extract(value, '$[{place}]')" if dialect == "sqlite" else "CAST(value ->> {place} AS {kind})"
    columns = (
        f"{read.format(place=place, kind=kind)} AS {name}" for place, (name, kind) in enumerate(types.items())
    )
    return f"(SELECT {', '.join(columns)} FROM {_LISTS[dialect]}) AS given"  # noqa: S608 (our own words)


def _insert_mailings(dialect: str) -> TextClause:
    columns = {
        "recipient_id": "bigint",
        "service_id": "bigint",
        "message_id": "text",
        "local_on": "date",
        "prompt_on": "date",
        "prompt_number": "int",
    }
    return text(
        f"INSERT INTO mailings ({', '.join(columns)}, "  # noqa: S608 (our own words)
        "state, attempt, claimed_by, claim_token, lease_until, reply, created_at) "
        f"SELECT given.*, 'claimed', 1, :worker, :token, :lease_until, '', :now "
        f"FROM {_given(dialect, **columns)} WHERE true ON CONFLICT DO NOTHING"
    ).bindparams(bindparam("lease_until", type_=UtcDateTime()), bindparam("now", type_=UtcDateTime()))


def _link_reminders(dialect: str) -> TextClause:
    return text(
        "UPDATE reminders SET state = 'claimed', attempt = attempt + 1, mailing_id = given.mailing_id "  # noqa: S608 (our own words)
        f"FROM {_PAIRS[dialect]} WHERE reminders.id = given.reminder_id AND reminders.state = 'owed'"
    )


def _hand_over_mailings(dialect: str) -> TextClause:
    return text(
        "UPDATE mailings SET state = 'handed_over', handed_over_at = :now, lease_until = NULL, "  # noqa: S608 (our own words)
        f"claim_token = '', reply = given.said FROM {_given(dialect, mailing_id='bigint', said='text')} "
        "WHERE mailings.id = given.mailing_id AND (mailings.state = 'waiting' "
        "OR mailings.state = 'claimed' AND mailings.claim_token = :token)"
    ).bindparams(bindparam("now", type_=UtcDateTime()))


_INSERT_MAILINGS = {dialect: _insert_mailings(dialect) for dialect in _LISTS}
_LINK_REMINDERS = {dialect: _link_reminders(dialect) for dialect in _LISTS}
_HAND_OVER_MAILINGS = {dialect: _hand_over_mailings(dialect) for dialect in _LISTS}


_CLAIMED = WholeResult(
    select(Mailing.message_id, Mailing.id).where(
        text("mailings.state = 'claimed'"), Mailing.claim_token == bindparam("token")
    )
)


def insert_mailings(
    connection: Connection,
    rows: Sequence[tuple[int, int | None, str, str, str | None, int | None]],
    *,
    worker: str,
    token: str,
    lease_until: datetime,
    now: datetime,
) -> dict[str, int]:
    """Writes claimed mailings: recipient, service, Message-ID, local day, day and place of the prompt.

    Returns the number of each by its Message-ID, among the others of this token; a mailing whose prompt's
    place is taken is left out.
    """
    values = {"worker": worker, "token": token, "lease_until": lease_until, "now": now}
    _execute(connection, _INSERT_MAILINGS, rows, **values)
    return dict(_CLAIMED.rows(connection, {"token": token}))


def link_reminders(connection: Connection, mailing_of: Mapping[int, int]) -> None:
    """Marks reminders as claimed and names the mailing that each of them goes out in."""
    if mailing_of:
        _execute(connection, _LINK_REMINDERS, mailing_of)


def hand_over_mailings(
    connection: Connection, replies: Sequence[tuple[int, str]], *, token: str, now: datetime
) -> None:
    """Marks mailings that are this token's, or nobody's, with what the provider said of each."""
    _execute(connection, _HAND_OVER_MAILINGS, replies, token=token, now=now)


def _execute(
    connection: Connection,
    statements: dict[str, TextClause],
    rows: Sequence[Sequence[Any]] | Mapping[int, int],
    **values: Any,
) -> CursorResult[Any]:
    return connection.execute(statements[connection.dialect.name], {"rows": json.dumps(rows), **values})
