"""Cost and bill by provider and by agent, and the workspace's keys of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.format import names
from analytics.format.days import month_in_short
from analytics.format.numbers import UNKNOWN
from analytics.report.writing import bills, state
from analytics.report.writing.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.controls.lines import Lines
    from analytics.report.controls.reads import Months
    from analytics.report.controls.rows import ProviderKey
    from analytics.report.figures.periods import Calendar
    from analytics.report.marts.rows import Bill
    from analytics.report.writing.tables import Row

HEADS = ("Metered by the bill", *bills.HEADS[1:])


def providers(months: Months) -> Table | None:
    """Every month by provider, the newest month and the most expensive provider first."""
    if not months:
        return None
    rows: list[Row] = [
        [f"{month:%Y-%m}", names.display(provider, "no provider"), *bills.row(bill)]
        for month, of in months.items()
        for provider, bill in of.items()
    ]
    every = [bill for of in months.values() for bill in of.values()]
    foot = [[label, "", *cells] for label, *cells in bills.foot("All months", every)]
    return Table(
        "bills-by-provider",
        "The bill by month of UTC days and provider, US dollars",
        [Column("Month", "text"), Column("Provider", "name"), *map(Column, HEADS)],
        rows,
        foot,
        is_cards=True,
    )


def agents(months: Months, calendar: Calendar, lines: Lines) -> Table | None:
    """Bills of this month and the last one by agent, the most expensive first."""
    if not months:
        return None
    shown = (calendar.month_to_date.first, calendar.last_month.first)
    known = [months.get(month, {}) for month in shown]
    ids = sorted({each for of in known for each in of}, key=lambda each: _order(each, known))
    rows: list[Row] = []
    for each in ids:
        cells = [
            cell
            for of in known
            for cell in (bills.row(of[each]) if each in of else bills.UNKNOWN_BILL)
        ]
        rows.append([lines.cell(each), *cells])
    feet = [bills.foot("Total", list(of.values())) for of in known]
    return Table(
        "bills-by-agent",
        "The bill by agent and month of UTC days, US dollars",
        [
            Column("Agent", "name"),
            *(Column(f"{head}, {month_in_short(month)}") for month in shown for head in HEADS),
        ],
        rows,
        bills.beside(feet),
        is_sortable=True,
        is_cards=True,
    )


def keys(found: Sequence[ProviderKey]) -> Table | None:
    """The providers that have a key of the workspace's own, and since when."""
    if not found:
        return None
    return Table(
        "provider-keys",
        "Keys of the workspace's own at model providers, as the API lists them",
        [Column("Provider", "name"), Column("Since", "text"), Column("State", "text")],
        [
            [
                names.display(each.provider, "no provider"),
                state.moment(each.added_at) if each.added_at else UNKNOWN,
                "in use" if each.is_listed else "revoked",
            ]
            for each in found
        ],
    )


def _order(agent_id: str, known: list[dict[str, Bill]]) -> tuple[object, ...]:
    costs = [of[agent_id].cost_usd or 0 if agent_id in of else 0 for of in known]
    return *(-cost for cost in costs), agent_id
