"""Exports: tables to take away as CSV, with the dictionary that says what each column is."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import NoReturn
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, abort, current_app, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from icbt_support import audit, clock
from icbt_support.accounts.models import Role
from icbt_support.audit.models import Actor
from icbt_support.cadence import local_day
from icbt_support.db import db
from icbt_support.exports.columns import ExportTable
from icbt_support.exports.operations import note_export_begun, note_export_ended
from icbt_support.exports.queries import Line, lines_of
from icbt_support.exports.rules import CellKind, Wanted, cell, csv_lines, file_name
from icbt_support.exports.tables import (
    DICTIONARY_HEADS,
    EXPORT_TABLES,
    dictionary_rows,
    tables_for,
)
from icbt_support.pages.guards import allow, current_actor, current_service, held_roles, request_time
from icbt_support.pages.kit import DatePartsField, long_day_year
from icbt_support.programme.library import programmes
from icbt_support.service.models import Service

blueprint = Blueprint("clinician_exports", __name__)
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2200, 1, 1)
YES = "yes"


class FilterForm(FlaskForm):
    """Read from the address: it changes nothing."""

    class Meta:
        csrf = False

    from_on = DatePartsField("From", description="Empty: from the start. For example 1 11 2026")
    until_on = DatePartsField("Until, that day too", description="Empty: until now")
    programme = SelectField("Programme")
    names = BooleanField(
        "Add people's names", description="Only if you need them. Numbers are the same in every table."
    )

    def validate_from_on(self, field: DatePartsField) -> None:
        if field.data and not FIRST_DAY <= field.data <= LAST_DAY:
            raise ValidationError("Enter a day from the year 2000 on")

    def validate_until_on(self, field: DatePartsField) -> None:
        self.validate_from_on(field)
        if field.data and self.from_on.data and field.data < self.from_on.data:
            raise ValidationError("Enter a last day that is not before the first one")


@blueprint.get("/clinical/exports")
@allow(Role.CLINICIAN, Role.ADMINISTRATOR)
def index() -> str:
    role = _role()
    form = _filter_form()
    chosen = _chosen(form) if form.validate() else None
    return render_template(
        "clinician/exports.html",
        form=form,
        tables=[(table, _address(table, chosen)) for table in tables_for(role)] if chosen is not None else [],
        chosen=chosen or {},
        chosen_words=_chosen_words(chosen or {}, role),
        is_clinician=role is Role.CLINICIAN,
    )


@blueprint.get("/clinical/exports/dictionary")
@allow(Role.CLINICIAN, Role.ADMINISTRATOR)
def dictionary() -> str:
    return render_template("clinician/export_dictionary.html", tables=tables_for(_role()), service=_service())


@blueprint.get("/clinical/exports/dictionary.csv")
@allow(Role.CLINICIAN, Role.ADMINISTRATOR)
def dictionary_file() -> Response:
    rows = dictionary_rows(tables_for(_role()))
    lines = [[cell(words, CellKind.TEXT, "UTC") for words in row] for row in rows]
    return _file(csv_lines(DICTIONARY_HEADS, lines), "data-dictionary")


@blueprint.get("/clinical/exports/<table>.csv")
@allow(Role.CLINICIAN, Role.ADMINISTRATOR)
def download(table: str) -> Response:
    """Streams the file: what the audit keeps of it is written before the first byte and after the last."""
    wanted_table, wanted = _table_or_404(table), _wanted()
    by = current_actor(_role(), wanted.service_id)
    db.session.rollback()
    note_export_begun(wanted_table, wanted, by=by, now=request_time())
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return _file(_streamed(app, wanted_table, wanted, by), wanted_table.slug)


def _streamed(app: Flask, table: ExportTable, wanted: Wanted, by: Actor) -> Iterator[bytes]:
    """The file. It outlives the request, so it holds no session and enters the application only to note its end."""
    with app.app_context():
        engine = db.engine
    sent, is_whole = 0, False

    def counted(lines: Iterator[Line]) -> Iterator[Line]:
        nonlocal sent
        for line in lines:
            sent += 1
            yield line

    try:
        heads = [column.name for column in table.columns_for(with_names=wanted.with_names)]
        with closing(lines_of(engine, table, wanted)) as lines:
            yield from csv_lines(heads, counted(lines))
        is_whole = True
    finally:
        with app.app_context():
            note_export_ended(table, wanted, rows=sent, is_whole=is_whole, by=by, now=clock.now())


def _file(body: Iterator[bytes], slug: str) -> Response:
    service = _service()
    name = file_name(slug, local_day(request_time(), service.zone))
    return Response(
        body,
        content_type="text/csv; charset=utf-8; header=present",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _role() -> Role:
    return Role.CLINICIAN if Role.CLINICIAN in held_roles() else Role.ADMINISTRATOR


def _service() -> Service:
    return current_service(_role())


def _table_or_404(slug: str) -> ExportTable:
    """A table that this person may take."""
    found = next((table for table in tables_for(_role()) if table.slug == slug), None)
    if found is None:
        _refuse(slug)
    return found


def _refuse(slug: str) -> NoReturn:
    """Asking for a table that is for others is noted, and finds nothing."""
    if any(table.slug == slug for table in EXPORT_TABLES):
        by, now = current_actor(_role(), _service().id), request_time()
        db.session.rollback()
        audit.record_apart("refused", by=by, now=now, detail=f"export {slug}")
    abort(404)


def _wanted() -> Wanted:
    """The filter in the address. One that cannot be read is refused, or more would leave than was asked for."""
    service, programme = _service(), request.args.get("programme", "")
    if programme and programme not in _programme_choices():
        abort(400)
    return Wanted(
        service_id=service.id,
        zone=service.zone,
        from_on=_day("from"),
        until_on=_day("until"),
        programme=programme,
        with_names=request.args.get("names") == YES,
    )


def _day(name: str) -> date | None:
    given = request.args.get(name, "")
    if not given:
        return None
    try:
        day = date.fromisoformat(given)
    except ValueError:
        abort(400)
    if not FIRST_DAY <= day <= LAST_DAY:
        abort(400)
    return day


def _programme_choices() -> dict[str, str]:
    return {programme.slug: programme.title for programme in programmes().values()}


def _filter_form() -> FilterForm:
    form = FilterForm(MultiDict(request.args) if request.args else None)
    form.programme.choices = [
        SelectChoice("", "Every programme"),
        *(SelectChoice(slug, title) for slug, title in _programme_choices().items()),
    ]
    if form.programme.data is None:
        form.programme.data = ""
    return form


def _chosen(form: FilterForm) -> dict[str, str]:
    given = {
        "from": form.from_on.data.isoformat() if form.from_on.data else "",
        "until": form.until_on.data.isoformat() if form.until_on.data else "",
        "programme": form.programme.data or "",
        "names": YES if form.names.data else "",
    }
    return {name: value for name, value in given.items() if value}


def _chosen_words(chosen: dict[str, str], role: Role) -> str:
    """What the files below hold: "All days, every programme, numbers instead of names." """
    start, end = (
        long_day_year(date.fromisoformat(chosen[name])) if name in chosen else ""
        for name in ("from", "until")
    )
    days = (
        " ".join(filter(None, (f"from {start}" if start else "", f"until {end}" if end else "")))
        or "all days"
    )
    parts = [days[0].upper() + days[1:]]
    if role is Role.CLINICIAN:
        parts.append(_programme_choices().get(chosen.get("programme", ""), "every programme"))
        parts.append("with people's names" if "names" in chosen else "numbers instead of names")
    return f"{', '.join(parts)}."


def _address(table: ExportTable, chosen: dict[str, str]) -> str:
    kept = {name: value for name, value in chosen.items() if _fits(table, name)}
    address = url_for("clinician_exports.download", table=table.slug)
    return f"{address}?{urlencode(kept)}" if kept else address


def _fits(table: ExportTable, name: str) -> bool:
    """Whether this part of the filter is about the table at all."""
    if name == "names":
        return table.can_name_people
    return name != "programme" or table.programme is not None
