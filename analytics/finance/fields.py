"""Bounds of the files of `finance/`, and readers of their values.

Each reader returns the value of a field, or raises ValueError with a reason that follows its name.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

from analytics.format import names

LARGEST_FILE = 10_000_000
"""Size of a file, in bytes."""

NOT_NAMES = (names.NONE, names.NOT_ALLOCATED)
"""Lines of figures that no owner and no cost center may be called like."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MONTH = re.compile(r"\d{4}-\d\d(-01)?")
_AMOUNT = re.compile(r"[+-]?\d{1,28}(\.\d{1,10})?")
_COUNT = re.compile(r"[+-]?\d{1,18}")
_LONGEST_TEXT = 100
_SHOWN = 40


def read_day(field: str) -> date:
    """Return a field as a day."""
    try:
        if _DAY.fullmatch(text := field.strip()):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise _wrong(field, "no day: write it like 2026-11-30")


def read_month(field: str) -> date:
    """Return a field as the first day of a month."""
    try:
        if _MONTH.fullmatch(text := field.strip()):
            return date.fromisoformat(f"{text[:7]}-01")
    except ValueError:
        pass
    raise _wrong(field, "no month: write it like 2026-11")


def read_amount(field: str) -> Decimal:
    """Return a field as an exact amount."""
    if not _AMOUNT.fullmatch(text := field.strip()):
        raise _wrong(field, "no amount: write it like 1234.56, with at most ten decimals")
    return Decimal(text)


def read_count(field: str) -> int:
    """Return a field as a whole number."""
    if not _COUNT.fullmatch(text := field.strip()):
        raise _wrong(field, "no whole number")
    return int(text)


def read_name(field: str) -> str:
    """Return a field as a text that can be shown and compared; it is empty if the field is."""
    value = unicodedata.normalize("NFC", field.strip())
    if names.visible(value) != value:
        raise ValueError(f"`{shown(value)}` holds an invisible character")
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"is longer than {_LONGEST_TEXT} characters")
    return value


def shown(value: str) -> str:
    """Return a value as messages quote it: short, and visible."""
    return names.visible(names.shortened(value, _SHOWN))


def _wrong(field: str, reason: str) -> ValueError:
    return ValueError(f"`{shown(field.strip())}` is {reason}")
