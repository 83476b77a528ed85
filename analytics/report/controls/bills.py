"""Cost, billed and not billed, by provider and by agent, and the workspace's own keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.report.controls import amounts
from analytics.report.controls.rows import Bill
from analytics.report.figures.facts import known_sum
from analytics.report.figures.periods import month_in_short
from analytics.report.writing import names, state
from analytics.report.writing.numbers import UNKNOWN
from analytics.report.writing.tables import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.report.controls.reads import Months
    from analytics.report.controls.rows import ProviderKey
    from analytics.report.figures.periods import Calendar
    from analytics.report.writing.tables import Row

_BILL = ("Cost", "Billed", "Not billed")
_NO_AGENT = "Platform, and usage without an agent"


def providers(months: Months) -> Table | None:
    """Every month by provider, the newest month and the dearest provider first."""
    if not months:
        return None
    rows: list[Row] = [
        [f"{month:%Y-%m}", names.display(provider, "no provider"), *amounts.bill(bill)]
        for month, bills in months.items()
        for provider, bill in bills.items()
    ]
    every = [bill for bills in months.values() for bill in bills.values()]
    foot = [
        [label, "", *cells] for label, *cells in amounts.bill_foot("Total", every, _added(every))
    ]
    return Table(
        "bills-by-provider",
        "Metered cost, billed, and cost less billed, by month of UTC days and provider, US dollars",
        [Column("Month", "text"), Column("Provider", "name"), *map(Column, _BILL)],
        rows,
        foot,
        is_cards=True,
    )


def agents(months: Months, calendar: Calendar, links: dict[str | None, Cell]) -> Table | None:
    """The last full month and this one by agent, the dearest first."""
    if not months:
        return None
    shown = (calendar.month_to_date.first, calendar.last_month.first)
    known = [months.get(month, {}) for month in shown]
    ids = sorted({each for bills in known for each in bills}, key=lambda each: _order(each, known))
    rows: list[Row] = []
    for each in ids:
        cells = [
            cell
            for bills in known
            for cell in (amounts.bill(bills[each]) if each in bills else [Cell(UNKNOWN, "")] * 3)
        ]
        rows.append([_agent(each, links), *cells])
    feet = [
        amounts.bill_foot("Total", list(each.values()), _added(each.values())) for each in known
    ]
    return Table(
        "bills-by-agent",
        "Metered cost, billed, and cost less billed, by agent, US dollars, days in UTC",
        [
            Column("Agent", "name"),
            *(Column(f"{head}, {month_in_short(month)}") for month in shown for head in _BILL),
        ],
        rows,
        _beside(feet),
        is_sortable=True,
        is_cards=True,
    )


def keys(found: Sequence[ProviderKey]) -> Table | None:
    """Which providers have a key of the workspace's own, and since when."""
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


def _agent(agent_id: str | None, links: dict[str | None, Cell]) -> Cell | str:
    if agent_id is None:
        return _NO_AGENT
    return links.get(agent_id, names.display(agent_id))


def _order(agent_id: str | None, known: list[dict[str | None, Bill]]) -> tuple[object, ...]:
    costs = [bills[agent_id].cost_usd or 0 if agent_id in bills else 0 for bills in known]
    return *(-cost for cost in costs), agent_id or ""


def _added(bills: Iterable[Bill]) -> Bill:
    bills = list(bills)
    billed = known_sum(each.billed_usd for each in bills)
    not_billed = known_sum(each.not_billed_usd for each in bills)
    return Bill(known_sum(each.cost_usd for each in bills), billed, not_billed)


def _beside(feet: list[list[Row]]) -> list[Row]:
    """The feet of two months in one: a line "Rounding" if either has one, and the total."""
    rows: list[Row] = []
    if any(len(foot) > 1 for foot in feet):
        empty = ["", "", "", ""]
        rounding = [foot[0] if len(foot) > 1 else empty for foot in feet]
        rows.append(["Rounding", *(cell for row in rounding for cell in list(row)[1:])])
    return [*rows, ["Total", *(cell for foot in feet for cell in list(foot[-1])[1:])]]
