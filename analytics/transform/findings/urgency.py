"""Urgency of findings, in the words that pages, terminal, messages and SQL show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ACT_NOW, LOSING_MONEY, FOR_INFORMATION = "act now", "losing money", "for information"

URGENCIES = (ACT_NOW, LOSING_MONEY, FOR_INFORMATION)
"""The words of urgency, the most urgent first."""

_WHILE_IT_LASTS = {
    "data": ACT_NOW,
    "budget usd": ACT_NOW,  # exceeded
    "budget usd_expected": LOSING_MONEY,
    "failure_burst": ACT_NOW,
    "version_worse": ACT_NOW,
    "price_step": LOSING_MONEY,
    "cost_jump": LOSING_MONEY,
    "idle_runs": LOSING_MONEY,
    "repeated_errors": LOSING_MONEY,
    "silent_agent": FOR_INFORMATION,
    "new_agent": FOR_INFORMATION,
    "unlisted": FOR_INFORMATION,
}
"""By kind, or by kind and unit."""


def urgency(row: Mapping[str, Any]) -> str:
    """Return the urgency of a finding in words."""
    if row["until"] or is_small(row):
        return FOR_INFORMATION
    kind = row["kind"]
    return _WHILE_IT_LASTS.get(f"{kind} {row['unit']}") or _WHILE_IT_LASTS[kind]


def is_small(row: Mapping[str, Any]) -> bool:
    """Return True if amounts of two sources differ by less than a dollar."""
    return row["kind"] == "data" and row["cost_usd"] is not None and row["cost_usd"] < 1
