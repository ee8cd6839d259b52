"""Short-lived rows past their time: logs, sessions, mail bodies, the ledger. Never a clinical one."""

from datetime import datetime, timedelta

from sqlalchemy import Table, delete, select

from icbt_support.db import Base, Keep, TableCare, db

AGE = {Keep.DAYS_90: timedelta(days=90), Keep.DAYS_400: timedelta(days=400)}
# The instant that says how old a row is, by table.
DATED_BY = {
    "sign_ins": "last_seen_at",
    "throttles": "window_started_at",
    "account_links": "expires_at",
    "job_runs": "started_at",
    "job_states": "last_started_at",
    "periods_done": "done_at",
    "heartbeats": "beat_at",
    "mailbox_mails": "arrived_at",
    "inbox_items": "arrived_at",
    "reminders": "settled_at",
    "mailings": "created_at",
    "problem_reports": "reported_at",
    "report_answers": "answered_at",
}
BATCH = 1000


def purge_old_rows(now: datetime) -> dict[str, int]:
    """Deletes up to a batch of each table's rows past their time, children first. Returns how many of
    each.
    """
    gone: dict[str, int] = {}
    for table in reversed(Base.metadata.sorted_tables):
        age = _age_of(table)
        if age is None:
            continue
        count = _delete_before(table, DATED_BY[table.name], now - age)
        if count:
            gone[table.name] = count
    return gone


def _age_of(table: Table) -> timedelta | None:
    care = table.info.get("care")
    return AGE.get(care.keep) if isinstance(care, TableCare) else None


def _delete_before(table: Table, column: str, before: datetime) -> int:
    keys = list(table.primary_key.columns)
    old = select(*keys).where(table.c[column] < before)
    for other in Base.metadata.sorted_tables:
        for constraint in other.foreign_keys:
            if constraint.column.table is table:
                old = old.where(
                    ~select(constraint.parent).where(constraint.parent == constraint.column).exists()
                )
    rows = db.session.execute(old.limit(BATCH)).all()
    for row in rows:
        db.session.execute(delete(table).where(*(key == value for key, value in zip(keys, row, strict=True))))
    return len(rows)
