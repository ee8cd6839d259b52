"""`create_app`: the one place where everything meets."""

import logging
import pkgutil
import secrets
from importlib import import_module

import structlog
from flask import Blueprint, Flask, Response, g
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from sqlalchemy import make_url, select
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from icbt_support import pages
from icbt_support.accounts import operations as accounts
from icbt_support.cli import register_commands
from icbt_support.db import db, use_data_keys
from icbt_support.demo import clock_page
from icbt_support.demo.clock import restore_demo_clock
from icbt_support.demo.models import DemoState
from icbt_support.pages.commits import end_transaction
from icbt_support.pages.errors import install_errors
from icbt_support.pages.guards import IdConverter, allow_anyone, check_every_view_says_who, install_guards
from icbt_support.pages.help_lines import load_help_pages
from icbt_support.pages.kit import install_kit
from icbt_support.pages.navigation import install_navigation
from icbt_support.pages.reads import install_reads
from icbt_support.pages.signing_in import install_login
from icbt_support.programme.library import load_library
from icbt_support.schema import WrongSchema, check_schema
from icbt_support.settings import PROJECT, Settings, read_settings

LARGEST_BODY = 512 * 1024
STOPPED_PROCESS_MS = 60_000
YEAR_SECONDS = 31_536_000
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def create_app(settings: Settings | None = None) -> Flask:
    """Builds the application. Raises `WrongSetting` when a setting is missing or wrong."""
    settings = settings or read_settings()
    app = Flask(__name__, template_folder=str(PROJECT / "templates"))
    _configure(app, settings)
    use_data_keys(settings.data_keys)
    accounts.use_password_settings(is_cheap=settings.argon2_is_cheap)
    _start_logging(settings)
    load_library(settings.programmes_path)
    db.init_app(app)
    Migrate(app, db, directory=str(PROJECT / "migrations"))
    app.url_map.converters["id"] = IdConverter
    CSRFProtect(app)
    install_kit(app)
    install_login(app)
    install_guards(app)
    install_navigation(app)
    install_errors(app)
    _install_edges(app, settings)
    install_reads(app)
    _register_pages(app, settings)
    _serve_static(app)
    register_commands(app)
    check_every_view_says_who(app)
    restore_demo_clock(app)
    return app


def check_before_serving(app: Flask) -> None:
    """Raises `WrongSchema` if the database does not fit this version, or is a demo database in production."""
    settings: Settings = app.config["SETTINGS"]
    with app.app_context(), db.engine.connect() as connection:
        check_schema(connection)
        load_help_pages(app)
        if settings.is_production and connection.execute(select(DemoState.id).limit(1)).first() is not None:
            raise WrongSchema("This database holds the demo: production needs a database of its own.")


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings),
        SESSION_COOKIE_NAME="__Host-session" if settings.is_production else "session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_production,
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=settings.is_production,
        PREFERRED_URL_SCHEME="https" if settings.is_production else "http",
    )
    if settings.proxy_count:
        count = settings.proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]


def _engine_options(settings: Settings) -> dict[str, object]:
    """PostgreSQL ends the transaction of a process that was stopped in the middle, so that its locks do not stay. It
    compiles no statement: for figures of a whole service that takes seconds longer than the statement itself.

    `?options=…` in DATABASE_URL says otherwise.
    """
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" or "options" in url.query:
        return {}
    options = f"-c idle_in_transaction_session_timeout={STOPPED_PROCESS_MS} -c jit=off"
    return {"connect_args": {"options": options}}


def _start_logging(settings: Settings) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name in ("alembic", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)
    renderer = (
        structlog.processors.JSONRenderer() if settings.is_production else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(),
    )


def _install_edges(app: Flask, settings: Settings) -> None:
    @app.before_request
    def _open() -> None:
        g.request_id = secrets.token_hex(8)

    @app.after_request
    def _close(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        if settings.is_production:
            response.headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}"
        return response

    app.teardown_request(end_transaction)


def _register_pages(app: Flask, settings: Settings) -> None:
    """Pages are found by folder: each module below `pages/` that has a `blueprint` is a page."""
    for module in sorted(
        pkgutil.walk_packages(pages.__path__, f"{pages.__name__}."), key=lambda found: found.name
    ):
        if ".development." in module.name and settings.is_production:
            continue
        blueprint = getattr(import_module(module.name), "blueprint", None)
        if isinstance(blueprint, Blueprint):
            app.register_blueprint(blueprint)
    if not settings.is_production:
        app.register_blueprint(clock_page.blueprint)


def _serve_static(app: Flask) -> None:
    """WhiteNoise answers for the static files; their addresses carry the hash of their content."""
    allow_anyone(app.view_functions["static"])
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=app.static_folder,
        prefix="static/",
        max_age=YEAR_SECONDS,
        add_headers_function=_static_headers,
    )


def _static_headers(headers: object, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"  # type: ignore[index]
