"""The bridge from the cost of runs to the bill: its steps as rows, UTC months as columns."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from analytics.format.days import month_in_short
from analytics.format.names import capitalized, visible
from analytics.format.numbers import cents, plural
from analytics.report.controls.amounts import cell, cents_to
from analytics.report.writing.tables import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from analytics.report.controls.rows import Step
    from analytics.report.writing.tables import Row

SHOWN_MONTHS = 6
_METERED = "metered"


def table(steps: Sequence[Step], provisional: Collection[date]) -> Table | None:
    """The newest months; the last row is the total."""
    months: defaultdict[date, list[Step]] = defaultdict(list)
    for each in steps:
        months[each.month].append(each)
    if not months:
        return None
    shown = sorted(months, reverse=True)[:SHOWN_MONTHS]
    columns = [_column(months[month]) for month in shown]
    rows: list[Row] = [
        [Cell(capitalized(visible(step.step)), note=visible(step.comment)), *cells]
        for step, *cells in zip(months[shown[0]], *columns, strict=True)
    ]
    return Table(
        "bridge",
        "From the cost of runs to the bill, by month of UTC days, US dollars",
        [
            Column("Step", "name"),
            *(
                Column(month_in_short(each) + (", provisional" if each in provisional else ""))
                for each in shown
            ),
        ],
        rows[:-1],
        rows[-1:],
        is_cards=True,
    )


def earlier(steps: Sequence[Step]) -> str:
    """How many months are in the table of the published file alone; empty if none."""
    count = len({each.month for each in steps}) - SHOWN_MONTHS
    return f"{plural(count, 'earlier month')}: audit.month_bridge." if count > 0 else ""


def _column(steps: Sequence[Step]) -> list[Cell]:
    """The amounts of a month: as printed, too, the steps add up to the subtotal and the total."""
    place = [each.step for each in steps].index(_METERED)
    before, subtotal, after, total = steps[:place], steps[place], steps[place + 1 : -1], steps[-1]
    metered, billed = cents(subtotal.amount_usd), cents(total.amount_usd)
    printed = [
        *cents_to(metered, [each.amount_usd for each in before]),
        metered,
        *cents_to(billed - metered, [each.amount_usd for each in after]),
        billed,
    ]
    return [cell(amount, step.amount_usd) for amount, step in zip(printed, steps, strict=True)]
