"""The table that sets agents, or workspaces, side by side."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.format import numbers
from analytics.format.days import month_in_short
from analytics.report.writing import svg
from analytics.report.writing.tables import Cell, Column, Sum, Table, foot, money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from analytics.format.days import Period
    from analytics.report.figures.facts import Measures, Subject


def comparison(key: str, unit: str, lines: Sequence[tuple[Cell, Subject]], whole: Subject) -> Table:
    """A row for each subject: recent cost and its change, both months, failure rate, trend."""
    calendar = whole.coverage.calendar
    lines = [(name, subject.seen_on(calendar.today)) for name, subject in lines]
    months = (calendar.month_to_date, calendar.last_month)
    costs = [subject.recent.cost_usd for _, subject in lines]
    largest = max((cost for cost in costs if cost is not None), default=Decimal(0))
    return Table(
        key,
        f"Cost by {unit.lower()}, US dollars. Recent: {calendar.recent}; changes are "
        "against the 30 days before. Trend: cost of each 7 days, 13 weeks, each line on its own "
        "scale",
        [
            Column(unit, "name"),
            Column("Recent cost"),
            Column("Change"),
            Column(f"Month to date, {month_in_short(months[0].first)}"),
            Column(f"Last month, {month_in_short(months[1].first)}"),
            Column("Failure rate, recent"),
            Column("Trend", "drawing"),
        ],
        [[name, *_cells(subject, largest)] for name, subject in lines],
        foot(
            Sum(whole.recent.cost_usd, costs),
            "",
            *(
                Sum(
                    whole.month(month).cost_usd,
                    [subject.month(month).cost_usd for _, subject in lines],
                )
                for month in months
            ),
            numbers.failure_rate(whole.recent.failed_count, whole.recent.finished_count),
            "",
        ),
        is_sortable=True,
        is_cards=True,
    )


def _cells(subject: Subject, largest: Decimal) -> list[Cell]:
    calendar, recent = subject.coverage.calendar, subject.recent
    bar = svg.bar((recent.cost_usd or Decimal(0)) / largest) if largest else None
    months = (calendar.month_to_date, calendar.last_month)
    weeks = [
        subject.over(week).cost_usd if subject.covers(week) else None
        for week in calendar.trend_weeks
    ]
    return [
        _cost(subject, calendar.recent, recent, bar),
        _change(subject),
        *(_cost(subject, month, subject.month(month)) for month in months),
        _rate(recent),
        _trend(weeks),
    ]


def _cost(subject: Subject, period: Period, known: Measures, bar: Markup | None = None) -> Cell:
    """What a period cost; of one that was not read, nothing is known."""
    if not known.run_count and not known.cost_usd and not subject.has_read(period):
        return Cell(numbers.UNKNOWN, "", "not read")
    return money(known.cost_usd, known.unknown_cost_count, bar)


def _change(subject: Subject) -> Cell:
    calendar = subject.coverage.calendar
    recent = subject.recent.cost_usd
    before = subject.over(calendar.before_recent).cost_usd
    if not all(subject.covers(period) for period in (calendar.recent, calendar.before_recent)):
        return Cell(numbers.UNKNOWN, "", "not all cost of both is known")
    if recent is None or before is None:
        return Cell(numbers.UNKNOWN, "", "cost unknown")
    return Cell(numbers.usd_change(recent, before), numbers.usd_exact(recent - before))


def _trend(weeks: Sequence[Decimal | None]) -> Cell:
    if all(week is None for week in weeks):
        return Cell(numbers.UNKNOWN)
    return Cell("" if any(weeks) else "no cost", drawing=svg.sparkline(weeks))


def _rate(measures: Measures) -> Cell:
    failed, finished = measures.failed_count, measures.finished_count
    if not finished:
        return Cell(numbers.UNKNOWN, "", "no finished runs")
    return Cell(numbers.failure_rate(failed, finished), f"{failed / finished:.6f}")
