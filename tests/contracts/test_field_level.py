"""What a form does not offer cannot be sent: roles, owners, totals and states come from the server alone."""

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from icbt_support.accounts.models import Account, Membership
from icbt_support.db import db
from icbt_support.enrolments.models import Enrolment
from icbt_support.measures.models import Questionnaire
from icbt_support.messages.models import Message
from icbt_support.patient_groups.models import PatientGroup
from icbt_support.reviews.models import Review, ReviewDraft
from icbt_support.tables import METADATA
from tests.browsing import PageClient
from tests.cast import Cast
from tests.clean_slate import made_once
from tests.contracts.full_house import House, canaries_in, furnish
from tests.contracts.walking import forms_for

ENDS_SOMETHING = (
    "sign-out",
    "disable",
    "end-role",
    "/end",
    "hand-over",
    "/finish",
    "pause",
    "give-role",
    "password",
)
OWNERS = (
    "author_id",
    "written_by",
    "called_by",
    "assessed_by",
    "reported_by",
    "sent_by",
    "changed_by",
    "moved_by",
)


@pytest.fixture
def house(app: Flask, cast: Cast, now: datetime) -> House:
    return made_once("house", lambda: furnish(cast, now))


def extra_fields(house: House) -> dict[str, str]:
    """What somebody would add who has read the tables."""
    kim, lee = house.cast.other_patient.id, house.cast.other_supporter.id
    other = str(house.cast.other_enrolment.id)
    return {
        **{
            name: str(lee)
            for name in (*OWNERS, "supporter_id", "clinician_id", "owner_id", "actor_account_id")
        },
        **{name: str(kim) for name in ("patient_id", "account_id", "recipient_id", "user_id")},
        "enrolment_id": other,
        "enrolment": other,
        "service_id": str(house.cast.elsewhere.id),
        "id": "1",
        "role": "administrator",
        "roles": "administrator",
        "is_admin": "1",
        "total": "27",
        "score": "27",
        "state": "ended",
        "sent_at": "2020-01-01T00:00:00+00:00",
        "read_at": "2020-01-01T00:00:00+00:00",
        "acknowledged_by": str(lee),
        "password_hash": "x",
        "disabled_at": "2020-01-01T00:00:00+00:00",
    }


def who_is_whose() -> list[object]:
    """Rights and belonging: what no form of a patient, a supporter or a clinician here may move."""
    db.session.rollback()
    columns = (
        Enrolment.id,
        Enrolment.patient_id,
        Enrolment.supporter_id,
        Enrolment.clinician_id,
        Enrolment.service_id,
    )
    held = select(Membership.account_id, Membership.service_id, Membership.role, Membership.ended_at)
    return [
        db.session.execute(select(*columns).order_by(Enrolment.id)).all(),
        db.session.execute(held.order_by(Membership.id)).all(),
    ]


def rows_elsewhere(house: House) -> list[tuple[str, str]]:
    """Every row of Kim, as text."""
    db.session.rollback()
    own, kim = house.cast.other_enrolment.id, house.cast.other_patient.id
    found = []
    for table in METADATA.sorted_tables:
        if table.name in ("audit_lines", "sign_ins"):
            continue
        for name, value in (("enrolment_id", own), ("account_id", kim), ("recipient_id", kim)):
            if name in table.c:
                rows = db.session.execute(
                    select(table).where(table.c[name] == value).order_by(*table.primary_key)
                )
                found += [(table.name, repr(row)) for row in rows]
    return found


def owners() -> set[tuple[str, int, str, int]]:
    """(table, id, column, account) of every row that names who made it."""
    db.session.rollback()
    return {
        (table.name, row_id, name, account_id)
        for table in METADATA.sorted_tables
        for name in OWNERS
        if name in table.c
        for row_id, account_id in db.session.execute(
            select(table.c.id, table.c[name]).where(table.c[name].is_not(None))
        )
    }


@pytest.mark.parametrize("who", ["alex", "pat", "jo"])
def test_extra_fields_change_nothing_for_anybody_else(app: Flask, house: House, who: str) -> None:
    account = house.people[who]
    browser = PageClient(app).sign_in(account)
    forms = forms_for(app, account, browser)
    rights, elsewhere, made = who_is_whose(), rows_elsewhere(house), owners()
    token, taken = browser.token(), 0
    for form in forms.values():
        if any(word in form.action for word in ENDS_SOMETHING):
            continue
        values = {
            name: value or ("a few words" if name in form.typed else "")
            for name, value in form.values.items()
        }
        extra = {name: value for name, value in extra_fields(house).items() if name not in form.values}
        response = browser.http.post(form.action, data={**extra, **values, "csrf_token": token})
        assert response.status_code < 500, form.action
        taken += response.status_code == 302
    assert taken >= 3
    assert who_is_whose() == rights
    assert rows_elsewhere(house) == elsewhere
    assert {account_id for *_, account_id in owners() - made} <= {account.id}


