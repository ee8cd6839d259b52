"""Operators' commands: `flask --help` lists them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from cryptography.fernet import Fernet
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.accounts.operations import invite_first_person
from icbt_support.activity.rebuilding import rebuild_figures
from icbt_support.audit import Actor
from icbt_support.audit.seals import verify_audit
from icbt_support.db import commit_with_retry, db
from icbt_support.demo.building import PASSWORD, build_demo, forget_everything, has_any_data
from icbt_support.demo.people import SIGN_INS
from icbt_support.engagement.service_days import forget_service_days, keep_service_days
from icbt_support.jobs import backups, runner
from icbt_support.jobs.backups import BackupFailed
from icbt_support.jobs.summary import describe_jobs
from icbt_support.programme.checks import check_content
from icbt_support.schema import WrongSchema, check_schema, migrate, migration_lock
from icbt_support.settings import Environment, Settings
from icbt_support.trouble import is_database_away, trouble_in_words


@contextmanager
def said_in_one_sentence() -> Iterator[None]:
    """Ends a command with a sentence and no traceback where the trouble is no mistake of ours."""
    try:
        yield
    except (WrongSchema, BackupFailed) as refusal:
        raise click.ClickException(str(refusal)) from refusal
    except DBAPIError as error:
        if not is_database_away(error):
            raise
        raise click.ClickException(trouble_in_words(error)) from error


class Command(click.Command):
    def invoke(self, ctx: click.Context) -> Any:
        with said_in_one_sentence():
            return super().invoke(ctx)


class Group(AppGroup):
    command_class = Command


people = Group("people", help="People who may sign in.")
content = Group("content", help="Programmes as files.")
audit = Group("audit", help="The audit and its seals.")
keys = Group("keys", help="Keys for encrypted columns.")
figures = Group("figures", help="Figures that are kept as people act.")


def register_commands(app: Flask) -> None:
    for command in (
        people,
        content,
        audit,
        keys,
        figures,
        prepare,
        worker,
        tick,
        demo,
        jobs,
        backup,
        restore,
    ):
        app.cli.add_command(command)


def settings() -> Settings:
    return current_app.config["SETTINGS"]


@click.command("prepare", cls=Command)
@with_appcontext
def prepare() -> None:
    """Migrate, and build the demo if there is no data yet (development)."""
    _migrate()
    if settings().is_development:
        _build_demo_once(patients=40, weeks=8, again=False)
        _print_sign_ins()


@click.command("demo", cls=Command)
@click.option("--patients", default=40, show_default=True, type=click.IntRange(1, 5_000))
@click.option("--weeks", default=8, show_default=True, type=click.IntRange(1, 60))
@click.option("--again", is_flag=True, help="Throw away what is there first.")
@with_appcontext
def demo(patients: int, weeks: int, again: bool) -> None:
    """Let synthetic people live through simulated weeks (development and test)."""
    if settings().is_production:
        raise click.ClickException("The demo is for development: this is production.")
    _migrate()
    _build_demo_once(patients=patients, weeks=weeks, again=again)
    _print_sign_ins()


def _build_demo_once(*, patients: int, weeks: int, again: bool) -> None:
    engine = create_engine(settings().database_url)
    with migration_lock(settings().database_url, engine):
        if again:
            forget_everything()
        if has_any_data():
            return
        click.echo(f"Building the demo: {patients} people, {weeks} weeks …")
        build_demo(current_app._get_current_object(), patients=patients, weeks=weeks)  # type: ignore[attr-defined]
    engine.dispose()


def _print_sign_ins() -> None:
    click.echo(f"\n  {settings().base_url}\n")
    for email, words in SIGN_INS:
        click.echo(f"  {email:<24} {words}")
    click.echo(f"\n  password: {PASSWORD}\n")


@click.command("worker", cls=Command)
@with_appcontext
def worker() -> None:
    """Run the scheduler alone, without pages; any number of these may run."""
    _require_schema()
    runner.run_worker(current_app._get_current_object())  # type: ignore[attr-defined]


@click.command("tick", cls=Command)
@click.option("--at", "at_text", help="An instant like 2026-12-01T09:00+00:00 (development and test).")
@with_appcontext
def tick(at_text: str | None) -> None:
    """Run every due job once, then exit; with 1 if any of them failed, once all have run."""
    _require_schema()
    at = _instant(at_text) if at_text else None
    runs = runner.run_each_once(current_app._get_current_object(), at=at)  # type: ignore[attr-defined]
    for run in runs:
        click.echo(f"{run.job:<12} {'FAILED  ' if run.error else ''}{runner.words_of(run)}")
    failed = [run.job for run in runs if run.error]
    if failed:
        raise click.ClickException(f"{len(failed)} of {len(runs)} jobs failed: {', '.join(failed)}.")


def _instant(words: str) -> datetime:
    if settings().environment is Environment.PRODUCTION:
        raise click.ClickException("--at is for development and test: this is production.")
    try:
        at = datetime.fromisoformat(words)
    except ValueError as error:
        raise click.ClickException(f"--at is '{words}': it looks like 2026-12-01T09:00+00:00.") from error
    if at.tzinfo is None:
        raise click.ClickException("--at has no zone: it looks like 2026-12-01T09:00+00:00.")
    return at


@click.command("jobs", cls=Command)
@with_appcontext
def jobs() -> None:
    """What is due, late or failed."""
    _require_schema()
    for line in describe_jobs(now=clock.now()):
        click.echo(line)


@click.command("backup", cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
def backup(file: Path) -> None:
    """Copy the database while it is in use, and open the copy to check it."""
    click.echo(backups.back_up(settings().database_url, file))


@click.command("restore", cls=Command)
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@with_appcontext
def restore(file: Path) -> None:
    """Put a backup in the place of the database; stop the product first."""
    db.session.remove()
    db.engine.dispose()
    click.echo(backups.restore(settings().database_url, file))


@people.command("invite")
@click.argument("email")
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in Role if role is not Role.PATIENT])
)
@click.option("--service", "service_name", required=True)
@with_appcontext
def invite_person(email: str, role: str, service_name: str) -> None:
    """Invite a member of staff; the first one makes the service."""
    _require_schema()
    operator = Actor.operator("flask people invite")
    try:
        words = commit_with_retry(
            lambda: invite_first_person(email, Role(role), service_name, by=operator, now=clock.now())
        )
    except ValueError as refusal:
        raise click.ClickException(str(refusal)) from refusal
    click.echo(words)


@content.command("check")
@click.argument("path", required=False, type=click.Path(path_type=Path))
def check(path: Path | None) -> None:
    """Check a programme's files; every mistake is named with its file, line and key."""
    mistakes = check_content(path)
    for mistake in mistakes:
        click.echo(str(mistake))
    if mistakes:
        raise SystemExit(1)
    click.echo("No mistakes found.")


@audit.command("verify")
@with_appcontext
def verify() -> None:
    """Name the first audit line that was altered, is missing or was never sealed."""
    finding = verify_audit(key=settings().seal_key, now=clock.real_now())
    if finding is not None:
        click.echo(finding.message)
        raise SystemExit(1)
    click.echo("Every sealed line is as it was written.")


@figures.command("rebuild")
@with_appcontext
def rebuild() -> None:
    """Count all figures again from the events; the product may go on meanwhile."""
    _require_schema()
    events = rebuild_figures()
    commit_with_retry(forget_service_days)
    days = keep_service_days(now=clock.now())
    click.echo(f"Counted {events:,} events and {days:,} days.")


@keys.command("new")
def new_key() -> None:
    """Print a new key for DATA_KEYS."""
    click.echo(Fernet.generate_key().decode())


def _migrate() -> None:
    migrate(settings().database_url)


def _require_schema() -> None:
    with db.engine.connect() as connection:
        check_schema(connection)
