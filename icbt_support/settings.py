"""Settings are read once, from the environment and `.env`, and checked before anything starts."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from cryptography.fernet import Fernet
from dotenv import dotenv_values

PROJECT = Path(__file__).resolve().parent.parent
PRODUCT_VERSION = "0.2.0"
SHORTEST_SECRET = 32
_DEVELOPMENT_SECRET = "development-only-secret-key-never-for-people"  # noqa: S105 (refused in production)
_DEVELOPMENT_DATA_KEY = "ZGV2ZWxvcG1lbnQtb25seS1kYXRhLWtleS0zMmJ5dGU="
Choice = TypeVar("Choice", bound=StrEnum)
_SQLITE = "sqlite:///"
_DEVELOPMENT_WORDS = ("development", "change", "secret", "example", "password", "test")


class WrongSetting(Exception):
    """A setting is missing or wrong. The message names it and says what was expected."""


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TEST = "test"


class SchedulerMode(StrEnum):
    EMBEDDED = "embedded"
    OFF = "off"


@dataclass(frozen=True)
class SmtpServer:
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    use_tls: bool = False


@dataclass(frozen=True)
class Settings:
    environment: Environment
    secret_key: str = field(repr=False)
    data_keys: tuple[str, ...] = field(repr=False)
    database_url: str = field(repr=False)
    base_url: str
    host: str
    port: int
    smtp: SmtpServer | None
    mail_from: str
    scheduler: SchedulerMode
    journal_dir: Path
    programmes_path: Path | None
    email_connections: int
    email_max_per_second: int
    proxy_count: int
    argon2_is_cheap: bool

    @property
    def is_development(self) -> bool:
        return self.environment is Environment.DEVELOPMENT

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def link_key(self) -> bytes:
        return f"links:{self.secret_key}".encode()

    @property
    def seal_key(self) -> bytes:
        return f"audit-seal:{self.secret_key}".encode()


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """All settings, checked.

    Without `environ`, the process environment is read over the project's `.env`.
    Raises `WrongSetting` with one sentence that names the setting and what was expected.
    """
    if environ is None:
        environ = {**_dotenv(), **os.environ}
    environment = _choice(environ, "ENVIRONMENT", Environment, Environment.DEVELOPMENT)
    is_production = environment is Environment.PRODUCTION
    port = _whole_number(environ, "PORT", 8000, 1, 65535)
    return Settings(
        environment=environment,
        secret_key=_secret_key(environ, is_production),
        data_keys=_data_keys(environ, is_production),
        database_url=_database_url(environ, is_production),
        base_url=_base_url(environ, is_production, port),
        host=environ.get("HOST") or "127.0.0.1",
        port=port,
        smtp=_smtp_server(environ, is_production),
        mail_from=_mail_from(environ, is_production),
        scheduler=_choice(environ, "SCHEDULER", SchedulerMode, SchedulerMode.EMBEDDED),
        journal_dir=Path(environ.get("JOURNAL_DIR") or PROJECT / "instance" / "journal"),
        programmes_path=_folder(environ, "PROGRAMMES_PATH"),
        email_connections=_whole_number(environ, "EMAIL_CONNECTIONS", 2, 1, 50),
        email_max_per_second=_whole_number(environ, "EMAIL_MAX_PER_SECOND", 0, 0, 100_000),
        proxy_count=_whole_number(environ, "PROXY_COUNT", 0, 0, 10),
        argon2_is_cheap=environment is Environment.TEST,
    )


def _dotenv() -> dict[str, str]:
    return {name: value for name, value in dotenv_values(PROJECT / ".env").items() if value is not None}


def _choice(environ: Mapping[str, str], name: str, choices: type[Choice], default: Choice) -> Choice:
    value = environ.get(name) or default.value
    if value not in list(choices):
        raise WrongSetting(f"{name} is '{value}': it can be {', '.join(choices)}.")
    return choices(value)


def _whole_number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    value = environ.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
        raise WrongSetting(f"{name} is '{value}': it has to be a whole number from {low} to {high}.")
    return int(value)


def _secret_key(environ: Mapping[str, str], is_production: bool) -> str:
    value = environ.get("SECRET_KEY", "")
    if not is_production:
        return value or _DEVELOPMENT_SECRET
    expected = f"production needs {SHORTEST_SECRET} or more random characters"
    if not value:
        raise WrongSetting(f"SECRET_KEY is missing: {expected}.")
    if len(value) < SHORTEST_SECRET:
        raise WrongSetting(f"SECRET_KEY is too short: {expected}.")
    if any(word in value.lower() for word in _DEVELOPMENT_WORDS) or len(set(value)) < 12:
        raise WrongSetting(f"SECRET_KEY looks like a placeholder: {expected}.")
    return value


def _data_keys(environ: Mapping[str, str], is_production: bool) -> tuple[str, ...]:
    value = environ.get("DATA_KEYS", "")
    if not value and not is_production:
        return (_DEVELOPMENT_DATA_KEY,)
    expected = "one or more Fernet keys, newest first, parted by commas (`flask keys new` makes one)"
    keys = tuple(key.strip() for key in value.split(",") if key.strip())
    if not keys:
        raise WrongSetting(f"DATA_KEYS is missing: it needs {expected}.")
    for key in keys:
        try:
            Fernet(key)
        except ValueError as error:
            raise WrongSetting(
                f"DATA_KEYS holds something that is not a key: it needs {expected}."
            ) from error
    if is_production and _DEVELOPMENT_DATA_KEY in keys:
        raise WrongSetting(f"DATA_KEYS holds the development key: production needs {expected}.")
    return keys


def _database_url(environ: Mapping[str, str], is_production: bool) -> str:
    value = environ.get("DATABASE_URL", "")
    if not value:
        if is_production:
            raise WrongSetting(
                "DATABASE_URL is missing: production names its database, postgresql:// or sqlite:///."
            )
        return f"sqlite:///{PROJECT / 'instance' / 'icbt_support.sqlite'}"
    if value.startswith(("postgres://", "postgresql://")):
        return "postgresql+psycopg://" + value.split("://", 1)[1]
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise WrongSetting("DATABASE_URL is not understood: it starts with postgresql:// or sqlite:///.")
    return _sqlite_file(value) if value.startswith(_SQLITE) else value


def _sqlite_file(url: str) -> str:
    """The same file for everything that reads the setting, from whatever folder each of them takes it.

    Locks and backups stand beside the database, so it is a plain path, and not memory.
    """
    path, mark, options = url.removeprefix(_SQLITE).partition("?")
    if path in ("", ":memory:"):
        raise WrongSetting(
            "DATABASE_URL names no file: SQLite needs a path, like sqlite:////srv/icbt/icbt.sqlite."
        )
    if path.startswith("file:") or "uri=" in options:
        raise WrongSetting(
            "DATABASE_URL is a file: address: SQLite needs a plain path, like sqlite:////srv/icbt/icbt.sqlite."
        )
    return f"{_SQLITE}{Path(path).absolute()}{mark}{options}"


def _base_url(environ: Mapping[str, str], is_production: bool, port: int) -> str:
    value = environ.get("BASE_URL", "").rstrip("/")
    if not value and not is_production:
        return f"http://127.0.0.1:{port}"
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise WrongSetting(
            "BASE_URL is missing or wrong: it is the address that people use, like https://care.example."
        )
    if is_production and parts.scheme != "https":
        raise WrongSetting("BASE_URL starts with http: production needs https.")
    return value


def _smtp_server(environ: Mapping[str, str], is_production: bool) -> SmtpServer | None:
    value = environ.get("SMTP_URL", "")
    expected = "smtp://user:password@host:port or smtps://…"
    if not value:
        if is_production:
            raise WrongSetting(f"SMTP_URL is missing: production needs {expected}.")
        return None
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise WrongSetting(f"SMTP_URL is wrong: it looks like {expected}.") from error
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise WrongSetting(f"SMTP_URL is wrong: it looks like {expected}.")
    use_tls = parts.scheme == "smtps"
    return SmtpServer(
        parts.hostname,
        port or (465 if use_tls else 25),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        use_tls,
    )


def _mail_from(environ: Mapping[str, str], is_production: bool) -> str:
    value = environ.get("MAIL_FROM", "")
    if not value and not is_production:
        return "no-reply@example.org"
    if (
        not re.fullmatch(r"[!-~]+@[!-~]+", value)
        or re.search(r'[<>()\[\],;:\\"]', value)
        or value.count("@") != 1
    ):
        raise WrongSetting(
            "MAIL_FROM is missing or wrong: it is one plain address, like course@care.example."
        )
    return value


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    value = environ.get(name)
    if not value:
        return None
    if not Path(value).is_dir():
        raise WrongSetting(f"{name} is '{value}': there is no such folder.")
    return Path(value)
