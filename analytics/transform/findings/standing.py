"""Findings that need no test: agents that began, stopped or start too many runs, and waste.

Waste is money for nothing, of the last 28 days: runs that succeeded without a trace, errors of one
tool in a row, runs that end at a limit. It is chronic where the 28 days before had it, too.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from analytics.transform.findings.finding import Finding, midnight, usd

RECENT_DAYS = 28

_AGENT = ("workspace_id", "agent_id")
_QUIET_DAYS = 3  # after which an agent that ran every day has stopped
_FEWEST_OF_DAYS = RECENT_DAYS - 1  # on which an agent "runs every day"
_UNLISTED_WITHIN = 7
_FEWEST_RUNS = {"idle_runs": 20, "repeated_errors": 5}
_LEAST_SHARE = {"idle_runs": 0.2, "repeated_errors": 0.05}
_LEAST_USD = 1


def changed_agents(agents: pl.DataFrame, days: pl.DataFrame) -> list[Finding]:
    """Return agents that began within 28 days, and those that ran every day and stopped.

    `agents` have their first and last day with a run, and `last_date`, the last complete one of the
    workspace; `began` is the first day of which its runs were counted.
    """
    found = []
    by_agent = days.partition_by(_AGENT, as_dict=True)
    for row in agents.iter_rows(named=True):
        last: date = row["last_date"]
        recent = last - timedelta(days=RECENT_DAYS)
        about = {key: row[key] for key in _AGENT}
        of = by_agent.get((row["workspace_id"], row["agent_id"]))
        if of is None:
            continue
        cost = usd(of["cost_usd"])
        is_new = row["first_date"] > max(recent, row["began"] + timedelta(days=RECENT_DAYS))
        if is_new and (cost or 0) >= _LEAST_USD:
            found.append(
                Finding(
                    kind="new_agent",
                    subject=row["agent_id"],
                    since=midnight(row["first_date"]),
                    value=None if cost is None else float(cost),
                    unit="usd",
                    run_count=int(of["run_count"].sum()),
                    **about,
                )
            )
        stopped: date = row["last_run_date"]
        if not row["is_on"] or not recent < stopped <= last - timedelta(days=_QUIET_DAYS):
            continue
        ran = of.filter(
            pl.col("date").is_between(stopped - timedelta(days=RECENT_DAYS - 1), stopped),
            pl.col("run_count") > 0,
        )
        if len(ran) >= _FEWEST_OF_DAYS:
            found.append(
                Finding(
                    kind="silent_agent",
                    subject=row["agent_id"],
                    since=midnight(stopped + timedelta(days=1)),
                    value=0.0,
                    baseline=float(ran["run_count"].mean()),  # type: ignore[arg-type]
                    unit="runs_per_day",
                    sample_count=(last - stopped).days,
                    **about,
                )
            )
    return found


def unlisted_runs(
    agents: pl.DataFrame, days: pl.DataFrame, intervals: pl.DataFrame
) -> list[Finding]:
    """Return agents that started more runs than lists showed in the last week.

    `intervals` have the seconds after which lists have to be read again, by agent.
    """
    every = {row[:2]: row[2] for row in intervals.iter_rows()}
    last = {row[:2]: row[2] for row in agents.select(*_AGENT, "last_date").iter_rows()}
    by_agent = days.partition_by(_AGENT, as_dict=True)
    found = []
    some = days.filter(pl.col("unlisted_run_count") > 0)
    for (workspace_id, agent_id), of in some.group_by(_AGENT, maintain_order=True):
        key = str(workspace_id), str(agent_id)
        dates = sorted(of["date"], reverse=True)
        if key not in last or dates[0] <= last[key] - timedelta(days=_UNLISTED_WITHIN):
            continue
        since = dates[0]
        for day in dates:
            if (since - day).days > _UNLISTED_WITHIN:
                break
            since = day
        of_days = by_agent[key].filter(pl.col("date") >= since)
        unlisted, all_runs = (
            int(of_days[name].sum()) for name in ("unlisted_run_count", "run_count")
        )
        found.append(
            Finding(
                kind="unlisted",
                workspace_id=key[0],
                agent_id=key[1],
                subject=key[1],
                detail=_spelled(every.get(key)),
                since=midnight(since),
                value=unlisted / all_runs,
                unit="share",
                sample_count=all_runs,
                run_count=unlisted,
                is_chronic=since <= last[key] - timedelta(days=RECENT_DAYS),
            )
        )
    return found


def _spelled(seconds: int | None) -> str | None:
    """Return a number of seconds as cron would be told: 2 h, 15 min."""
    if seconds is None:
        return None
    return f"{seconds // 3600} h" if seconds >= 3600 else f"{max(seconds // 60, 1)} min"


def waste(kind: str, sums: pl.DataFrame) -> list[Finding]:
    """Return what was for nothing: idle_runs or repeated_errors.

    `sums` are by agent and subject, with `run_count` of the last 28 days, of `of_count` that might,
    `cost_usd`, `first_at`, and `earlier_count` of the 28 days before.
    """
    return [
        Finding(
            kind=kind,
            workspace_id=row["workspace_id"],
            agent_id=row["agent_id"],
            subject=row["subject"],
            detail=row["detail"],
            since=row["first_at"],
            value=row["run_count"] / row["of_count"],
            unit="share",
            sample_count=row["of_count"],
            run_count=row["run_count"],
            cost_usd=row["cost_usd"],
            is_chronic=row["earlier_count"] * 4 >= row["run_count"],
        )
        for row in sums.iter_rows(named=True)
        if row["run_count"] >= _FEWEST_RUNS[kind]
        and row["run_count"] >= _LEAST_SHARE[kind] * row["of_count"]
        and (row["cost_usd"] or 0) >= _LEAST_USD
    ]


def budgets(rows: pl.DataFrame, today: date) -> list[Finding]:
    """Return the budgets of this month that are exceeded, or will be at the forecast's low end."""
    month = today.replace(day=1)
    found = []
    for row in rows.filter(pl.col("month") == month).iter_rows(named=True):
        low = row["forecast_low_usd"]
        is_exceeded = row["status"] == "exceeded"
        if not is_exceeded and (low is None or low <= row["budget_usd"]):
            continue
        amount = row["actual_usd"] if is_exceeded else row["forecast_usd"]
        found.append(
            Finding(
                kind="budget",
                workspace_id=row["workspace_id"],
                subject=row["name"],
                detail=row["scope"],
                since=midnight(row["exhausted_on"] or today),
                value=None if amount is None else float(amount),
                baseline=float(row["budget_usd"]),
                unit="usd" if is_exceeded else "usd_expected",
                cost_usd=None if amount is None else amount - row["budget_usd"],
            )
        )
    return found
