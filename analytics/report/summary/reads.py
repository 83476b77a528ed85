"""The figures of the morning summary, read from the schema `marts`."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from analytics.format.days import Period
from analytics.report.summary.facts import (
    Controls,
    Days,
    Failing,
    Measures,
    Mover,
    Schedule,
    Summary,
    Workspace,
)
from analytics.report.summary.periods import Calendar
from analytics.report.summary.usual import same_weekdays_before, usual_cost_usd

if TYPE_CHECKING:
    import duckdb

_DIGITS = 60  # a sum of DECIMAL(38,10) has 38; the usual 28 would round it
_SHOWN_MOVERS = 3


# The days that have something to say of an amount, where these are fewer than all with activity.
_ACTIVE = "d.run_count > 0 or d.platform_cost_usd is distinct from 0"
_DAYS_OF = {
    "platform_cost_usd": "d.platform_cost_usd is distinct from 0",
    "unlisted_cost_usd": "d.unlisted_run_count > 0",
    "failed_cost_usd": "d.failed_count > d.unlisted_failed_count",
    "failed_cost_high_usd": "d.failed_count > 0",
}
_UNBOUNDED = "d.unlisted_failed_count > 0 and d.failed_cost_high_usd is null"


def _sum_of(name: str) -> str:
    """The sum of a measure over days: 0 where no day has any of it, null where none is known."""
    if name.endswith("_count"):
        return f"coalesce(sum(d.{name}), 0)::bigint as {name}"
    days = f"filter (d.date is not null and ({_DAYS_OF.get(name, _ACTIVE)}))"
    total = f"sum(d.{name}) {days}"
    if name == "failed_cost_high_usd":
        total = f"if(count(*) filter ({_UNBOUNDED}) = 0, {total}, null)"
    kind = "decimal(38, 10)" if name.endswith("_usd") else "bigint"
    return f"if(count(*) {days} = 0, 0, {total})::{kind} as {name}"


_MEASURES = ", ".join(_sum_of(field.name) for field in fields(Measures))
_WORKSPACES = f"""
    select w.workspace_id, w.workspace_name, w.last_batch_at, {_MEASURES}
    from marts.dim_workspaces as w
    left join marts.fct_workspace_days as d using (workspace_id)
    group by w.workspace_id, w.workspace_name, w.last_batch_at
    order by w.workspace_name, w.workspace_id
"""
_DAYS = f"select {_MEASURES} from marts.fct_workspace_days as d where date between ? and ?"
# The complete dates that every workspace has: from the latest first one to the earliest last one.
_COMPLETE_DATES = """
    with workspaces as (
        select min(date) as first_date
        from marts.dim_dates
        where is_complete
        group by workspace_id
    )
    select
        (select max(first_date) from workspaces),
        (select min(last_complete_date) from marts.dim_workspaces)
"""
_COSTS_BY_DATE = """
    select date, sum(cost_usd)
    from marts.fct_workspace_days
    where list_contains(?::date[], date)
    group by date
"""
_MOVERS = """
    select
        any_value(workspace_name),
        any_value(agent_name),
        coalesce(sum(cost_usd) filter (date > $middle), 0) as current_usd,
        coalesce(sum(cost_usd) filter (date <= $middle), 0) as previous_usd
    from marts.fct_agent_days
    join marts.dim_workspaces using (workspace_id)
    where date between $first and $last
    group by workspace_id, agent_id
    having current_usd <> previous_usd
    order by abs(current_usd - previous_usd) desc, workspace_id, agent_id
    limit $shown
"""
_MOST_FAILING = """
    select workspace_name, agent_name, failed_count, failed_cost_usd, failed_cost_high_usd
    from marts.fct_agent_days
    join marts.dim_workspaces using (workspace_id)
    where date = ? and failed_count > 0
    order by failed_cost_usd desc nulls last, failed_count desc, workspace_id, agent_id
    limit 1
"""
_SCHEDULE = """
    select workspace_name, fastest_agent_name, shortest_span_seconds, required_batches_per_day
    from reports.rpt_workspace_health
    where fastest_agent_name is not null
    order by shortest_span_seconds, workspace_id
    limit 1
