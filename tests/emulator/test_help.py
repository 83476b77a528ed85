"""What `analytics emulator --help` says of the runs that the emulator runs."""

from __future__ import annotations

import inspect
import re

from analytics.cli.app import emulator
from analytics.emulator.runs import plan


def test_the_help_names_every_mark() -> None:
    """Whatever steers a run is told where people look."""
    marks = re.findall(r"^\[\S+\] ", inspect.getdoc(plan), re.MULTILINE)

    assert marks == re.findall(r"^\[\S+\] ", inspect.getdoc(emulator), re.MULTILINE)
    assert len(marks) == 7
