"""*Today*: the sections in order, what it costs, and who may look."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import event, select

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.audit.models import AuditLine
from icbt_support.db import db
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.hours.transitions import record_absence_row
from icbt_support.messages.models import MessageKind
from icbt_support.risk.models import Grade
from icbt_support.risk.operations import raise_concern, raise_stated_risk
from tests.browsing import PageClient
from tests.cast import Cast, enrol, make_person
from tests.conftest import THURSDAY
from tests.pages.supporter.course import NEXT_THURSDAY, actor, start_course, visit, write_as_patient

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
    assert "about 15 minutes; your slots today hold 240" in html
    assert "11am" in html
    assert "First review: check-in not done" in html
    assert "Due today by 5pm" in html
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
    assert "1 question and 1 message not read since today 10.05am" in html
    assert "Canary" not in html


def test_an_empty_day(cast: Cast, client: PageClient) -> None:
    start_course(cast.enrolment, slot=datetime(2026, 11, 26, 11, tzinfo=UTC), at=THURSDAY)
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "Nothing left for today." in html
    assert "Next: Thursday 26 November, 1 review, at 11am." in html
    colleague = client.sign_in(cast.colleague).get(TODAY).get_data(as_text=True)
    assert "Nobody is in your caseload now" in colleague


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


def test_ten_statements_for_two_hundred_people(cast: Cast, client: PageClient) -> None:
    """Every statement of the page: sign-in, reads, the audit line."""

    def count() -> int:
        client.http.get(TODAY)
        with statements() as seen:
            assert client.http.get(TODAY).status_code == 200
        return len([one for one in seen if not one.startswith("BEGIN")])

    client.sign_in(cast.supporter)
    add_people(cast, 0, 2)
    few = count()
    add_people(cast, 2, 200)
    assert count() == few
    assert few <= 10


def test_two_hundred_people_are_shown_in_part_with_a_way_to_the_rest(cast: Cast, client: PageClient) -> None:
    add_people(cast, 0, 12)
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "5 more in your caseload" in html


def test_a_day_that_holds_more_than_its_slots_says_so_with_a_way_on(cast: Cast, client: PageClient) -> None:
    start_course(cast.enrolment)
    clock.stop_clock_at(THURSDAY.replace(hour=12, minute=50))
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "That is 5 minutes more than is left in your review times today." in html
    assert "Ask for cover or change your hours" in html


def test_calls_that_wait_lead_to_the_contact_sheet(cast: Cast, client: PageClient) -> None:
    start_course(cast.enrolment, slot=NEXT_THURSDAY, at=THURSDAY - timedelta(days=1))
    cast.enrolment.starts_on = THURSDAY.date() - timedelta(days=15)
    cast.enrolment.started_at = THURSDAY - timedelta(days=15)
    db.session.commit()
    clock.stop_clock_at(THURSDAY)
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "1 to call" in html
    assert "Not here for 15 days" in html
    assert f'href="/supporting/patients/{cast.enrolment.id}/contact"' in html


def test_people_under_cover_say_for_whom_and_until_when(cast: Cast, client: PageClient) -> None:
    start_course(cast.enrolment)
    clock.stop_clock_at(THURSDAY)
    by = actor(cast.supporter, Role.SUPPORTER, cast.service.id)
    record_absence_row(
        cast.supporter.id,
        service_id=cast.service.id,
        from_on=THURSDAY.date(),
        until_on=date(2026, 12, 3),
        cover_id=cast.colleague.id,
        by=by,
        now=THURSDAY,
    )
    db.session.commit()
    html = client.sign_in(cast.colleague).get(TODAY).get_data(as_text=True)
    assert "For Pat Lane, until 3 December" in html


def test_somebody_who_left_with_an_open_alert_is_still_read_first(cast: Cast, client: PageClient) -> None:
    by = actor(cast.patient, Role.PATIENT, cast.service.id)
    raise_stated_risk(cast.enrolment, "words", by=by, now=THURSDAY)
    cast.enrolment.state = EnrolmentState.ENDED
    db.session.commit()
    html = client.sign_in(cast.supporter).get(TODAY).get_data(as_text=True)
    assert "1 to read first" in html
    assert "Ended" in html
