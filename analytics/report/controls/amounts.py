"""Amounts of the reconciliation as cells: across a row they add up, down a column a line does."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.report.controls.rows import added
from analytics.report.writing.numbers import UNKNOWN, cents_together, usd, usd_exact, usd_in_cents
from analytics.report.writing.tables import Cell, Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.controls.rows import Bill, Explained
    from analytics.report.writing.tables import Row

PARTS = ("Listed runs", "Open runs", "Platform", "Hidden runs", "Edge of day", "Not explained")
BILL = ("Billed", "Not billed")
EXPLAINED = [Column(head) for head in ("Metered", *PARTS, *BILL)]
_UNKNOWN = Cell(UNKNOWN, "")

_Amount = tuple[Decimal, Decimal] | None
"""An amount in printed cents, and exact."""


def explained(amounts: Explained) -> list[Cell]:
    """What was metered, its parts, and what was billed of it."""
    return [_cell(each) for each in _explained(amounts)]


def explained_foot(label: str, lines: Sequence[Explained], *more: str) -> list[Row]:
    """The total of several lines, below what their rounding misses of it."""
    printed = [_explained(each) for each in lines]
    return _foot(label, printed, _explained(added(lines)), more)


def bill(amounts: Bill) -> list[Cell]:
    """Metered cost, billed, and not billed."""
    return [_cell(each) for each in _bill(amounts.cost_usd, amounts)]


def bill_foot(label: str, lines: Sequence[Bill], total: Bill) -> list[Row]:
    """The total of several bills, below what their rounding misses of it."""
    printed = [_bill(each.cost_usd, each) for each in lines]
    return _foot(label, printed, _bill(total.cost_usd, total), ())


def _explained(amounts: Explained) -> list[_Amount]:
    cents = cents_together(amounts.parts)
    metered = (sum(cents, Decimal(0)), amounts.metered_usd)
    return [metered, *zip(cents, amounts.parts, strict=True), *_bill(None, amounts)[1:]]


def _bill(cost_usd: Decimal | None, amounts: Bill | Explained) -> list[_Amount]:
    if amounts.billed_usd is None or amounts.not_billed_usd is None:
        cost = cents_together([] if cost_usd is None else [cost_usd])
        return [(cost[0], cost_usd) if cost_usd is not None else None, None, None]
    exact = [amounts.billed_usd, amounts.not_billed_usd]
    cents = cents_together(exact)
    return [(sum(cents, Decimal(0)), sum(exact, Decimal(0))), *zip(cents, exact, strict=True)]


def _foot(
    label: str, lines: list[list[_Amount]], totals: list[_Amount], more: tuple[str, ...]
) -> list[Row]:
    """A line "Rounding" where there is need of one, and the total."""
    missed = [
        total[0] - sum((line[index][0] for line in lines if line[index]), Decimal(0))  # type: ignore[index]
        if total
        else Decimal(0)
        for index, total in enumerate(totals)
    ]
    rows: list[Row] = []
    if any(missed):
        rows.append(
            ["Rounding", *(usd(each) if each else "" for each in missed), *[""] * len(more)]
        )
    return [*rows, [label, *(_cell(each) for each in totals), *more]]


def _cell(amount: _Amount) -> Cell:
    return Cell(usd_in_cents(*amount), usd_exact(amount[1])) if amount else _UNKNOWN
