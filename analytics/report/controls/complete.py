"""Totals as they are right: the runs that are listed, and what the run lists lack, a line each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analytics.report.controls.rows import Complete
from analytics.report.facts import known_sum
from analytics.report.numbers import NOT_AVAILABLE, plural
from analytics.report.periods import Period, month_in_words
from analytics.report.tables import Column, Sum, Table, foot, money

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from analytics.report.facts import Workspace
    from analytics.report.periods import Calendar
    from analytics.report.tables import Cell


def periods(calendar: Calendar) -> list[Period]:
    """The periods of the headline figures: yesterday, month to date, last full month."""
    yesterday = Period(calendar.yesterday, calendar.yesterday)
    return [yesterday, calendar.month_to_date, calendar.last_month]


class Totals:
    """Reads the totals of workspaces, for as many periods as a page shows."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def of(self, workspaces: Sequence[Workspace], calendar: Calendar) -> Table | None:
        """The totals of these workspaces together; None where nothing is known."""
        ids = [each.row.workspace_id for each in workspaces]
        return table([self._of_period(ids, each) for each in periods(calendar)], calendar)

    def _of_period(self, ids: list[str], period: Period) -> Complete | None:
        row = self._con.execute(
            """
            select count(*), sum(cost_usd), sum(gap_cost_usd), sum(platform_cost_usd),
                sum(missing_run_count)::bigint, sum(unknown_cost_count)::bigint,
                sum(unknown_gap_count)::bigint
            from marts.fct_workspace_days_complete
            where workspace_id in (select unnest(?::varchar[])) and date between ? and ?""",
            [ids, period.first, period.last],
        ).fetchone()
        return Complete(*row[1:]) if row and row[0] else None


def table(columns: Sequence[Complete | None], calendar: Calendar) -> Table | None:
    """The totals of the periods; None where nothing is known."""
    if not any(columns):
        return None
    heads = ["Yesterday", "Month to date", month_in_words(calendar.last_month.first)]
    return Table(
        "complete",
        "Cost with what the run lists lack, US dollars; gaps and the platform by UTC day",
        [Column("Cost", "text"), *map(Column, heads)],
        [
            ["Listed runs", *(_runs(each) for each in columns)],
            ["Gaps: never seen", *(_gaps(each) for each in columns)],
            ["Platform", *(_platform(each) for each in columns)],
        ],
        foot(*(_sum(each) for each in columns)),
        is_cards=True,
    )


def _runs(total: Complete | None) -> Cell | str:
    return money(total.runs_usd, total.unknown_cost_count) if total else NOT_AVAILABLE


def _gaps(total: Complete | None) -> Cell | str:
    if total is None:
        return NOT_AVAILABLE
    unknown = ", part of unknown cost" if total.unknown_gap_count else ""
    note = f"{plural(total.missing_run_count, 'run')}{unknown}" if total.missing_run_count else ""
    return replace(money(total.gaps_usd), note=note)


def _platform(total: Complete | None) -> Cell | str:
    return money(total.platform_usd) if total else NOT_AVAILABLE


def _sum(total: Complete | None) -> Sum | str:
    if total is None:
        return NOT_AVAILABLE
    lines = [total.runs_usd, total.gaps_usd, total.platform_usd]
    return Sum(known_sum(lines), lines)
