"""What every answer carries, whatever its status: the policy, no cache, no version, and cookies that stay put."""

import gzip
import http.client
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import create_engine, select
from werkzeug.test import TestResponse

from app import SERVER
from icbt_support.accounts.operations import set_password
from icbt_support.accounts.passwords import hash_password
from icbt_support.db import assert_triggers, db
from icbt_support.delivery.models import MailboxMail
from icbt_support.factory import create_app
from icbt_support.jobs.runner import tick
from icbt_support.settings import Settings, read_settings
from icbt_support.tables import METADATA
from tests.browsing import PageClient
from tests.cast import OPERATOR, PASSWORD, Cast
from tests.web_server import web_server

POLICY_PARTS = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
VERSIONS = ("werkzeug", "waitress", "python", "gunicorn", "flask")


def assert_guarded(response: TestResponse) -> None:
    headers, where = (
        response.headers,
        f"{response.request.method} {response.request.path} {response.status_code}",
    )
    content_policy = headers.get("Content-Security-Policy", "")
    assert all(part in content_policy for part in POLICY_PARTS), where
    assert "unsafe" not in content_policy, where
    assert "*" not in content_policy, where
    assert headers.get("X-Content-Type-Options") == "nosniff", where
    assert headers.get("X-Frame-Options") == "DENY", where
    assert headers.get("Referrer-Policy") in ("same-origin", "no-referrer"), where
    assert headers.get("Cache-Control") == "no-store", where
    assert headers.get("Cross-Origin-Opener-Policy") == "same-origin", where
    assert headers.get("Cross-Origin-Resource-Policy") == "same-origin", where
    assert not any(word in f"{headers}".lower() for word in VERSIONS), where
    assert "Access-Control-Allow-Origin" not in headers, where
    assert len(headers.getlist("Content-Security-Policy")) == 1, where


