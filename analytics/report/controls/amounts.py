"""Amounts of the reconciliation as cells: across a row they add up, down a column a line does."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.report.controls.rows import added
from analytics.report.writing import bills
from analytics.report.writing.numbers import cents_together
from analytics.report.writing.tables import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.controls.rows import Explained
    from analytics.report.writing.bills import Amount
    from analytics.report.writing.tables import Cell, Row

PARTS = ("Listed runs", "Open runs", "Platform", "Hidden runs", "Edge of day", "Not explained")
BILL = ("Billed", "Not billed")
EXPLAINED = [Column(head) for head in ("Metered", *PARTS, *BILL)]


def explained(amounts: Explained) -> list[Cell]:
    """What was metered, its parts, and what was billed of it."""
    return [bills.cell(each) for each in _printed(amounts)]


def explained_foot(label: str, lines: Sequence[Explained], *more: str) -> list[Row]:
    """The total of several lines, below what their rounding misses of it."""
    return bills.foot_of(label, [_printed(each) for each in lines], _printed(added(lines)), more)


def _printed(amounts: Explained) -> list[Amount]:
    cents = cents_together(amounts.parts)
    metered = (sum(cents, Decimal(0)), amounts.metered_usd)
    bill = bills.billed(amounts.billed_usd, amounts.not_billed_usd)
    return [metered, *zip(cents, amounts.parts, strict=True), *bill]
