"""The help of `analytics emulator` on runs."""

from __future__ import annotations

import inspect
import re

from analytics.cli.app import emulator
from analytics.emulator.runs import plan


def test_the_help_names_every_mark() -> None:
    """The help lists every mark of a prompt."""
    marks = re.findall(r"^\[\S+\] ", inspect.getdoc(plan), re.MULTILINE)

    assert marks == re.findall(r"^\[\S+\] ", inspect.getdoc(emulator), re.MULTILINE)
    assert len(marks) == 7
