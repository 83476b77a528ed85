"""The costs of the headline periods: listed and hidden runs, and what the platform adds to them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.report.figures.facts import known_sum
from analytics.report.figures.periods import Period, month_in_words
from analytics.report.writing.numbers import plural
from analytics.report.writing.tables import Column, Sum, Table, foot, money

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from analytics.report.figures.facts import Measures, Subject, Workspace
    from analytics.report.writing.tables import Cell


class Totals:
    """Reads what the platform's own runs cost, for as many periods as a page shows."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def of(self, workspaces: Sequence[Workspace], subject: Subject) -> Table | None:
        """The totals of these workspaces, `subject` together; None where nothing is known."""
        calendar, first_day = subject.coverage.calendar, subject.coverage.first_day
        if first_day is None:
            return None
        yesterday = Period(calendar.yesterday, calendar.yesterday)
        month, last_month = calendar.month_to_date, calendar.last_month
        ids = [each.row.workspace_id for each in workspaces]
        runs = [
            subject.on(calendar.yesterday),
            *(
                subject.month(each) if each.starting_at(first_day) else None
                for each in (month, last_month)
            ),
        ]
        platform = [self._platform(ids, each) for each in (yesterday, month, last_month)]
        return _table(month_in_words(last_month.first), runs, platform)

    def _platform(self, ids: list[str], period: Period) -> Decimal | None:
        """None where no day was read, or no cost of any is known."""
        row = self._con.execute(
            """
            select sum(platform_cost_usd) from marts.fct_workspace_days_complete
            where workspace_id in (select unnest(?::varchar[])) and date between ? and ?""",
            [ids, period.first, period.last],
        ).fetchone()
        return row[0] if row else None


def _table(
    last_month: str, runs: Sequence[Measures | None], platform: Sequence[Decimal | None]
) -> Table:
    listed = [each.listed_cost_usd if each else None for each in runs]
    hidden = [each.gap_cost_usd if each else None for each in runs]
    costs = [each.complete_cost_usd if each else None for each in runs]
    rounding = foot(*map(Sum, costs, zip(listed, hidden, strict=True)))[:-1]
    sums = [Sum(known_sum(lines), lines) for lines in zip(costs, platform, strict=True)]
    return Table(
        "complete",
        "Cost of runs, and of the platform's own, US dollars; hidden runs and the platform by UTC "
        "day",
        [Column("Cost", "text"), *map(Column, ("Yesterday", "Month to date", last_month))],
        [
            ["Listed runs", *map(_listed, runs)],
            ["Hidden runs", *map(_hidden, runs)],
            *rounding,
            ["All runs", *map(money, costs)],
            ["Platform", *map(money, platform)],
        ],
        foot(*sums, label="All runs and platform"),
        is_cards=True,
    )


def _listed(measures: Measures | None) -> Cell:
    if measures is None:
        return money(None)
    return money(measures.listed_cost_usd, measures.unknown_cost_count)


def _hidden(measures: Measures | None) -> Cell:
    if measures is None or not measures.missing_run_count:
        return money(None if measures is None else Decimal(0))
    partly = ", part of unknown cost" if measures.unknown_gap_count else ""
    note = f"{plural(measures.missing_run_count, 'run')}{partly}"
    return replace(money(measures.gap_cost_usd), note=note)
