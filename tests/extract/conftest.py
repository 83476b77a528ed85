from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.batches import short_lists


@pytest.fixture
def few_listed() -> Iterator[None]:
    """The API lists few runs."""
    with short_lists():
        yield
