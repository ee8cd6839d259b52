"""Start, take over, release, and the next one: as supporters meet them."""

import re
from datetime import timedelta

from icbt_support import clock
from icbt_support.accounts.models import Role
from icbt_support.db import db
from icbt_support.hours.transitions import record_absence_row
from icbt_support.reviews.claims import claim_on
from icbt_support.reviews.models import Review, ReviewState
from tests.browsing import PageClient
from tests.cast import Cast, enrol, make_person
from tests.conftest import THURSDAY
from tests.pages.supporter.course import actor, draft_text, letter_values, start_course

TODAY = "/supporting/today"


def cover_for_pat(cast: Cast) -> None:
    by = actor(cast.supporter, Role.SUPPORTER, cast.service.id)
    record_absence_row(
        cast.supporter.id,
        service_id=cast.service.id,
        from_on=THURSDAY.date(),
        until_on=THURSDAY.date() + timedelta(days=4),
        cover_id=cast.colleague.id,
        by=by,
        now=THURSDAY,
    )
    db.session.commit()


def test_a_review_is_started_seen_by_a_colleague_and_taken_over_with_its_draft(
    cast: Cast, client: PageClient
) -> None:
    review = start_course(cast.enrolment).review
    place = f"/supporting/reviews/{review.id}"
    cover_for_pat(cast)
    clock.stop_clock_at(THURSDAY)
    pat = client.sign_in(cast.supporter)
    assert "You are writing this" not in pat.get(place).get_data(as_text=True)
    assert claim_on(review.id) is None, "opening the workspace claims nothing"

    opened = pat.post(f"{place}/start").get_data(as_text=True)
    assert "You are writing this, since 10.05am" in opened
    values = letter_values(pat.page.fields if pat.page else {})
    pat.post(place, {**values, "save": "1"})

    chris = PageClient(client.app).sign_in(cast.colleague)
    today = chris.get(TODAY).get_data(as_text=True)
    assert "Pat Lane is writing this, since 10.05am" in today
    assert f'action="{place}/start"' not in today
    html = chris.post(f"{place}/start").get_data(as_text=True)
    assert "Pat Lane is writing this, since 10.05am. You can read it." in html
    assert claim_on(review.id).account_id == cast.supporter.id

    clock.stop_clock_at(THURSDAY + timedelta(minutes=25))
    assert "Take over" in chris.get(TODAY).get_data(as_text=True)
    html = chris.post(f"{place}/start").get_data(as_text=True)
    assert "You are writing this, since 10.30am" in html
    assert "You went for the walk on Sunday" in html
    assert "Chris Moor is writing this" in pat.get(place).get_data(as_text=True)

    chris.post(f"{place}/release")
    assert claim_on(review.id) is None
    assert "You went for the walk on Sunday" in draft_text(review)


def test_nobody_else_starts_or_releases_a_review(cast: Cast, client: PageClient) -> None:
    review = start_course(cast.enrolment).review
    for account in (cast.colleague, cast.other_supporter, cast.patient, cast.clinician):
        somebody = PageClient(client.app).sign_in(account)
        for verb in ("start", "release"):
            assert somebody.post(f"/supporting/reviews/{review.id}/{verb}").status_code == 404
    assert claim_on(review.id) is None


def test_after_sending_the_next_one_starts_at_a_press(cast: Cast, client: PageClient) -> None:
    review = start_course(cast.enrolment).review
    tom = make_person("Tom Baker", Role.PATIENT, cast.service, THURSDAY)
    second = enrol(tom, cast.supporter, cast.clinician, cast.service, THURSDAY)
    following = start_course(second, slot=THURSDAY.replace(hour=10, minute=15)).review
    clock.stop_clock_at(THURSDAY)
    pat = client.sign_in(cast.supporter)
    sent = _send(pat, review)
    assert "Next: Tom Baker, due 10.15am · about 15 minutes" in sent
    assert f'action="/supporting/reviews/{following.id}/start"' in sent
    assert len(re.findall(r'class="nhsuk-button ?"', sent)) == 1
    pat.post(f"/supporting/reviews/{following.id}/start")
    assert claim_on(following.id).account_id == cast.supporter.id

    sent = _send(pat, following)
    assert "Nothing left for today. Next: Thursday 26 November, 2 reviews, the first at 11am." in sent
    assert claim_on(following.id) is None


def _send(client: PageClient, review: Review) -> str:
    place = f"/supporting/reviews/{review.id}"
    client.get(place)
    values = letter_values(client.page.fields if client.page else {})
    if review.enrolment.patient.called == "Tom":
        values["next_review_at"] = values["next_review_at"].replace("11:00", "11:15")
    client.post(place, {**values, "preview": "1"})
    fields = client.page.fields if client.page else {}
    html = client.post(f"{place}/send", {"version": fields["version"]}).get_data(as_text=True)
    db.session.rollback()
    assert db.session.get_one(Review, review.id).state is ReviewState.SENT
    return html
