"""Bills by provider, and what the platform's own agents did."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.format import names, numbers
from analytics.format.days import month_in_short, month_in_words
from analytics.report.figures.facts import known_sum
from analytics.report.writing import bills
from analytics.report.writing.blocks import Chart, missing
from analytics.report.writing.tables import Column, Sum, Table, foot, money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from analytics.report.figures.periods import Calendar
    from analytics.report.marts.rows import PlatformMonth, ProviderMonth
    from analytics.report.writing.blocks import Spec
    from analytics.report.writing.tables import Cell

_DRAWN = (("Cost", "@cost"), ("Own-key cost", "@not-billed"), ("Billed", "@billed"))


def providers(months: Sequence[ProviderMonth], calendar: Calendar) -> Chart:
    """The bill by provider, of the last full month and of this one."""
    shown = (calendar.last_month.first, calendar.month_to_date.first)
    if not months:
        return missing(
            "billing",
            "Cost and bill by provider",
            f"No billing data in {month_in_words(shown[0])} or {month_in_words(shown[1])}.",
        )
    by_provider: defaultdict[str, dict[date, ProviderMonth]] = defaultdict(dict)
    for each in months:
        by_provider[each.provider][each.month] = each
    by_month = {month: [each for each in months if each.month == month] for month in shown}
    drawn = shown[0] if by_month[shown[0]] else shown[1]
    billed = numbers.usd(known_sum(each.billed_usd for each in by_month[drawn]))
    cost = numbers.usd(known_sum(each.cost_usd for each in by_month[drawn]))
    return Chart(
        "billing",
        f"{billed} billed, {cost} metered cost in {month_in_words(drawn)}",
        "Metered cost, the part of it that is payable to the provider (own key), and what is "
        f"billed, by provider, US dollars, UTC days, {month_in_words(drawn)}.",
        _spec(by_month[drawn]),
        Table(
            "billing-by-provider",
            "Cost + surcharge \u2212 own-key cost = billed, by provider, US dollars, UTC days",
            [Column("Provider", "name"), *_heads(shown, bills.HEADS)],
            [
                [
                    names.display(provider, "no provider"),
                    *(cell for month in shown for cell in _bill(known.get(month))),
                ]
                for provider, known in by_provider.items()
            ],
            bills.beside([bills.foot("Total", by_month[month]) for month in shown]),
        ),
    )


def platform(months: Sequence[PlatformMonth], calendar: Calendar) -> Table | None:
    """What the platform's own agents did: it is in no agent's figures."""
    if not months:
        return None
    shown = (calendar.last_month.first, calendar.month_to_date.first)
    by_agent: defaultdict[str | None, dict[date, PlatformMonth]] = defaultdict(dict)
    for each in months:
        by_agent[each.platform_agent_id][each.month] = each
    sums: list[Sum | str] = []
    for month in shown:
        of_month = [each for each in months if each.month == month]
        sums += [
            numbers.count(sum(each.run_count for each in of_month)),
            _sum([each.cost_usd for each in of_month]),
            _sum([each.billed_usd for each in of_month]),
        ]
    return Table(
        "platform",
        "Activity of the platform's own agents, US dollars, UTC days",
        [Column("Platform agent", "name"), *_heads(shown, ["Runs", "Cost", "Billed"])],
        [
            [
                names.display(*_platform_names(known)),
                *(cell for month in shown for cell in _activity(known.get(month))),
            ]
            for known in by_agent.values()
        ],
        foot(*sums),
    )


def _spec(months: Sequence[ProviderMonth]) -> Spec:
    rows = [
        {
            "label": names.display(each.provider, "no provider"),
            "values": [
                float(amount or 0) for amount in (each.cost_usd, each.own_key_usd, each.billed_usd)
            ],
            "texts": [cells[index].text for index in (0, 2, 3)],
        }
        for each in months
        for cells in [bills.row(each)]
    ]
    return {"kind": "bars", "rows": rows, "measures": [list(each) for each in _DRAWN]}


def _bill(month: ProviderMonth | None) -> list[Cell]:
    return bills.UNKNOWN_BILL if month is None else bills.row(month)


def _activity(month: PlatformMonth | None) -> list[Cell | str]:
    if month is None:
        return [numbers.UNKNOWN] * 3
    return [numbers.count(month.run_count), money(month.cost_usd), money(month.billed_usd)]


def _platform_names(months: dict[date, PlatformMonth]) -> tuple[str | None, ...]:
    newest = months[max(months)]
    return newest.name, newest.slug, newest.platform_agent_id


def _heads(months: Sequence[date], labels: Sequence[str]) -> list[Column]:
    return [Column(f"{label}, {month_in_short(month)}") for month in months for label in labels]


def _sum(amounts: list[Decimal | None]) -> Sum:
    return Sum(known_sum(amounts) if amounts else Decimal(0), amounts)
