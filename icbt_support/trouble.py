"""What keeps a database from answering, told apart from mistakes of ours, and in a sentence."""

from sqlalchemy.exc import DBAPIError, OperationalError

NO_DATABASE = "The database of DATABASE_URL does not answer: is it there, and running?"
_LOCKED = "The database is locked: something else has been writing to it for too long."
_READ_ONLY = "The database cannot be written to: it is read-only."
_FULL = "The disk of the database is full."
_SENTENCES = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_FULL": _FULL,
    "SQLITE_NOTADB": "The file of DATABASE_URL is not a database: is it the right file?",
    "SQLITE_CORRUPT": "The file of the database is damaged: restore a backup.",
    "25006": _READ_ONLY,
    "53100": _FULL,
    "55P03": _LOCKED,
}


def is_database_away(error: BaseException) -> bool:
    """Locked for too long, full, read-only, damaged or unreachable: nothing was saved, and it is nobody's mistake."""
    if not isinstance(error, DBAPIError):
        return False
    return isinstance(error, OperationalError) or error.connection_invalidated or _code(error) in _SENTENCES


def trouble_in_words(error: DBAPIError) -> str:
    """What an operator can look for when `is_database_away`."""
    return _SENTENCES.get(_code(error), NO_DATABASE)


def _code(error: DBAPIError) -> str:
    """PostgreSQL's SQLSTATE, or the name of SQLite's result without what extends it."""
    name = getattr(error.orig, "sqlite_errorname", "")
    return "_".join(name.split("_")[:2]) or getattr(error.orig, "sqlstate", None) or ""
