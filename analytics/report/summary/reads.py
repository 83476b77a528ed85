"""The figures of the morning summary, read from the schema `marts`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from statistics import median
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from analytics.report.figures.periods import Calendar, Period
from analytics.report.summary.facts import (
    Controls,
    Days,
    Failing,
    Mover,
    Pace,
    Runs,
    Summary,
)

if TYPE_CHECKING:
    import duckdb

_DIGITS = 60  # a sum of DECIMAL(38,10) has 38; the usual 28 would round it
_WEEK = timedelta(days=7)
_USUAL_WEEKS = 4
_FEWEST_USUAL = 2
_SHOWN_MOVERS = 3

# What is known of a cost; null where there are runs of that kind, but the cost of none is known. A
# day without such runs says nothing of it.
_LISTED = "sum(c.cost_usd) filter (c.run_count > 0)"
_HIDDEN = "sum(c.gap_cost_usd) filter (c.missing_run_count > 0)"
_FAILED = "sum(c.failed_cost_usd) filter (c.failed_count > 0)"
_GAP_COST = f"if(coalesce(sum(c.missing_run_count), 0) = 0, 0, {_HIDDEN})"
_FAILED_COST = f"if(coalesce(sum(c.failed_count), 0) = 0, 0, {_FAILED})"
_ALL_RUNS_COST = f"""
        case when coalesce(sum(c.run_count + c.missing_run_count), 0) = 0 then 0
            else coalesce({_LISTED} + {_HIDDEN}, {_LISTED}, {_HIDDEN}) end
"""
_WORKSPACES = f"""
    select
        w.workspace_id,
        w.workspace_name,
        w.last_batch_at,
        coalesce(sum(d.run_count), 0)::bigint,
        coalesce(sum(d.failed_count), 0)::bigint,
        coalesce(sum(d.succeeded_count + d.failed_count), 0)::bigint,
        sum(d.cost_usd),
        coalesce(sum(c.missing_run_count), 0)::bigint,
        {_GAP_COST},
        {_ALL_RUNS_COST},
        sum(d.tokens_in)::bigint,
        sum(d.tokens_out)::bigint
    from marts.dim_workspaces as w
    left join marts.fct_workspace_days_complete as c using (workspace_id)
    left join marts.fct_workspace_days as d using (workspace_id, date)
    group by w.workspace_id, w.workspace_name, w.last_batch_at
    order by w.workspace_name, w.workspace_id
"""
_DAYS = f"""
    select
        coalesce(sum(run_count), 0)::bigint,
        coalesce(sum(failed_count), 0)::bigint,
        coalesce(sum(succeeded_count + failed_count), 0)::bigint,
        {_FAILED_COST},
        coalesce(sum(unknown_cost_count), 0)::bigint,
        coalesce(sum(missing_run_count), 0)::bigint,
        {_GAP_COST},
        coalesce(sum(unknown_gap_count), 0)::bigint,
        {_ALL_RUNS_COST},
        if(count(*) = 0, 0, sum(platform_cost_usd)),
        coalesce(sum(complete_cost_usd), 0)
    from marts.fct_workspace_days_complete as c
    where date between ? and ?
"""
# The last day of which every workspace was read to its end, and what no list shows was counted:
# that is done by UTC day, once it has ended.
_COMPLETE_TO = """
    with uncounted as (
        select workspace_id, min(greatest(
            (gap_after at time zone reporting_timezone)::date,
            (last_batch_at at time zone 'UTC')::date
        )) as first_date
        from audit.list_snapshots join marts.dim_workspaces using (workspace_id)
        where (gap_before at time zone reporting_timezone)::date
            >= (last_batch_at at time zone 'UTC')::date
        group by workspace_id
    )
    select min(least(last_complete_date, first_date - 1))
    from marts.dim_workspaces left join uncounted using (workspace_id)
"""
_MOVERS = """
    with days as (
        select workspace_id, agent_id, agent_name, date, cost_usd
        from marts.fct_agent_days
        union all
        select workspace_id, agent_id, agent_name, date, missing_cost_usd
        from marts.fct_listing_gaps
        join marts.dim_agents using (workspace_id, agent_id)
    )
    select
        any_value(workspace_name),
        any_value(agent_name),
        coalesce(sum(cost_usd) filter (date > $middle), 0) as is_usd,
        coalesce(sum(cost_usd) filter (date <= $middle), 0) as was_usd
    from days
    join marts.dim_workspaces using (workspace_id)
    where date between $first and $last
    group by workspace_id, agent_id
    having is_usd <> was_usd
    order by abs(is_usd - was_usd) desc, workspace_id, agent_id
    limit $shown
