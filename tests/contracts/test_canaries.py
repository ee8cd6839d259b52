"""Every typed text is a canary; nobody who walks the whole map meets one that is not theirs to read.

Each id from 1 to beyond the last row is tried on every address, so this is the enumeration of ids too: never
an error, and never a word of somebody else's.
"""

from datetime import datetime
from email import message_from_bytes, policy

import pytest
from flask import Flask
from sqlalchemy import func, select

from icbt_support.accounts.models import Account, Role
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.delivery.models import MailboxMail
from icbt_support.enrolments.models import Enrolment
from icbt_support.jobs.runner import tick
from icbt_support.rhythm.handover import hand_over
from tests.browsing import PageClient
from tests.cast import Cast
from tests.clean_slate import made_once
from tests.concepts.rhythm_steps import acting, at
from tests.contracts.full_house import (
    OF_A_SUPPORTER_AND_THEIR_PATIENT,
    OF_ONE_SUPPORTER,
    OF_PATIENTS_ALONE,
    OF_REPORTS,
    OF_SERVICES,
    OF_STAFF_ALONE,
    Canary,
    House,
    canaries_in,
    columns_with_words,
    furnish,
    is_of_a_patient,
    shows_a_patient,
)
from tests.contracts.walking import addresses, all_ids, is_for, rules

CASELOADS = {
    "pat": {"alex"},
    "chris": {"sasha"},
    "lee": {"kim"},
    "jo": {"alex", "sasha"},
    "max": {"kim"},
}
PATIENTS = {"alex", "sasha", "kim"}
SUPPORTERS = {"alex": "pat", "sasha": "chris", "kim": "lee"}
KINDS = {
    **dict.fromkeys(PATIENTS, "patient"),
    **dict.fromkeys(SUPPORTERS.values(), "supporter"),
    "jo": "clinician",
    "max": "clinician",
    "toni": "administrator",
    "vendor": "vendor",
}
AT_SOUTHFIELD = {"kim", "lee", "max"}
SHARED = {"message", "question", "reply", "letter", "step", "why", "sharedentry", "goal"}
IN_THE_RECORD = ("stated", "callnote", "phone", "concern", "facts", "reasons", "group")
EXPECTED = {
    "alex": {
        ("alex", place)
        for place in SHARED | {"privateentry", "exercise", "report", "vendoranswer", "about", "photo"}
    },
    "vendor": {("alex", place) for place in ("reportvendor", "vendornote", "vendoranswer")},
    "toni": {
        ("alex", place)
        for place in ("report", "reportvendor", "reportanswer", "training", "group", "closure")
    },
    "pat": {("alex", place) for place in SHARED | {"note", "draft", "phrase", "about", "pronouns"}},
    "jo": {(owner, place) for owner in ("alex", "sasha") for place in IN_THE_RECORD},
}


@pytest.fixture
def house(app: Flask, cast: Cast, now: datetime) -> House:
    return made_once("house", lambda: furnish(cast, now))


def may_read(who: str, canary: Canary) -> bool:
    owner, place = canary
    if place in OF_REPORTS:
        return may_read_report(who, owner, OF_REPORTS[place])
    if place in OF_SERVICES:
        return is_in_the_same_place(who, owner) and KINDS.get(who) in OF_SERVICES[place]
    if place in OF_ONE_SUPPORTER:
        return who == SUPPORTERS[owner]
    if place in OF_A_SUPPORTER_AND_THEIR_PATIENT:
        return who in (owner, SUPPORTERS[owner])
    if who in PATIENTS:
        return owner == who and place not in OF_STAFF_ALONE
    return owner in CASELOADS.get(who, set()) and place not in OF_PATIENTS_ALONE


def may_read_report(who: str, owner: str, readers: set[str]) -> bool:
    """Reports go to the vendor in the words of triage alone, and to nobody of another service."""
    is_own = KINDS.get(who) != "patient" or who == owner
    return is_in_the_same_place(who, owner) and (
        "everybody" in readers or (KINDS.get(who) in readers and is_own)
    )


