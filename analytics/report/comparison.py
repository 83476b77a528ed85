"""The table that sets agents, or workspaces, side by side."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.report import numbers, svg
from analytics.report.periods import month_in_short
from analytics.report.tables import Cell, Column, Sum, Table, foot, money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.facts import Measures, Subject


def comparison(key: str, unit: str, lines: Sequence[tuple[Cell, Subject]], whole: Subject) -> Table:
    """A row for each subject: recent cost and its change, both months, failure rate, trend."""
    calendar = whole.coverage.calendar
    months = (calendar.month_to_date, calendar.last_month)
    costs = [subject.recent.cost_usd for _, subject in lines]
    largest = max((cost for cost in costs if cost is not None), default=Decimal(0))
    return Table(
        key,
        f"Cost of runs by {unit.lower()}, US dollars. Recent: {calendar.recent}; changes are "
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
    months = (subject.month(calendar.month_to_date), subject.month(calendar.last_month))
    weeks = [
        subject.over(week).cost_usd if subject.coverage.covers(week) else None
        for week in calendar.trend_weeks
    ]
    return [
        money(recent.cost_usd, recent.unknown_cost_count, bar),
        _change(subject),
        *(money(month.cost_usd, month.unknown_cost_count) for month in months),
        _rate(recent),
        _trend(weeks),
    ]


def _change(subject: Subject) -> Cell:
    calendar = subject.coverage.calendar
    recent, before = subject.recent.cost_usd, subject.over(calendar.before_recent).cost_usd
    periods = (calendar.recent, calendar.before_recent)
    is_covered = all(subject.coverage.covers(period) for period in periods)
    if not is_covered or recent is None or before is None:
        return Cell(numbers.NOT_AVAILABLE, "")
    return Cell(numbers.usd_change(recent, before), numbers.usd_exact(recent - before))


def _trend(weeks: Sequence[Decimal | None]) -> Cell:
    if all(week is None for week in weeks):
        return Cell(numbers.NOT_AVAILABLE)
    return Cell("" if any(weeks) else "no cost", drawing=svg.sparkline(weeks))


def _rate(measures: Measures) -> Cell:
    failed, finished = measures.failed_count, measures.finished_count
    sort = f"{failed / finished:.6f}" if finished else ""
    return Cell(numbers.failure_rate(failed, finished), sort)
