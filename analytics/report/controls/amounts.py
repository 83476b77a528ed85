"""Amounts of the reconciliation as cells: across a row and down a column they add up."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from analytics.format.numbers import (
    UNKNOWN,
    cents,
    cents_together,
    usd,
    usd_exact,
    usd_in_cents,
)
from analytics.report.controls.rows import added
from analytics.report.writing.tables import Cell, Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.controls.rows import Explained
    from analytics.report.writing.tables import Row

PARTS = (
    "Listed runs",
    "Open runs",
    "Platform",
    "Unlisted runs",
    "Timing difference",
    "Unexplained",
)
EXPLAINED = [Column(head) for head in ("Metered", *PARTS, "Billed")]

_CENT = Decimal("0.01")


def explained(amounts: Explained) -> list[Cell]:
    """Metered cost, its parts, and the bill."""
    return [cell(*each) for each in _printed(amounts)]


def explained_foot(label: str, lines: Sequence[Explained], *more: str) -> list[Row]:
    """The total of several lines, below the rounding difference of the printed ones."""
    totals = _printed(added(lines))
    columns = zip(*map(_printed, lines), strict=True)
    missed = [
        total[0] - sum((line[0] for line in column), Decimal(0))
        for total, column in zip(totals, columns, strict=True)
    ]
    rows: list[Row] = []
    if any(missed):
        rows.append(
            ["Rounding", *(usd(each) if each else "" for each in missed), *("" for _ in more)]
        )
    return [*rows, [label, *(cell(*each) for each in totals), *more]]


def cell(printed: Decimal, exact: Decimal | None) -> Cell:
    """An amount in whole cents, with the exact one behind it."""
    return (
        Cell(UNKNOWN, "") if exact is None else Cell(usd_in_cents(printed, exact), usd_exact(exact))
    )


def cents_to(total: Decimal, parts: Sequence[Decimal]) -> list[Decimal]:
    """The parts in whole cents that add up to `total`, to which the exact ones are rounded.

    A part that is zero stays so.
    """
    rounded = [part.quantize(_CENT, ROUND_FLOOR) for part in parts]
    left = int((total - sum(rounded, Decimal(0))) / _CENT)
    lost_most = sorted(
        (index for index, part in enumerate(parts) if part),
        key=lambda index: rounded[index] - parts[index],
    )
    if left < 0:
        lost_most.reverse()
    for index in lost_most[: abs(left)]:
        rounded[index] += _CENT.copy_sign(left)
    return rounded


def _printed(amounts: Explained) -> list[tuple[Decimal, Decimal | None]]:
    parts = cents_together(amounts.parts)
    billed = amounts.billed_usd
    return [
        (sum(parts, Decimal(0)), amounts.metered_usd),
        *zip(parts, amounts.parts, strict=True),
        (cents(billed or Decimal(0)), billed),
    ]
