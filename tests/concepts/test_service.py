"""Making and changing a service, on both engines."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import select

from icbt_support.audit.models import Actor, AuditLine
from icbt_support.db import db
from icbt_support.service import operations, queries
from icbt_support.service.models import Brand, HelpLineKind, RhythmSettings, Service
from icbt_support.service.rules import HelpLineChoice, ServiceDetails, help_lines_checked_on
from tests.cast import Cast

OPERATOR = Actor.operator("tests")
DETAILS = ServiceDetails(
    name="Eastfield",
    product_name="Thursday course",
    sender_name="Thursday course",
    brand=Brand.NAVY,
    duty_phone="01632 960014",
    contact_words="Weekdays 9am to 5pm.",
    out_of_hours_words="Call 111, option 2.",
    out_of_hours_contact="",
)


@pytest.fixture
def service(app: object, now: datetime) -> Service:
    return operations.create_service("Eastfield", by=OPERATOR, now=now)


def last_line() -> AuditLine:
    return db.session.scalars(select(AuditLine).order_by(AuditLine.id.desc()).limit(1)).one()


def test_a_new_service_has_englands_help_lines_which_nobody_has_checked(service: Service) -> None:
    assert [line.title for line in service.help_lines][:2] == ["Call 999", "Call 111, option 2"]
    assert help_lines_checked_on(service.help_lines) is None
    assert queries.the_only_service() is service


def test_a_name_is_taken_once(service: Service, now: datetime) -> None:
    with pytest.raises(operations.NameTaken):
        operations.create_service("Eastfield", by=OPERATOR, now=now)
    other = operations.create_service("Westfield", by=OPERATOR, now=now)
    with pytest.raises(operations.NameTaken):
        operations.change_service(other, DETAILS, by=OPERATOR, now=now)
    assert queries.the_only_service() is None


def test_changed_names_are_in_the_audit_and_what_was_written_is_not(service: Service, now: datetime) -> None:
    changed = operations.change_service(service, DETAILS, by=OPERATOR, now=now)
    assert "out_of_hours_words" in changed
    assert "name" not in changed
    assert last_line().action == "changed_service"
    assert "option 2" not in last_line().detail
    assert operations.change_service(service, DETAILS, by=OPERATOR, now=now) == []


def test_help_lines_are_replaced_with_the_day_on_which_they_were_tried(
    service: Service, now: datetime
) -> None:
    choices = [
        HelpLineChoice(HelpLineKind.EMERGENCY, "Call 999", "tel:999", "in danger"),
        HelpLineChoice(HelpLineKind.TALK, "Call 0800 1111", "tel:08001111", "free"),
    ]
    operations.set_help_lines(service, choices, checked_on=date(2026, 11, 18), by=OPERATOR, now=now)
    db.session.expire_all()
    assert [(line.position, line.href) for line in service.help_lines] == [
        (1, "tel:999"),
        (2, "tel:08001111"),
    ]
    assert help_lines_checked_on(service.help_lines) == date(2026, 11, 18)


def test_a_help_line_never_runs_a_script(service: Service, now: datetime) -> None:
    bad = HelpLineChoice(HelpLineKind.TALK, "Call", "javascript:alert(1)", "")
    with pytest.raises(operations.NotAHelpLine):
        operations.set_help_lines(service, [bad], checked_on=date(2026, 11, 18), by=OPERATOR, now=now)


def test_numbers_of_the_rhythm_are_kept_with_what_they_were(service: Service, now: datetime) -> None:
    numbers = replace(RhythmSettings(), check_in_opens_days=2)
    operations.change_rhythm(service, numbers, by=OPERATOR, now=now)
    db.session.expire_all()
    assert service.rhythm.check_in_opens_days == 2
    assert service.rhythm.invitation_prompt_days == (2, 6)
    assert last_line().detail == "check_in_opens_days 3 to 2"
    with pytest.raises(operations.NumbersOutOfBounds):
        operations.change_rhythm(service, replace(numbers, review_promised_hour=3), by=OPERATOR, now=now)


def test_services_are_found_by_name_and_number(cast: Cast) -> None:
    assert queries.find_service(cast.service.id) is cast.service
    assert queries.find_service_by_name("Southfield") is cast.elsewhere
    assert queries.find_service_by_name("Nowhere") is None
    assert [service.name for service in queries.all_services()] == ["Northfield", "Southfield"]
