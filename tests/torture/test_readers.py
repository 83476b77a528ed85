"""Readers at any time see one whole batch, and never an error."""

from __future__ import annotations

import pytest

from tests.torture.lab import Lab, Tally
from tests.torture.reading import read_through


@pytest.mark.torture
def test_fifty_readers(lab: Lab, tally: Tally) -> None:
    """Fifty readers through ten publications."""
    read_through(lab, tally, 50, 10)
    assert not tally.problems, tally.report
