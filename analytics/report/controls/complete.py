"""The cost of the headline periods by its parts: listed runs, unlisted runs and the platform."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.report.figures.periods import Period, month_in_words
from analytics.report.writing.numbers import plural
from analytics.report.writing.tables import Column, Sum, Table, foot, money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    import duckdb

    from analytics.report.figures.facts import Subject, Workspace
    from analytics.report.writing.tables import Cell


@dataclass(frozen=True, slots=True)
class _Parts:
    """The cost of a period; None where it is unknown, or no day of it was read."""

    cost_usd: Decimal | None
    listed_usd: Decimal | None
    unlisted_usd: Decimal | None
    platform_usd: Decimal | None
    unlisted_count: int
    unknown_count: int


class Totals:
    """Reads the parts of the cost, for as many periods as a page shows."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def of(self, workspaces: Sequence[Workspace], subject: Subject) -> Table | None:
        """The cost of these workspaces, `subject` together; None where no day was read."""
        calendar = subject.coverage.calendar
        if subject.coverage.first_day is None:
            return None
        yesterday = Period(calendar.yesterday, calendar.yesterday)
        periods = (yesterday, calendar.month_to_date, calendar.last_month)
        ids = [each.row.workspace_id for each in workspaces]
        parts = [self._parts(ids, each) for each in periods]
        return _table(month_in_words(calendar.last_month.first), parts)

    def _parts(self, ids: list[str], period: Period) -> _Parts:
        (row,) = self._con.execute(
            """
            select
                sum(if(days.date is null, 0, cost_usd)),
                sum(if(coalesce(listed_run_count, 0) = 0, 0, listed_cost_usd)),
                sum(if(coalesce(unlisted_run_count, 0) = 0, 0, unlisted_cost_usd)),
                sum(if(days.date is null, 0, platform_cost_usd)),
                coalesce(sum(unlisted_run_count), 0)::bigint,
                coalesce(sum(unknown_cost_count), 0)::bigint
            from marts.dim_dates as dates
            left join marts.fct_workspace_days as days using (workspace_id, date)
            where workspace_id in (select unnest(?::varchar[])) and date between ? and ?""",
            [ids, period.first, period.last],
        ).fetchall()
        return _Parts(*row)


def _table(last_month: str, parts: Sequence[_Parts]) -> Table:
    sums = [
        Sum(each.cost_usd, (each.listed_usd, each.unlisted_usd, each.platform_usd))
        for each in parts
    ]
    total = foot(*sums, label="Cost")
    unknown = [each.unknown_count for each in parts]
    total[-1] = [
        "Cost",
        *(money(each.cost_usd, count) for each, count in zip(parts, unknown, strict=True)),
    ]
    return Table(
        "complete",
        "Cost by its parts, US dollars; unlisted runs and the platform by UTC day",
        [Column("Part", "text"), *map(Column, ("Yesterday", "Month to date", last_month))],
        [
            ["Listed runs", *(money(each.listed_usd) for each in parts)],
            ["Unlisted runs", *map(_unlisted, parts)],
            ["Platform", *(money(each.platform_usd) for each in parts)],
        ],
        total,
        is_cards=True,
    )


def _unlisted(parts: _Parts) -> Cell:
    note = plural(parts.unlisted_count, "run") if parts.unlisted_count else ""
    return replace(money(parts.unlisted_usd), note=note)
