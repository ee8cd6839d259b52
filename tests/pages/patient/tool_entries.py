"""Entries of a tool as the tests make and read them."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from icbt_support.audit import Actor, ActorKind
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.journal.models import Entry
from icbt_support.journal.operations import save_entry
from tests.browsing import PageClient


def text(response: Any) -> str:
    return response.get_data(as_text=True)


def the_entry() -> Entry:
    db.session.rollback()
    return db.session.scalars(select(Entry)).one()


def entry_count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Entry)) or 0


def post_form(patient: PageClient, path: str, values: dict[str, str], **kwargs: Any) -> Any:
    """Opens the page, then posts its hidden fields with `values`, like a person does."""
    patient.get(path)
    hidden = {name: patient.page.fields.get(name, "") for name in ("posted_key", "version")}
    return patient.post(path, {**hidden, **values}, **kwargs)


def save_for(enrolment: Enrolment, now: datetime, *, is_shared: bool = True, **fields: Any) -> Entry:
    entry = save_entry(
        enrolment,
        "mood-diary",
        fields or {"mood": 2, "doing": "Walked past the canal"},
        is_shared=is_shared,
        posted_key="written-before",
        by=Actor(ActorKind.PERSON, enrolment.patient_id, "patient", enrolment.service_id),
        now=now,
    )
    db.session.commit()
    return entry
