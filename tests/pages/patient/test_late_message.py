"""A message that nobody has read in time: the patient's page says so, until somebody has read it."""

from datetime import datetime, timedelta

from icbt_support.accounts.models import Role
from icbt_support.audit import Actor, ActorKind
from icbt_support.db import db
from icbt_support.messages.models import MessageKind
from icbt_support.messages.operations import mark_thread_read, post_message, tell_of_late_messages
from tests.browsing import PageClient
from tests.cast import Cast

TOLD = "Not read yet. That is on us: we have asked the team to read it"


def test_the_page_says_that_it_is_on_us_until_somebody_has_read_it(
    client: PageClient, cast: Cast, now: datetime
) -> None:
    patient = Actor(ActorKind.PERSON, cast.patient.id, Role.PATIENT)
    post_message(cast.enrolment, "Hello", kind=MessageKind.MESSAGE, posted_key="k", by=patient, now=now)
    db.session.commit()
    client.sign_in(cast.patient)
    assert TOLD not in client.get("/messages").get_data(as_text=True)
    later = now + timedelta(days=5)
    tell_of_late_messages(by=Actor.system("messages"), now=later)
    db.session.commit()
    assert TOLD in client.get("/messages").get_data(as_text=True)
    supporter = Actor(ActorKind.PERSON, cast.supporter.id, Role.SUPPORTER)
    mark_thread_read(cast.enrolment, by=supporter, now=later)
    db.session.commit()
    assert TOLD not in client.get("/messages").get_data(as_text=True)
