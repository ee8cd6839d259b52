"""From verb to mailbox: a late message, a new supporter, a colleague who covers, an end of a time away."""

from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from flask import Flask
from sqlalchemy import select

from icbt_support import clock
from icbt_support.accounts.models import Account, Wording
from icbt_support.db import db
from icbt_support.delivery.models import MailboxMail
from icbt_support.enrolments.models import EnrolmentState
from icbt_support.jobs.runner import tick
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import mark_thread_read, post_message
from icbt_support.reviews.queries import next_review
from icbt_support.reviews.rules import LAST_REVIEW, PAUSE, MoveReason
from icbt_support.rhythm.absence import CoverBy, record_absence
from icbt_support.rhythm.away import go_away
from icbt_support.rhythm.closing import close_day
from icbt_support.rhythm.handover import hand_over
from icbt_support.rhythm.moving import move_own_review
from icbt_support.rhythm.new_owner import give_review_to, give_review_to_pool, tell_of_cover
from tests.cast import Cast
from tests.concepts.beginnings import acting, as_clinician, as_patient, open_week_1
from tests.concepts.rhythm_steps import letter, send

THURSDAY_AFTER = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


def mails_to(account: Account) -> list[str]:
    """Subject and text of what arrived, oldest first."""
    db.session.rollback()
    address = db.session.get_one(Account, account.id).email
    rows = db.session.scalars(
        select(MailboxMail.data).where(MailboxMail.address == address).order_by(MailboxMail.id)
    )
    found = []
    for data in rows:
        mail = message_from_bytes(data, policy=policy.default)
        plain = mail.get_body(("plain",))
        assert plain is not None
        found.append(f"{mail['Subject']}\n{plain.get_content()}")
    return found


def deliver_at(app: Flask, when: datetime, *names: str) -> dict[str, str]:
    db.session.commit()
    clock.stop_clock_at(when)
    return dict(tick(app, names=[*names, "deliver"]))


def test_a_late_message_reaches_everybody_who_can_help_and_the_patient_discreetly(
    app: Flask, cast: Cast, now: datetime
) -> None:
    post_message(
        cast.enrolment, "Canary", kind=MessageKind.MESSAGE, posted_key="k", by=as_patient(cast), now=now
    )
    did = deliver_at(app, THURSDAY_AFTER, "messages")
    assert did["messages"] == "1 message late, and people told"
    (mail,) = mails_to(cast.patient)
    assert "That is on us, not you" in mail
    assert "Pat" not in mail
    for account in (cast.supporter, cast.colleague):
        assert "A message is late: AR" in mails_to(account)[-1]
        assert "Canary" not in mails_to(account)[-1]
    deliver_at(app, THURSDAY_AFTER + timedelta(hours=1), "messages")
    assert len(mails_to(cast.patient)) == 1


def test_what_was_read_meanwhile_is_not_told(app: Flask, cast: Cast, now: datetime) -> None:
    post_message(
        cast.enrolment, "Hello", kind=MessageKind.MESSAGE, posted_key="k", by=as_patient(cast), now=now
    )
    mark_thread_read(cast.enrolment, by=acting(cast.supporter, "supporter", cast.service.id), now=now)
    deliver_at(app, THURSDAY_AFTER, "messages")
    assert mails_to(cast.patient) == []


def test_a_new_supporter_is_named_to_those_who_chose_detail_only(
    app: Flask, cast: Cast, now: datetime
) -> None:
    hand_over(cast.enrolment, cast.colleague, by=as_clinician(cast), now=now)
    deliver_at(app, now)
    (discreet,) = mails_to(cast.patient)
    assert "Somebody else reads what you share and writes to you from now on" in discreet
    assert "Chris" not in discreet
    assert cast.patient.preferences is not None
    cast.patient.preferences.wording = Wording.WITH_DETAIL
    hand_over(cast.enrolment, cast.supporter, by=as_clinician(cast), now=now + timedelta(hours=1))
    deliver_at(app, now + timedelta(hours=1))
    assert "Pat is your supporter from now on" in mails_to(cast.patient)[-1]


def test_a_covered_review_says_who_writes_and_keeps_its_date(app: Flask, cast: Cast, now: datetime) -> None:
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    assert review is not None
    assert cast.patient.preferences is not None
    cast.patient.preferences.wording = Wording.WITH_DETAIL
    record_absence(
        cast.supporter,
        service=cast.service,
        from_on=date(2026, 11, 25),
        until_on=date(2026, 11, 27),
        cover_id=None,
        choices={review.id: CoverBy(cast.colleague.id)},
        by=acting(cast.supporter, "supporter", cast.service.id),
        now=now,
    )
    deliver_at(app, now)
    mail = mails_to(cast.colleague)[-1]
    assert "A review is yours to write: AR" in mail
    assert "promised for 5pm on Thursday 26 November" in mail
    assert "Chris writes your next review this time" in mails_to(cast.patient)[-1]
    assert "by Thursday 26 November, 5pm" in mails_to(cast.patient)[-1]


def test_a_closed_day_is_told_to_the_patient_and_to_whoever_writes(
    app: Flask, cast: Cast, now: datetime
) -> None:
    open_week_1(cast, now)
    by = acting(cast.administrator, "administrator", cast.service.id)
    close_day(cast.service, date(2026, 11, 26), "Training", by=by, now=now)
    deliver_at(app, now)
    mail = mails_to(cast.supporter)[-1]
    assert mail.startswith("The review for AR has moved\n")
    assert "It is now promised for Thursday 3 December" in mail
    mail = mails_to(cast.patient)[-1]
    assert "Thursday 3 December" in mail