"""
_CHECKS = "select check_name, control, state from reports.rpt_checks order by check_name"
_HEALTH = """
    select open_count, provisional_count, unreconciled_day_count, unreconciled_usd
    from reports.rpt_workspace_health
    where workspace_id = '(all)'
"""


def read_summary(con: duckdb.DuckDBPyConnection) -> Summary:
    """The summary of the published, or the built, marts."""
    with localcontext(prec=_DIGITS):
        return _read(con)


def _read(con: duckdb.DuckDBPyConnection) -> Summary:
    last_batch_at, timezone = _row(
        con, "select max(last_batch_at), max(reporting_timezone) from marts.dim_workspaces"
    )
    as_of = (last_batch_at or datetime.now(UTC)).astimezone(UTC)
    calendar = Calendar(as_of.astimezone(ZoneInfo(timezone or "UTC")).date())
    first_date, last_date = _row(con, _COMPLETE_DATES)
    is_complete = last_date is not None and last_date >= calendar.yesterday
    complete, before = _comparable_days(calendar)
    is_comparable = is_complete and first_date is not None and first_date <= before.first
    failing = con.execute(_MOST_FAILING, [calendar.yesterday]).fetchone()
    schedule = con.execute(_SCHEDULE).fetchone()
    open_count, provisional_count, *unreconciled = _row(con, _HEALTH)
    return Summary(
        as_of=as_of,
        timezone=timezone or "UTC",
        workspaces=[Workspace(**row) for row in _records(con, _WORKSPACES)],
        yesterday=_days(con, Period(calendar.yesterday, calendar.yesterday)),
        last_complete_date=last_date,
        usual_cost_usd=_usual(con, calendar.yesterday, first_date) if is_complete else None,
        month=_days(con, calendar.month_to_date),
        month_complete_days=_days(con, complete) if complete else None,
        same_days_of_last_month=_days(con, before) if complete and is_comparable else None,
        movers=_movers(con, calendar, first_date) if is_complete else [],
        most_failing=Failing(*failing) if failing else None,
        schedule=Schedule(*schedule) if schedule else None,
        open_count=open_count,
        provisional_count=provisional_count,
        controls=Controls(*_checks(con), *unreconciled),
    )


def _comparable_days(calendar: Calendar) -> tuple[Period | None, Period]:
    """The complete days of this month and as many of the last, which may be the shorter one."""
    complete, before = calendar.month_complete_days, calendar.same_days_of_last_month
    if complete is None:
        return None, before
    last = complete.first + timedelta(days=before.day_count - 1)
    return Period(complete.first, min(complete.last, last)), before


def _days(con: duckdb.DuckDBPyConnection, period: Period) -> Days:
    (measures,) = _records(con, _DAYS, [period.first, period.last])
    return Days(first_date=period.first, last_date=period.last, **measures)


def _usual(con: duckdb.DuckDBPyConnection, day: date, first_date: date | None) -> Decimal | None:
    costs = con.execute(_COSTS_BY_DATE, [same_weekdays_before(day)]).fetchall()
    return usual_cost_usd(dict(costs), day, first_date)


def _checks(con: duckdb.DuckDBPyConnection) -> tuple[int, int, list[str]]:
    """The number of checks, of them those against the API, and the names of those that failed."""
    rows = con.execute(_CHECKS).fetchall()
    failed = [name for name, _, state in rows if state == "failed"]
    return len(rows), sum(control is not None for _, control, _ in rows), failed


def _movers(
    con: duckdb.DuckDBPyConnection, calendar: Calendar, first_date: date | None
) -> list[Mover]:
    """The agents whose cost changed most; none where the data do not reach back two weeks."""
    week, before = calendar.last_week, calendar.week_before
    if first_date is None or first_date > before.first:
        return []
    values = {"first": before.first, "middle": before.last, "last": week.last}
    rows = con.execute(_MOVERS, values | {"shown": _SHOWN_MOVERS}).fetchall()
    return [Mover(*row) for row in rows]


def _records(
    con: duckdb.DuckDBPyConnection, sql: str, values: list[Any] | None = None
) -> list[dict[str, Any]]:
    found = con.execute(sql, values or [])
    names = [name for name, *_ in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _row(con: duckdb.DuckDBPyConnection, sql: str) -> Any:
    (row,) = con.execute(sql).fetchall()
    return row
