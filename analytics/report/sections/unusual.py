"""Days of agents that cost far more than they usually do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.format import numbers
from analytics.report.writing.tables import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from analytics.report.figures.facts import Subject
    from analytics.report.marts.rows import UnusualDay

METHOD = (
    "A day of an agent is unusual where it costs at least $1 and half more than the median of its "
    "28 complete days before, and more than five times their usual deviation (1.4826 times the "
    "median absolute deviation) above it."
)


@dataclass(frozen=True)
class Unusual:
    """A day, what it cost and usually costs, and what drove it."""

    day: date
    name: str
    href: str
    cost_usd: Decimal
    usual_usd: Decimal
    driver: str


def days(name: str, href: str, subject: Subject) -> list[Unusual]:
    """The unusual ones of the last seven complete days, the newest first."""
    return [
        Unusual(each.date, name, href, each.cost_usd, each.usual_cost_usd, _driver(each))
        for each in subject.unusual
    ]


def table(found: Sequence[Unusual]) -> Table | None:
    """All that were found, the largest excess first."""
    if not found:
        return None
    rows = sorted(found, key=lambda each: (each.usual_usd - each.cost_usd, each.name.casefold()))
    return Table(
        "unusual-days",
        f"Unusual days of the last week, US dollars. {METHOD}",
        [
            Column("Agent", "name"),
            Column("Day", "text"),
            Column("Cost"),
            Column("Usual"),
            Column("Above"),
            Column("Driver", "text"),
        ],
        [
            [
                Cell(each.name, href=f"{each.href}#from={each.day}&to={each.day}"),
                each.day.isoformat(),
                *(
                    Cell(numbers.usd(amount), numbers.usd_exact(amount))
                    for amount in (
                        each.cost_usd,
                        each.usual_usd,
                        each.cost_usd - each.usual_usd,
                    )
                ),
                each.driver,
            ]
            for each in rows
        ],
        is_sortable=True,
    )


def _driver(day: UnusualDay) -> str:
    """Whether there were more runs, or more expensive ones."""
    if day.cause is None:
        return ""
    if not day.usual_runs:
        return f"{numbers.plural(day.run_count, 'run')}, usually none"
    if day.cause == "more_runs" or not day.usd_per_run or not day.usual_usd_per_run:
        return f"{day.run_count / day.usual_runs:.1f} times as many runs"
    return f"runs {float(day.usd_per_run / day.usual_usd_per_run):.1f} times as expensive"
