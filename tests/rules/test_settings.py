"""A wrong or missing setting stops the start with a sentence that names it."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from icbt_support.settings import Environment, WrongSetting, read_settings

GOOD = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "q7Zr-9Tg2LxV_c4Kp8WnYb3DsHf6JmAe",
    "DATA_KEYS": Fernet.generate_key().decode(),
    "DATABASE_URL": "postgresql://icbt@localhost/icbt",
    "BASE_URL": "https://course.example.net/",
    "SMTP_URL": "smtps://user:pass@mail.example.net",
    "MAIL_FROM": "course@example.net",
}


def test_good_production_settings_are_read_and_hide_their_secrets() -> None:
    settings = read_settings(GOOD)
    assert settings.environment is Environment.PRODUCTION
    assert settings.database_url == "postgresql+psycopg://icbt@localhost/icbt"
    assert settings.base_url == "https://course.example.net"
    assert settings.smtp is not None
    assert settings.smtp.port == 465
    assert GOOD["SECRET_KEY"] not in repr(settings)
    assert GOOD["DATA_KEYS"] not in repr(settings)
    assert "pass" not in repr(settings.smtp).replace("password", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "live"),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me"),
        ("SECRET_KEY", "a" * 40),
        ("DATA_KEYS", ""),
        ("DATA_KEYS", " , ,"),
        ("DATA_KEYS", "not-a-key"),
        ("DATA_KEYS", "ZGV2ZWxvcG1lbnQtb25seS1kYXRhLWtleS0zMmJ5dGU="),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///file:icbt?mode=rwc&uri=true"),
        ("DATABASE_URL", "sqlite:////srv/icbt.sqlite?uri=true"),
        ("BASE_URL", ""),
        ("BASE_URL", "http://course.example.net"),
        ("SMTP_URL", ""),
        ("SMTP_URL", "smtp://host:port"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "käse@example.net"),
        ("MAIL_FROM", "Course <course@example.net>"),
        ("PORT", "99999"),
        ("PORT", "²"),
        ("SCHEDULER", "sometimes"),
        ("PROGRAMMES_PATH", "/no/such/folder"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=name) as refusal:
        read_settings({**GOOD, name: value})
    assert GOOD["SECRET_KEY"] not in str(refusal.value)


def test_development_needs_nothing() -> None:
    settings = read_settings({})
    assert settings.is_development
    assert settings.database_url.startswith("sqlite:///")
    assert settings.smtp is None


def test_a_relative_database_is_one_file_for_everybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings({**GOOD, "DATABASE_URL": "sqlite:///data/icbt.sqlite?timeout=5"})
    assert settings.database_url == f"sqlite:///{tmp_path}/data/icbt.sqlite?timeout=5"


def test_a_user_and_a_password_may_hold_any_character() -> None:
    settings = read_settings(
        {**GOOD, "SMTP_URL": "smtp://course%40care.example:a%2Fb%23c@mail.example.net:587"}
    )
    assert settings.smtp is not None
    assert (settings.smtp.username, settings.smtp.password) == ("course@care.example", "a/b#c")
