"""Bills as cells: across a row they add up, down a column a line does.

Cost and bill are each rounded by itself, as on every page and on an invoice; surcharge and own-key
cost are rounded so that they lead from one to the other.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from analytics.format.numbers import CENT, UNKNOWN, cents, usd, usd_exact, usd_in_cents
from analytics.report.figures.facts import known_sum
from analytics.report.marts.rows import Bill
from analytics.report.writing.tables import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.report.writing.tables import Row

HEADS = ("Cost", "Surcharge", "Own-key cost", "Billed")
UNKNOWN_BILL = [Cell(UNKNOWN, "")] * len(HEADS)

Amount: TypeAlias = tuple[Decimal, Decimal] | None
"""An amount in printed cents, and exact."""


def row(bill: Bill) -> list[Cell]:
    """Cost + surcharge - own-key cost = billed."""
    return [cell(each) for each in _printed(bill)]


def foot(label: str, lines: Sequence[Bill]) -> list[Row]:
    """The total of several bills, below what their rounding misses of it."""
    return foot_of(label, [_printed(each) for each in lines], _printed(_added(lines)), ())


def beside(feet: list[list[Row]]) -> list[Row]:
    """The feet of several months in one: a line "Rounding" if any has one, and the total."""
    rows: list[Row] = []
    if any(len(each) > 1 for each in feet):
        empty = [""] * (1 + len(HEADS))
        rounding = [each[0] if len(each) > 1 else empty for each in feet]
        rows.append(["Rounding", *(part for each in rounding for part in list(each)[1:])])
    return [*rows, ["Total", *(part for each in feet for part in list(each[-1])[1:])]]


def foot_of(
    label: str, lines: list[list[Amount]], totals: list[Amount], more: tuple[str, ...]
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
    return [*rows, [label, *(cell(each) for each in totals), *more]]


def cell(amount: Amount) -> Cell:
    """An amount as it is printed."""
    return Cell(usd_in_cents(*amount), usd_exact(amount[1])) if amount else Cell(UNKNOWN, "")


def _printed(bill: Bill) -> list[Amount]:
    amounts = (bill.cost_usd, bill.surcharge_usd, bill.own_key_usd, bill.billed_usd)
    cost, surcharge, own_key, billed = map(_alone, amounts)
    if not (cost and surcharge and own_key and billed):
        return [cost, surcharge, own_key, billed]
    more, less = surcharge[0], own_key[0]
    left = billed[0] - cost[0] - more + less
    while left:  # each stays within a cent: what was rounded the other way takes it
        step = CENT.copy_sign(left)
        if (surcharge[1] - more) * step > 0:
            more += step
        else:
            less -= step
        left -= step
    return [cost, (more, surcharge[1]), (less, own_key[1]), billed]


def _alone(amount: Decimal | None) -> Amount:
    return None if amount is None else (cents(amount), amount)


def _added(bills: Iterable[Bill]) -> Bill:
    bills = list(bills)
    return Bill(
        *(
            known_sum(getattr(each, name) for each in bills)
            for name in ("cost_usd", "surcharge_usd", "own_key_usd", "billed_usd")
        )
    )
