"""Days of agents that cost far more than they usually do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING

from analytics.report.figures.periods import Period
from analytics.report.writing import numbers
from analytics.report.writing.tables import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from analytics.report.figures.facts import Measures, Subject

BASIS_DAYS = 28
FEWEST_DAYS = 14
_SMALLEST = Decimal(1)  # an excess under a dollar is no news
_WIDTH = Decimal("7.413")  # five standard deviations, where 1.4826 MAD are one
_DAY = timedelta(days=1)
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
    week = subject.coverage.calendar.last_week
    whole = {
        day: known
        for day in Period(week.first - BASIS_DAYS * _DAY, week.last).days()
        if (known := subject.whole(day)) is not None
    }
    found = (_judged(name, href, whole, day) for day in reversed(list(week.days())))
    return [each for each in found if each is not None]


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


def _judged(name: str, href: str, whole: Mapping[date, Measures], day: date) -> Unusual | None:
    known = whole.get(day)
    days_before = (day - offset * _DAY for offset in range(1, BASIS_DAYS + 1))
    before = [whole[each] for each in days_before if each in whole]
    costs = [cost for each in before if (cost := each.cost_usd) is not None]
    cost = None if known is None else known.cost_usd
    if known is None or cost is None or len(costs) < FEWEST_DAYS:
        return None
    usual = median(costs)
    deviation = median(abs(cost - usual) for cost in costs)
    bound = max(usual + _WIDTH * deviation, usual * Decimal("1.5"), usual + _SMALLEST)
    if cost <= bound:
        return None
    return Unusual(day, name, href, cost, usual, _driver(known, before))


def _driver(day: Measures, before: Sequence[Measures]) -> str:
    """Whether there were more runs, or more expensive ones."""
    usual_count = median(each.run_count for each in before)
    if not usual_count:
        return f"{numbers.plural(day.run_count, 'run')}, usually none"
    more = day.run_count / usual_count
    each_cost = [cost / each.run_count for each in before if (cost := each.cost_usd)]
    usual_each = median(each_cost) if each_cost else Decimal(0)
    cost = day.cost_usd
    costlier = float(cost / day.run_count / usual_each) if usual_each and cost else 1
    if more >= costlier:
        return f"{more:.1f} times as many runs"
    return f"runs {costlier:.1f} times as expensive"