LEAVES_AN_ACCOUNT = ("/admin/people/invite",)


def test_an_administrators_forms_move_nobody_and_reach_no_other_service(app: Flask, house: House) -> None:
    """Forms about people and roles are left out: giving a role is what they are for."""
    account = house.people["toni"]
    browser = PageClient(app).sign_in(account)
    forms = forms_for(app, account, browser)
    rights, elsewhere = who_is_whose(), rows_elsewhere(house)
    other_service = rows_of_service(house.cast.elsewhere.id)
    token, taken = browser.token(), 0
    for form in forms.values():
        if any(word in form.action for word in (*ENDS_SOMETHING, *LEAVES_AN_ACCOUNT)):
            continue
        values = {
            name: value or ("a few words" if name in form.typed else "")
            for name, value in form.values.items()
        }
        extra = {name: value for name, value in extra_fields(house).items() if name not in form.values}
        response = browser.http.post(form.action, data={**extra, **values, "csrf_token": token})
        assert response.status_code < 500, form.action
        taken += response.status_code in (302, 303)
    assert taken >= 3
    assert who_is_whose() == rights
    assert rows_elsewhere(house) == elsewhere
    assert rows_of_service(house.cast.elsewhere.id) == other_service


def rows_of_service(service_id: int) -> list[tuple[str, str]]:
    """Every row that names this service, as text."""
    db.session.rollback()
    return [
        (table.name, repr(row))
        for table in METADATA.sorted_tables
        if "service_id" in table.c and table.name not in ("audit_lines", "sign_ins")
        for row in db.session.execute(
            select(table).where(table.c.service_id == service_id).order_by(*table.primary_key)
        )
    ]


def test_a_total_and_an_author_from_outside_are_ignored(app: Flask, house: House) -> None:
    browser = PageClient(app).sign_in(house.people["alex"])
    browser.get("/messages")
    extra = extra_fields(house)
    browser.post("/messages", {**extra, "words": "Mine alone", "posted_key": "b" * 24, "kind": "message"})
    browser.get("/check-in/phq-9/1")
    browser.post("/check-in/phq-9/1", {**extra, "answer": "2"})
    message = next(one for one in db.session.scalars(select(Message)) if one.words == "Mine alone")
    assert (message.author_id, message.enrolment_id) == (house.cast.patient.id, house.cast.enrolment.id)
    assert message.read_at is None
    asked = db.session.scalars(select(Questionnaire).where(Questionnaire.week_number == 2)).all()
    assert asked
    assert {one.total for one in asked} == {None}
    assert {one.enrolment_id for one in asked} == {house.cast.enrolment.id}


def test_a_supporters_form_gives_no_role(app: Flask, house: House) -> None:
    """The administrator's own addresses do not answer to anybody else, whatever is posted."""
    before = who_is_whose()
    for who in ("alex", "pat", "jo", "vendor"):
        browser = PageClient(app).sign_in(house.people[who])
        for path in (f"/admin/people/{house.people[who].id}/give-role", "/admin/people/invite"):
            assert browser.post(path, {"role": "administrator", "email": "x@example.net"}).status_code == 404
    assert who_is_whose() == before


def test_an_administrators_forms_about_people_touch_the_person_on_the_page_alone(
    app: Flask, house: House
) -> None:
    """The role and the address are what the form offers; the service, the person and all else are not."""
    cast, browser = house.cast, PageClient(app).sign_in(house.people["toni"])
    colleague, extra = f"/admin/people/{cast.colleague.id}", extra_fields(house)
    held, people = roles_held(), accounts()
    browser.post(f"{colleague}/give-role", {**extra, "role": "clinician"})
    assert roles_held() - held == {(cast.colleague.id, cast.service.id, "clinician")}
    browser.post(f"{colleague}/end-role", {**extra, "role": "clinician"})
    assert roles_held() == held
    invited = {"email": "new@example.net", "full_name": "New Person", "called": "New", "role": "supporter"}
    browser.post("/admin/people/invite", {**extra, **invited})
    [(number, *_)] = accounts() - people
    assert accounts() - people == {(number, "new@example.net", None, None)}
    assert roles_held() - held == {(number, cast.service.id, "supporter")}
    browser.post(f"/admin/people/{number}/disable", extra)
    assert {one[0] for one in accounts() - people if one[-1] is not None} == {number}
    assert people <= accounts()


def roles_held() -> set[tuple[int, int, str]]:
    db.session.rollback()
    rows = db.session.execute(
        select(Membership.account_id, Membership.service_id, Membership.role).where(
            Membership.ended_at.is_(None)
        )
    )
    return {(account_id, service_id, role.value) for account_id, service_id, role in rows}


