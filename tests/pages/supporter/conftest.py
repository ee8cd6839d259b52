"""A supporter at work: one review that is due today, and the person who is to write it."""

import pytest

from icbt_support import clock
from tests.browsing import PageClient
from tests.cast import Cast
from tests.conftest import THURSDAY
from tests.pages.supporter.course import Course, start_course


@pytest.fixture
def course(cast: Cast) -> Course:
    started = start_course(cast.enrolment)
    clock.stop_clock_at(THURSDAY)
    return started


@pytest.fixture
def writer(cast: Cast, client: PageClient) -> PageClient:
    return client.sign_in(cast.supporter)
