from __future__ import annotations

from collections.abc import Iterator

import pytest

from analytics.alerts.sender import Sender
from tests.alerts.webhook import Webhook, webhook


@pytest.fixture
def hook() -> Iterator[Webhook]:
    """A webhook that takes every message."""
    with webhook() as served:
        yield served


@pytest.fixture(scope="module")
def sender() -> Iterator[Sender]:
    """One process for all tests of a module."""
    with Sender({}) as started:
        yield started