def is_in_the_same_place(who: str, owner: str) -> bool:
    return (who in AT_SOUTHFIELD) == (owner == "kim") and who != "nobody"


def walk(app: Flask, account: Account | None) -> tuple[set[tuple[str, Canary]], list[tuple[str, int]]]:
    """(address, canary) of every canary met; and every answer that is an error of the server, or that shows a
    patient to staff without a line in the audit (status 0).
    """
    browser = PageClient(app)
    if account is not None:
        browser.sign_in(account)
    is_watched = account is not None and is_staff(account)
    ids, met, broken = all_ids(), set(), []
    for rule in rules(app, "GET"):
        if not is_for(app, rule, account):
            continue
        for address in addresses(app, rule, ids):
            seen = last_line() if is_watched else 0
            response = browser.http.get(address)
            if response.status_code >= 500 and rule.rule != "/readyz":
                broken.append((address, response.status_code))
            words = response.get_data(as_text=True) + str(response.headers)
            met |= {(rule.rule, canary) for canary in canaries_in(words)}
            if is_watched and shows_a_patient(words) and last_line() == seen:
                broken.append((address, 0))
    return met, broken


def is_staff(account: Account) -> bool:
    return not any(membership.role is Role.PATIENT for membership in account.memberships)


def last_line() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.max(AuditLine.id))) or 0


def test_every_column_for_words_holds_a_canary_of_every_patient(house: House) -> None:
    """A new column either holds somebody's words, and the house has some, or is named as one that holds none."""
    bare = []
    for table, column in columns_with_words():
        words = " ".join(str(value) for value in db.session.scalars(select(column)))
        missing = PATIENTS - {owner for owner, _ in canaries_in(words)}
        if missing:
            bare.append((f"{table.name}.{column.name}", missing))
    assert bare == []


def test_everybody_meets_their_own_canaries_and_nobody_elses(app: Flask, house: House) -> None:
    for who in [*house.people, "nobody"]:
        met, broken = walk(app, house.people.get(who))
        assert (who, broken) == (who, [])
        assert (who, {one for one in met if not may_read(who, one[1])}) == (who, set())
        missed = EXPECTED.get(who, set()) - {canary for _, canary in met}
        assert (who, missed) == (who, set())


def test_after_a_hand_over_the_old_supporter_meets_nothing_and_the_new_one_has_the_draft(
    app: Flask, house: House, now: datetime
) -> None:
    by = acting(house.cast.clinician, Role.CLINICIAN)
    enrolment = db.session.get_one(Enrolment, house.cast.enrolment.id)
    hand_over(enrolment, house.cast.colleague, reason="canary-alex-changereason", by=by, now=now)
    db.session.commit()
    met_by_pat, broken = walk(app, house.people["pat"])
    assert ({one for one in met_by_pat if is_of_a_patient(one[1])}, broken) == (set(), [])
    met_by_chris = {canary for _, canary in walk(app, house.people["chris"])[0]}
    assert {("alex", "draft"), ("alex", "message"), ("alex", "letter")} <= met_by_chris
    assert {canary for canary in met_by_chris if canary[1] in OF_PATIENTS_ALONE} == set()


def test_no_mail_and_no_audit_line_holds_a_canary(app: Flask, house: House) -> None:
    tick(app, at=at(19, 11))
    mails = [
        message_from_bytes(data, policy=policy.default)
        for data in db.session.scalars(select(MailboxMail.data))
    ]
    assert mails
    for mail in mails:
        assert [
            canary
            for part in mail.walk()
            if not part.is_multipart()
            for canary in canaries_in(part.get_content())
        ] == []
        assert canaries_in(str(mail.items())) == set()
    for path in ("/admin/audit", "/admin/jobs", "/dev/mailbox"):
        words = PageClient(app).sign_in(house.cast.administrator).get(path).get_data(as_text=True)
        assert canaries_in(words) == set()