"""
_MOST_FAILING = """
    select workspace_name, agent_name, failed_count, failed_cost_usd
    from marts.fct_agent_days
    join marts.dim_workspaces using (workspace_id)
    where date = ? and failed_cost_usd > 0
    order by failed_cost_usd desc, workspace_id, agent_id
    limit 1
"""
_FASTEST_LIST = """
    select workspace_name, agent_name, shortest_span_seconds, required_batches_per_day
    from audit.list_coverage
    join marts.dim_agents using (workspace_id, agent_id)
    join marts.dim_workspaces using (workspace_id)
    order by shortest_span_seconds, workspace_id, agent_id
    limit 1
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
    first_date = _first_date(con)
    (complete_to,) = _row(con, _COMPLETE_TO)
    is_whole = complete_to is not None and complete_to >= calendar.yesterday
    complete, before = _comparable_days(calendar)
    reaches_back = first_date is not None and first_date <= before.first
    failing = con.execute(_MOST_FAILING, [calendar.yesterday]).fetchone()
    pace = con.execute(_FASTEST_LIST).fetchone()
    open_count, provisional_count = _row(
        con,
        "select count(*) filter (not is_terminal),"
        " count(*) filter (is_terminal and not is_final) from marts.fct_runs",
    )
    return Summary(
        as_of=as_of,
        timezone=timezone or "UTC",
        workspaces=[Runs(*row) for row in con.execute(_WORKSPACES).fetchall()],
        yesterday=_days(con, Period(calendar.yesterday, calendar.yesterday)),
        complete_to=complete_to,
        usual_usd=_usual(con, calendar.yesterday, first_date) if is_whole else None,
        month=_days(con, calendar.month_to_date),
        month_complete_days=_days(con, complete) if complete else None,
        same_days_of_last_month=_days(con, before)
        if complete and is_whole and reaches_back
        else None,
        movers=_movers(con, calendar, first_date) if is_whole else [],
        most_failing=Failing(*failing) if failing else None,
        fastest_list=Pace(*pace) if pace else None,
        open_count=open_count,
        provisional_count=provisional_count,
        controls=_controls(con),
    )


def _comparable_days(calendar: Calendar) -> tuple[Period | None, Period]:
    """The complete days of this month and as many of the last, which may be the shorter one."""
    complete, before = calendar.month_complete_days, calendar.same_days_of_last_month
    if complete is None:
        return None, before
    last = complete.first + timedelta(days=before.day_count - 1)
    return Period(complete.first, min(complete.last, last)), before


def _first_date(con: duckdb.DuckDBPyConnection) -> date | None:
    """The first day that was read of every workspace."""
    (first,) = _row(
        con,
        "select max(first_date) from"
        " (select min(date) as first_date from audit.reconciliation_days group by workspace_id)",
    )
    return first  # type: ignore[no-any-return]


def _days(con: duckdb.DuckDBPyConnection, period: Period) -> Days:
    return Days(period.first, period.last, *_row(con, _DAYS, [period.first, period.last]))


def _usual(con: duckdb.DuckDBPyConnection, day: date, first_date: date | None) -> Decimal | None:
    """What the day's weekday usually costs; None where too few are known."""
    days = [day - weeks * _WEEK for weeks in range(1, _USUAL_WEEKS + 1)]
    known = [each for each in days if first_date is not None and each >= first_date]
    if len(known) < _FEWEST_USUAL:
        return None
    costs = [_days(con, Period(each, each)).all_runs_cost_usd for each in known]
    return median(cost for cost in costs if cost is not None) if any(costs) else None


def _movers(
    con: duckdb.DuckDBPyConnection, calendar: Calendar, first_date: date | None
) -> list[Mover]:
    """The agents whose cost changed most; none where the data do not reach back two weeks."""
    middle = calendar.yesterday - _WEEK
    first = middle - _WEEK + timedelta(days=1)
    if first_date is None or first_date > first:
        return []
    values = {"first": first, "middle": middle, "last": calendar.yesterday}
    rows = con.execute(_MOVERS, values | {"shown": _SHOWN_MOVERS}).fetchall()
    return [Mover(*row) for row in rows]


def _controls(con: duckdb.DuckDBPyConnection) -> Controls:
    checks = con.execute(
        "select check_name, is_ok from audit.check_results order by check_name"
    ).fetchall()
    unreconciled_day_count, unexplained_usd = _row(
        con,
        "select count(*), coalesce(sum(unexplained_usd), 0) from audit.reconciliation_days"
        " where status = 'unreconciled'",
    )
    broken = [name for name, is_ok in checks if not is_ok]
    return Controls(len(checks), broken, unreconciled_day_count, unexplained_usd)


def _row(con: duckdb.DuckDBPyConnection, sql: str, values: list[Any] | None = None) -> Any:
    (row,) = con.execute(sql, values or []).fetchall()
    return row
