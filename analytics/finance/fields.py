"""Bounds and forms that all CSV files of `finance/` share."""

from __future__ import annotations

import re
from datetime import date

LARGEST_FILE = 10_000_000
"""Size of a file, in bytes."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def read_day(field: str) -> date:
    """Return a field as a day; ValueError says that it is none."""
    try:
        if _DAY.fullmatch(text := field.strip()):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("no day: write it like 2026-11-30")
