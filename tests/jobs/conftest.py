"""A mail server that listens, and the hands that deliver to it."""

from collections.abc import Iterator

import pytest
from flask import Flask

from icbt_support.jobs.deliver import Deliverer
from tests.jobs.owing import ListeningServer


@pytest.fixture
def server() -> ListeningServer:
    return ListeningServer()


@pytest.fixture
def deliverer(app: Flask, server: ListeningServer) -> Iterator[Deliverer]:
    hands = Deliverer(app.config["SETTINGS"], smtp=server)
    yield hands
    hands.close()
