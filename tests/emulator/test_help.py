"""What `analytics emulator --help` says of the runs that the emulator runs."""

from __future__ import annotations

import inspect

import pytest

from analytics.cli.app import emulator
from analytics.emulator.plan import MARKS


@pytest.mark.parametrize("mark", MARKS)
def test_the_help_names_every_mark(mark: str) -> None:
    """Whatever steers a run is told where people look."""
    assert f"{mark} " in inspect.getdoc(emulator)