def accounts() -> set[tuple[object, ...]]:
    db.session.rollback()
    rows = db.session.execute(select(Account.id, Account.email, Account.password_hash, Account.disabled_at))
    return {tuple(row) for row in rows}


# What another service has is no choice -----------------------------------------------------------------------


def posts_that_choose_elsewhere(house: House) -> list[tuple[str, str, dict[str, str]]]:
    """(who, address, form): each takes a person or a row of Southfield where one of Northfield is asked for."""
    cast = house.cast
    alex, lee, max_ = cast.enrolment.id, str(cast.other_supporter.id), str(cast.other_clinician.id)
    review, theirs = highest(Review, house.cast.enrolment.id), highest(Review, cast.other_enrolment.id)
    group = db.session.scalars(
        select(PatientGroup.id).where(PatientGroup.service_id == cast.elsewhere.id)
    ).first()
    invited = {
        "full_name": "New Person",
        "called": "New",
        "email": "new@example.net",
        "phone": "01632 960555",
        "voicemail": "no",
        "programme": "low-mood",
        "supporter": lee,
    }
    hours = {"weekdays": "6", "starts": "09:00", "ends": "17:00", "position": "3", "clinician": max_}
    return [
        ("jo", "/clinical/invite", invited),
        ("jo", f"/clinical/patients/{alex}/decide/hand-over", {"to_supporter": lee}),
        ("jo", f"/clinical/reviews/{review}/decide/writer", {"writer": lee}),
        ("jo", f"/clinical/team/{cast.supporter.id}/hand-over", {"everyone": lee}),
        ("jo", f"/clinical/team/{cast.supporter.id}/hand-over", {f"patient_{alex}": lee}),
        ("jo", f"/clinical/patients/{alex}/group", {"group": str(group)}),
        ("jo", "/clinical/contacts", {"contacts": f"review_sent-{theirs}", "decision": "confirm"}),
        ("jo", f"/clinical/patients/{alex}/contacts", {"contacts": f"review_sent-{theirs}", "decision": "confirm"}),
        ("toni", "/admin/duty", hours),
        ("toni", "/admin/leads", {"implementation_lead": lee, "clinical_champion": max_, "vendor_contact": ""}),
        ("toni", "/admin/feedback/1/triage", {"owner": max_, "goes_to": "here"}),
        ("pat", "/supporting/hours/absence/2026-12-01/2026-12-03", {"cover": lee}),
    ]  # fmt: skip


def highest(model: type[Review], enrolment_id: int) -> int:
    return db.session.scalar(select(func.max(model.id)).where(model.enrolment_id == enrolment_id)) or 0


def everything() -> list[tuple[str, str]]:
    """Every row of the product but the trace of who did what."""
    db.session.rollback()
    return [
        (table.name, repr(row))
        for table in METADATA.sorted_tables
        if table.name not in ("audit_lines", "sign_ins")
        for row in db.session.execute(select(table).order_by(*table.primary_key))
    ]


def test_people_and_rows_of_another_service_cannot_be_chosen(app: Flask, house: House) -> None:
    posts = posts_that_choose_elsewhere(house)
    browsers = {who: PageClient(app).sign_in(house.people[who]) for who in ("jo", "toni", "pat")}
    tokens, before = {who: browser.token() for who, browser in browsers.items()}, everything()
    for who, address, form in posts:
        response = browsers[who].http.post(address, data={**form, "csrf_token": tokens[who]})
        assert response.status_code < 500, address
        assert (address, everything() == before) == (address, True)


def test_words_of_another_service_cannot_be_put_into_a_letter(app: Flask, house: House) -> None:
    """Somebody else's phrase, kept words, message, entry or item: asked for by number, and left out."""
    review = highest(Review, house.cast.enrolment.id)
    browser = PageClient(app).sign_in(house.people["pat"])
    token, found = browser.token(), set()
    for table, button, words in (
        ("phrases", "phrase", "{}"),
        ("kept_texts", "kept", "{}"),
        ("messages", "quote", "message:{}"),
        ("entries", "quote", "entry:{}"),
        ("plan_items", "quote", "item:{}"),
    ):
        for number in db.session.scalars(select(METADATA.tables[table].c.id)).all():
            data = {
                "csrf_token": token,
                "version": str(draft_of(review).version),
                button: words.format(number),
            }
            assert browser.http.post(f"/supporting/reviews/{review}", data=data).status_code == 302
            found |= canaries_in(str(draft_of(review).content))
    assert {owner for owner, _ in found} == {"alex"}
    assert {place for _, place in found}.isdisjoint({"privateentry", "exercise"})
    assert {("alex", place) for place in ("phrase", "message", "sharedentry", "itemwords")} <= found


def draft_of(review_id: int) -> ReviewDraft:
    db.session.rollback()
    return db.session.scalars(select(ReviewDraft).where(ReviewDraft.review_id == review_id)).one()
