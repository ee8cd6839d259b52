"""What the audit keeps of an export: a line before the first byte, and a line with the rows after the last."""

from datetime import datetime

from icbt_support.audit.models import Actor
from icbt_support.audit.operations import record_apart
from icbt_support.exports.columns import ExportTable
from icbt_support.exports.rules import Wanted


def note_export_begun(table: ExportTable, wanted: Wanted, *, by: Actor, now: datetime) -> None:
    """Committed at once: if it cannot be written, nothing leaves."""
    _note("export_begun", f"{table.slug}: {wanted.words}", wanted, by, now)


def note_export_ended(
    table: ExportTable, wanted: Wanted, *, rows: int, is_whole: bool, by: Actor, now: datetime
) -> None:
    """How many rows went out, and whether that was all of them."""
    action = "export_ended" if is_whole else "export_broken_off"
    _note(action, f"{table.slug}: {rows} {'row' if rows == 1 else 'rows'}", wanted, by, now)


def _note(action: str, detail: str, wanted: Wanted, by: Actor, now: datetime) -> None:
    record_apart(action, by=by, now=now, service_id=wanted.service_id, detail=detail)