def test_whoever_covers_hears_of_the_days_and_not_of_a_review_that_is_another_persons_by_now(
    app: Flask, cast: Cast, now: datetime
) -> None:
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    assert review is not None
    by = acting(cast.supporter, "supporter", cast.service.id)
    record_absence(
        cast.supporter,
        service=cast.service,
        from_on=date(2026, 11, 25),
        until_on=date(2026, 11, 27),
        cover_id=cast.colleague.id,
        choices={review.id: CoverBy(cast.colleague.id)},
        by=by,
        now=now,
    )
    give_review_to(review, cast.supporter.id, by=by, now=now)
    deliver_at(app, now)
    (mail,) = mails_to(cast.colleague)
    assert mail.startswith("A colleague is away\n")


def test_mails_name_nobody_while_the_pool_holds_a_review(app: Flask, cast: Cast, now: datetime) -> None:
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    assert review is not None
    assert cast.patient.preferences is not None
    cast.patient.preferences.wording = Wording.WITH_DETAIL
    give_review_to(review, cast.colleague.id, by=as_clinician(cast), now=now)
    tell_of_cover(review, now=now)
    give_review_to_pool(review, by=as_clinician(cast), now=now)
    deliver_at(app, now)
    assert mails_to(cast.patient) == [], "the colleague was told to write, and does not any more"
    deliver_at(app, datetime(2026, 11, 25, 18, tzinfo=UTC))
    assert "It is read before the review on Thursday" in mails_to(cast.patient)[-1]
    deliver_at(app, datetime(2026, 11, 26, 17, tzinfo=UTC), "reviews")
    late = mails_to(cast.patient)[-1]
    assert "Your review is not here yet" in late
    assert "By 12pm on Friday we will tell you who writes, and when" in late
    assert not {"Pat", "Chris"} & set(late.replace("'", " ").split())


def test_a_moved_review_says_from_when_to_when_and_why_to_those_who_chose_detail(
    app: Flask, cast: Cast, now: datetime
) -> None:
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    assert review is not None
    by = acting(cast.supporter, "supporter", cast.service.id)
    move_own_review(
        review, datetime(2026, 12, 3, 9, tzinfo=UTC), why=MoveReason.PATIENT_ASKED, by=by, now=now
    )
    deliver_at(app, now)
    (discreet,) = mails_to(cast.patient)
    assert "What we promised you for Thursday 26 November will now be with you" in discreet
    assert "review" not in discreet.lower()
    assert cast.patient.preferences is not None
    cast.patient.preferences.wording = Wording.WITH_DETAIL
    back_at = datetime(2026, 11, 26, 10, tzinfo=UTC)
    move_own_review(review, back_at, why=MoveReason.OTHER_WORK, by=by, now=now + timedelta(hours=1))
    deliver_at(app, now + timedelta(hours=1))
    detail = " ".join(mails_to(cast.patient)[-1].split())
    assert "Your review moves from Thursday 3 December: Pat has other work that day. It will now" in detail
    assert "by Thursday 26 November, 5pm. Pat writes it." in detail


def test_a_clinician_is_led_to_where_a_late_review_is_decided(app: Flask, cast: Cast, now: datetime) -> None:
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    assert review is not None
    deliver_at(app, datetime(2026, 11, 26, 17, tzinfo=UTC), "reviews")
    assert f"/clinical/reviews/{review.id}/decide" in mails_to(cast.clinician)[-1]
    assert f"/supporting/reviews/{review.id}" in mails_to(cast.supporter)[-1]


def test_a_course_that_has_ended_has_no_new_supporter(app: Flask, cast: Cast, now: datetime) -> None:
    hand_over(cast.enrolment, cast.colleague, by=as_clinician(cast), now=now)
    cast.enrolment.state = EnrolmentState.ENDED
    deliver_at(app, now)
    assert mails_to(cast.patient) == []


def test_a_time_away_ends_by_itself(app: Flask, cast: Cast, now: datetime) -> None:
    open_week_1(cast, now)
    go_away(cast.enrolment, date(2026, 11, 24), by=as_patient(cast), now=now)
    assert deliver_at(app, datetime(2026, 11, 24, 12, tzinfo=UTC), "aways")["aways"] == "nothing to do"
    did = deliver_at(app, datetime(2026, 11, 25, 9, tzinfo=UTC), "aways")
    assert did["aways"] == "1 person back from their time away"
    db.session.rollback()
    db.session.expire_all()
    assert cast.enrolment.state is EnrolmentState.ACTIVE


@pytest.mark.parametrize("opens", [PAUSE, LAST_REVIEW])
def test_a_letter_that_opens_no_week_does_not_say_that_one_is_open(
    app: Flask, cast: Cast, now: datetime, opens: str
) -> None:
    open_week_1(cast, now)
    review = next_review(cast.enrolment)
    assert review is not None
    words = letter(
        opens=opens, next_review_at=datetime(2026, 12, 10, 9, tzinfo=UTC), by_on=date(2026, 11, 29)
    )
    send(review, words, by=acting(cast.supporter, "supporter", cast.service.id), now=THURSDAY_AFTER)
    deliver_at(app, THURSDAY_AFTER)
    mail = mails_to(cast.patient)[-1]
    assert mail.startswith("Somebody has written to you\n")
    assert "week" not in mail
