"""Columns of a dataset, and values that all datasets share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Dataset(StrEnum):
    """Datasets of FOCUS 1.4."""

    cost_and_usage = "cost-and-usage"
    billing_period = "billing-period"
    invoice_detail = "invoice-detail"


class Column(NamedTuple):
    """A column: its name, the SQL expression that it is, and its meaning."""

    name: str
    expression: str
    meaning: str


JSON_COLUMNS = frozenset({"Tags", "SkuPriceDetails", "InvoiceDetailGrain"})
"""Columns that hold a JSON object."""

ISSUER = "'Levain'"
CURRENCY = "'USD'"


def selected(columns: Iterable[Column]) -> str:
    """Return the columns as the select list of a query."""
    return ", ".join(f"{column.expression} as {column.name}" for column in columns)


def day(date: str) -> str:
    """Return SQL for the first instant of a UTC day, in the format of FOCUS."""
    return f"strftime({date}, '%Y-%m-%dT00:00:00Z')"


def instant(moment: str) -> str:
    """Return SQL for an instant to the second, in the format of FOCUS."""
    return f"strftime({moment} at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ')"


def month_after(month: str) -> str:
    """Return SQL for the first day of the month after the one that begins on this day."""
    return f"({month} + interval 1 month)"


def printable(text: str) -> str:
    """Return JSON without unprintable characters, which files escape otherwise than JSON does."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)