@pytest.fixture
def broken_page(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that breaks for a reason nobody thought of."""

    def break_down() -> str:
        raise RuntimeError("a secret of the code")

    break_down.access = app.view_functions["public_information.privacy"].access  # type: ignore[attr-defined]
    monkeypatch.setitem(app.view_functions, "public_information.privacy", break_down)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sign-in", 200),
        ("GET", "/help-now", 200),
        ("GET", "/healthz", 200),
        ("GET", "/", 302),
        ("GET", "/week", 302),
        ("GET", "/nowhere", 404),
        ("GET", "/static/nowhere.css", 404),
        ("GET", "/.env", 404),
        ("GET", "/.git/config", 404),
        ("GET", "/metrics", 404),
        ("GET", "/static/../settings.py", 404),
        ("PUT", "/sign-in", 405),
        ("DELETE", "/week", 405),
        ("TRACE", "/sign-in", 405),
        ("POST", "/sign-in", 400),
    ],
)
def test_answers_to_strangers_are_guarded(
    app: Flask, cast: Cast, method: str, path: str, status: int
) -> None:
    response = app.test_client().open(path, method=method)
    if path != "/":
        assert response.status_code == status
    assert_guarded(response)


@pytest.mark.parametrize("person", ["patient", "supporter", "clinician", "administrator"])
def test_answers_to_people_are_guarded(app: Flask, cast: Cast, person: str) -> None:
    browser = PageClient(app).sign_in(getattr(cast, person))
    for path in ("/account", "/week", "/supporting/today", "/clinical/risk", "/admin", "/nowhere"):
        assert_guarded(browser.http.get(path))


def test_a_body_that_is_too_large_is_refused_and_guarded(app: Flask, cast: Cast) -> None:
    browser = PageClient(app).sign_in(cast.patient)
    response = browser.http.post("/messages", data={"csrf_token": browser.token(), "words": "x" * 600_000})
    assert response.status_code == 413
    assert_guarded(response)


def test_an_error_of_ours_is_guarded_and_says_nothing_of_the_code(
    app: Flask, cast: Cast, broken_page: None
) -> None:
    response = app.test_client().get("/privacy")
    assert response.status_code == 500
    assert_guarded(response)
    words = response.get_data(as_text=True)
    assert "help-now" in words
    assert not any(word in words for word in ("Traceback", "RuntimeError", "a secret of the code", ".py"))


def test_static_files_are_not_sniffed_and_name_no_version(app: Flask) -> None:
    root = Path(str(app.static_folder))
    for path in sorted(root.rglob("*.css"))[:2] + sorted(root.rglob("*.js"))[:2]:
        response = app.test_client().get(f"/static/{path.relative_to(root)}")
        assert response.status_code == 200
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert not any(word in f"{response.headers}".lower() for word in VERSIONS)


def test_compressed_copies_hold_their_files_and_are_served(app: Flask) -> None:
    """`make compress` writes them; a stale copy would be served under the new file's address."""
    root = Path(str(app.static_folder))
    for path in sorted(root.rglob("*.css")) + sorted(root.rglob("*.js")):
        copy = path.with_name(f"{path.name}.gz")
        assert copy.exists(), f"{path.name} has no compressed copy: make compress"
        assert gzip.decompress(copy.read_bytes()) == path.read_bytes(), f"{copy.name} is stale: make compress"
        response = app.test_client().get(
            f"/static/{path.relative_to(root)}", headers={"Accept-Encoding": "gzip"}
        )
        assert response.headers["Content-Encoding"] == "gzip"
    assert len(list(root.rglob("*.gz"))) == len(list(root.rglob("*.css"))) + len(list(root.rglob("*.js")))


# Cookies -----------------------------------------------------------------------------------------------------


def cookies_of(response: TestResponse) -> dict[str, str]:
    return {line.split("=", 1)[0]: line for line in response.headers.getlist("Set-Cookie")}


@pytest.fixture(scope="module")
def production_settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("production")
    return read_settings(
        {
            "ENVIRONMENT": "production",
            "SECRET_KEY": secrets.token_hex(32),
            "DATA_KEYS": Fernet.generate_key().decode(),
            "DATABASE_URL": f"sqlite:///{folder / 'production.sqlite'}",
            "BASE_URL": "https://care.example.net",
            "SMTP_URL": "smtp://127.0.0.1:9",
            "MAIL_FROM": "course@care.example.net",
            "JOURNAL_DIR": str(folder),
            "SCHEDULER": "off",
        }
    )


@pytest.fixture
def production(production_settings: Settings, app: Flask) -> Iterator[Flask]:
    """The application as it runs in production, with the data keys of the tests put back afterwards."""
    engine = create_engine(production_settings.database_url)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        assert_triggers(connection)
    engine.dispose()
    built = create_app(
        replace(production_settings, data_keys=app.config["SETTINGS"].data_keys, argon2_is_cheap=True)
    )
    yield built
    with built.app_context():
        db.engine.dispose()


def test_cookies_in_production_are_secure_host_bound_and_out_of_reach_of_scripts(production: Flask) -> None:
    response = production.test_client().get("/sign-in", base_url="https://care.example.net")
    assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    cookies = cookies_of(response)
    assert list(cookies) == ["__Host-session"]
    line = cookies["__Host-session"]
    assert all(part in line for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in line


def test_production_has_no_development_pages_and_no_debugger(production: Flask) -> None:
    browser = production.test_client()
    assert production.debug is False
    for path in ("/dev/sign-in", "/dev/mailbox", "/console", "/?__debugger__=yes&cmd=resource&f=debugger.js"):
        response = browser.get(path, base_url="https://care.example.net")
        assert response.status_code in (302, 404) or "debugger" not in response.get_data(as_text=True)
    assert browser.get("/dev/sign-in", base_url="https://care.example.net").status_code == 404
    assert browser.post("/development/clock", base_url="https://care.example.net").status_code in (400, 404)
    assert not [rule.rule for rule in production.url_map.iter_rules() if rule.rule.startswith("/dev")]


def test_cookies_in_tests_are_out_of_reach_of_scripts(app: Flask, cast: Cast) -> None:
    line = cookies_of(app.test_client().get("/sign-in"))["session"]
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line


# The real server ---------------------------------------------------------------------------------------------


@pytest.fixture
def served(app: Flask, cast: Cast) -> Iterator[int]:
    """The application behind waitress, as `app.py` starts it; its port."""
    db.session.commit()
    with web_server(app, threads=2, **SERVER) as port:
        yield port


def asked(port: int, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={"X-Probe": "canary-of-a-header", **headers})
    return connection.getresponse()


def test_the_server_echoes_nothing_and_names_no_version(served: int) -> None:
    for method in ("TRACE", "TRACK"):
        response = asked(served, method, "/sign-in")
        assert response.status == 405
        assert b"canary-of-a-header" not in response.read()
    for path in ("/sign-in", "/nowhere", "/static/nowhere.js"):
        headers = str(asked(served, "GET", path).headers).lower()
        assert "server:" not in headers
        assert not any(word in headers for word in VERSIONS)


SLOW = {
    "headers": b"GET /help-now HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "a body": b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\ncsrf_token=",
    "reading": b"GET /static/css/app.css HTTP/1.1\r\nHost: x\r\n\r\n" * 5,
}


@pytest.mark.parametrize("kind", list(SLOW))
def test_two_hundred_slow_clients_keep_nobody_from_help(served: int, kind: str) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", served)))
            slow.sendall(SLOW[kind])
        assert asked(served, "GET", "/help-now").status == 200


def test_an_endless_body_is_cut_off_while_it_comes_in(served: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served, timeout=10)
    connection.putrequest("POST", "/sign-in")
    connection.putheader("Content-Length", str(2 * 1024**3))
    connection.endheaders()
    assert connection.getresponse().status == 413


def test_the_host_header_leads_nobody_away(served: int) -> None:
    for headers in (
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "gopher"},
    ):
        for path in ("/", "/week", "/sign-in", "/forgotten-password"):
            response = asked(served, "GET", path, **headers)
            assert "evil.example" not in str(response.headers)
            assert b"evil.example" not in response.read()


# Who asks, and for which host --------------------------------------------------------------------------------


def test_links_in_mail_come_from_the_settings_and_not_from_the_request(
    app: Flask, cast: Cast, now: datetime
) -> None:
    set_password(cast.patient, hash_password(PASSWORD), by=OPERATOR, now=now)
    db.session.commit()
    browser = PageClient(app)
    browser.get("/forgotten-password")
    token, cookie = browser.token(), browser.http.get_cookie("session")
    assert cookie is not None
    browser.http.set_cookie("session", cookie.value, domain="evil.example")
    response = browser.http.post(
        "/forgotten-password",
        data={"csrf_token": token, "email": cast.patient.email},
        headers={
            "Host": "evil.example",
            "X-Forwarded-Host": "evil.example",
            "Referer": "http://evil.example/",
        },
    )
    assert (response.status_code, response.location) == (302, "/forgotten-password/sent")
    tick(app, at=now + timedelta(minutes=1), names={"deliver"})
    words = ""
    for data in db.session.scalars(select(MailboxMail.data)):
        mail = message_from_bytes(data, policy=policy.default)
        assert mail["To"].count("@") == 1
        words += str(mail.items()) + "".join(
            part.get_content() for part in mail.walk() if not part.is_multipart()
        )
    assert "https://course.example.net/new-password/" in words
    assert "evil.example" not in words


def failed_sign_in_address(app: Flask, forwarded: str) -> str:
    """The address that the audit keeps for a failed sign-in behind this header."""
    browser = app.test_client()
    page = PageClient(app)
    page.http = browser
    page.get("/sign-in")
    browser.post(
        "/sign-in",
        data={"csrf_token": page.token(), "email": "nobody@example.net", "password": PASSWORD + "x"},
        headers={"X-Forwarded-For": forwarded},
    )
    table = METADATA.tables["audit_lines"]
    db.session.rollback()
    return str(db.session.scalars(select(table.c.address).order_by(table.c.id.desc()).limit(1)).one())


def test_a_forwarded_address_counts_only_behind_the_configured_proxies(
    app: Flask, cast: Cast, settings: Settings
) -> None:
    forged = "198.51.100.66, 203.0.113.7"
    assert failed_sign_in_address(app, forged) == "127.0.0.1"
    behind = create_app(replace(settings, proxy_count=1))
    behind.test_client_class = app.test_client_class
    with behind.app_context():
        assert failed_sign_in_address(behind, forged) == "203.0.113.7"
        db.session.remove()
        db.engine.dispose()
