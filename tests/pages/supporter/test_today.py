"""*Today*: the sections in order, what it costs, and who may look."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import event, select

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.engagement.caseload import load_people
from icbt_support.engagement.today import build_queue
from icbt_support.enrolments import queries as enrolments
from icbt_support.hours.queries import duty_now
from icbt_support.messages.models import MessageKind
from icbt_support.risk.models import Grade
from icbt_support.risk.operations import raise_concern, raise_stated_risk
from tests.browsing import PageClient
from tests.cast import Cast, enrol, make_person
from tests.conftest import THURSDAY
from tests.pages.supporter.course import actor, start_course, visit, write_as_patient

TODAY = "/supporting/today"


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*args: object) -> None:
        seen.append(str(args[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def add_people(cast: Cast, first: int, count: int) -> None:
    for number in range(first, first + count):
        patient = make_person(f"P{number} Q{number}", Role.PATIENT, cast.service, THURSDAY)
        enrol(patient, cast.supporter, cast.clinician, cast.service, THURSDAY)
    db.session.commit()


def test_a_due_review_stands_with_its_slot_minutes_and_action(cast: Cast, client: PageClient) -> None:
    start_course(cast.enrolment)
    visit(cast.enrolment, at=THURSDAY - timedelta(days=1))
    clock.stop_clock_at(THURSDAY)
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "Due today, in the order of your slots" in html
    assert "1 due" in html
    assert "about 15 minutes" in html
    assert "11am" in html
    assert "First review: check-in not done" in html
    assert "Yesterday 10.05am" in html
    assert "Duty clinician: Dr Jo Field" in html
    assert 'href="tel:01632960017"' in html


def test_an_alert_comes_first_and_alone_is_green(cast: Cast, client: PageClient) -> None:
    start_course(cast.enrolment)
    clock.stop_clock_at(THURSDAY)
    by = actor(cast.clinician, Role.CLINICIAN, cast.service.id)
    raise_concern(cast.enrolment, "Sounded flat", Grade.URGENT, posted_key="one", by=by, now=THURSDAY)
    db.session.commit()
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "1 to read first" in html
    assert "A colleague raised a concern" in html
    assert "Sounded flat" not in html
    assert html.count('class="nhsuk-button nhsuk-button--small"') == 1


def test_what_a_patient_says_about_safety_is_read_first(cast: Cast, client: PageClient) -> None:
    by = actor(cast.patient, Role.PATIENT, cast.service.id)
    raise_stated_risk(cast.enrolment, "words", by=by, now=THURSDAY)
    db.session.commit()
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "Said: I need someone to know I am not safe" in html


def test_questions_and_messages_wait_in_a_section_of_their_own(cast: Cast, client: PageClient) -> None:
    write_as_patient(cast.enrolment, "Is the diary needed?", at=THURSDAY, kind=MessageKind.QUESTION)
    write_as_patient(cast.enrolment, "Canary words", at=THURSDAY, key="key-2")
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "1 question and 1 message not read" in html
    assert "Canary" not in html


def test_an_empty_day(cast: Cast, client: PageClient) -> None:
    start_course(cast.enrolment, slot=datetime(2026, 11, 26, 11, tzinfo=UTC), at=THURSDAY)
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "Nothing left for today." in html
    assert "Next: Thursday 26 November, 1 review." in html
    colleague = client.sign_in(cast.colleague).get(TODAY).get_data(as_text=True)
    assert "Nobody is in your caseload yet" in colleague


def test_nobody_elses_people_are_there(cast: Cast, client: PageClient) -> None:
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "Alex Reed" in html
    assert "Kim Hill" not in html


def test_other_roles_do_not_find_it(cast: Cast, client: PageClient) -> None:
    for account in (cast.patient, cast.clinician, cast.administrator):
        client.sign_in(account)
        assert client.http.get(TODAY).status_code == 404


def test_a_look_at_the_caseload_is_audited(cast: Cast, client: PageClient) -> None:
    client.sign_in(cast.supporter).get(TODAY)
    seen = db.session.scalars(select(AuditLine).where(AuditLine.action == "read_caseload")).one()
    assert seen.actor_account_id == cast.supporter.id


def test_ten_statements_for_two_hundred_people(cast: Cast) -> None:
    def read() -> list[str]:
        db.session.commit()
        db.session.expire_all()
        account, service = cast.supporter, cast.service
        assert account.zone
        assert service.zone
        with statements() as seen:
            people = load_people(enrolments.for_supporter(account, now=THURSDAY))
            build_queue(people, account_id=account.id, now=THURSDAY, zone=account.zone)
            [clinician.clinician_id for clinician in duty_now(service, THURSDAY)]
        return [one for one in seen if one.startswith("SELECT")]

    add_people(cast, 0, 2)
    few = read()
    add_people(cast, 2, 200)
    many = read()
    assert len(many) == len(few)
    assert len(many) <= 10


def test_two_hundred_people_are_shown_in_part_with_a_way_to_the_rest(cast: Cast, client: PageClient) -> None:
    add_people(cast, 0, 12)
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "5 more in your caseload" in html
