"""Findings that need no test: agents that began, stopped or start too many runs, and waste.

Waste is money for nothing, of the 28 days that ended last: runs that succeeded without a trace,
errors of one tool in a row, runs that end at a limit. It is chronic where the 28 days before had
it, too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import polars as pl

from analytics.levain.runs import LONGEST_LIST
from analytics.transform.findings.finding import Finding, midnight

RECENT_DAYS = 28

_AGENT = ("workspace_id", "agent_id")
_QUIET_DAYS = 3  # after which an agent that ran every day has stopped
_FEWEST_OF_DAYS = RECENT_DAYS - 1  # on which an agent "runs every day"
_QUIET_WORKDAYS = 5  # after which an agent that ran every workday has stopped: two are a holiday
_FEWEST_OF_WORKDAYS = RECENT_DAYS // 7 * 5 - 1
_UNLISTED_WITHIN = 7
_FEWEST_OVER = 3  # days of a week with more runs than a list holds
_FEWEST_RUNS = {"idle_runs": 20, "repeated_errors": 5}
_LEAST_SHARE = {"idle_runs": 0.2, "repeated_errors": 0.05}
_LEAST_USD = 1
STALE_AFTER = timedelta(hours=26)  # behind the newest workspace: a nightly batch was missed


def changed_agents(agents: pl.DataFrame, days: pl.DataFrame) -> list[Finding]:
    """Return agents that began within 28 days, and those that ran every day or workday and stopped.

    `agents` have their first and last day with a run, and `last_date`, the last complete one of the
    workspace; `began` is the first that was read whole: before it, a list begins where it is full.
    """
    recent = pl.col("last_date") - pl.duration(days=RECENT_DAYS)
    stopped = pl.col("last_run_date")
    is_run = pl.col("run_count") > 0
    since_stop = pl.col("date").is_between(
        stopped - pl.duration(days=RECENT_DAYS), stopped, closed="right"
    )
    is_workday = pl.col("date").dt.weekday() <= 5
    day = pl.duration(days=1)
    sums = (
        agents.join(days, on=_AGENT)
        .group_by(agents.columns, maintain_order=True)
        .agg(
            pl.col("run_count", "cost_usd").sum(),
            ran_days=(is_run & since_stop).sum(),
            ran_workdays=(is_run & since_stop & is_workday).sum(),
            runs_a_day=pl.col("run_count").filter(is_run & since_stop).mean(),
        )
    )
    new = sums.filter(
        pl.col("first_date") > recent,
        pl.col("first_date") > pl.col("began") + pl.duration(days=RECENT_DAYS),
        pl.col("cost_usd") >= _LEAST_USD,
    )
    quiet_days = (pl.col("last_date") - stopped).dt.total_days()
    quiet_workdays = pl.business_day_count(stopped + day, pl.col("last_date") + day)
    ran_daily, ran_on_workdays = (
        pl.col("ran_days") >= _FEWEST_OF_DAYS,
        pl.col("ran_workdays") >= _FEWEST_OF_WORKDAYS,
    )
    silent = sums.filter(
        "is_on",
        stopped > recent,
        (ran_daily & (quiet_days >= _QUIET_DAYS))
        | (ran_on_workdays & (quiet_workdays >= _QUIET_WORKDAYS)),
    )
    return [
        *(
            Finding(
                kind="new_agent",
                workspace_id=row["workspace_id"],
                agent_id=row["agent_id"],
                subject=row["agent_id"],
                since=midnight(row["first_date"]),
                value=float(row["cost_usd"]),
                unit="usd",
                run_count=row["run_count"],
            )
            for row in new.iter_rows(named=True)
        ),
        *(
            Finding(
                kind="silent_agent",
                workspace_id=row["workspace_id"],
                agent_id=row["agent_id"],
                subject=row["agent_id"],
                detail="day" if row["ran_days"] >= _FEWEST_OF_DAYS else "workday",
                since=midnight(row["last_run_date"] + timedelta(days=1)),
                value=0.0,
                baseline=row["runs_a_day"],
                unit="runs_per_day",
                sample_count=(row["last_date"] - row["last_run_date"]).days,
            )
            for row in silent.iter_rows(named=True)
        ),
    ]


def unlisted_runs(
    agents: pl.DataFrame, days: pl.DataFrame, intervals: pl.DataFrame
) -> list[Finding]:
    """Return agents that started more runs than lists showed in the last week.

    `agents` have the day of the workspace's first batch. No batch could list all of what started
    before: until a day has passed since, agents are found by what they start on most days.
    `intervals` have the seconds after which lists have to be read again, by agent.
    """
    every = {row[:2]: _spelled(row[2]) for row in intervals.iter_rows()}
    last = {row[:2]: row[2] for row in agents.select(*_AGENT, "last_date").iter_rows()}
    first = pl.col("first_batch_date")
    of_first = agents.filter(pl.col("last_date") <= first)
    found = _too_many_a_day(of_first.join(days, on=_AGENT), every)
    days = days.join(agents.select(*_AGENT, first), on=_AGENT).filter(pl.col("date") > first)
    some = days.filter(pl.col("unlisted_run_count") > 0)
    by_agent = days.join(some, on=_AGENT, how="semi").partition_by(_AGENT, as_dict=True)
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
                detail=every.get(key),
                since=midnight(since),
                value=unlisted / all_runs,
                unit="share",
                sample_count=all_runs,
                run_count=unlisted,
                is_chronic=since <= last[key] - timedelta(days=RECENT_DAYS),
            )
        )
    return found


def with_unlisted(changed: list[Finding], unlisted: list[Finding]) -> list[Finding]:
    """Return both, of a new agent with unlisted runs one: that of its runs, since it is new.

    Its value is what the agent has cost, and its `sample_count` all runs of it.
    """
    new = {(each.workspace_id, each.agent_id): each for each in changed if each.kind == "new_agent"}
    merged = []
    for each in unlisted:
        of_new = new.pop((each.workspace_id, each.agent_id), None)
        merged.append(
            replace(
                each,
                since=of_new.since,
                value=of_new.value,
                baseline=None,
                unit="usd",
                sample_count=of_new.run_count,
            )
            if of_new
            else each
        )
    return [*(each for each in changed if each.kind != "new_agent"), *new.values(), *merged]


def _too_many_a_day(days: pl.DataFrame, every: dict[tuple[str, str], str | None]) -> list[Finding]:
    """Return agents that started more runs than a list holds on most workdays of the last week."""
    last_week = pl.col("date") > pl.col("last_date") - pl.duration(days=_UNLISTED_WITHIN)
    found = (
        days.filter(last_week, pl.col("run_count") > LONGEST_LIST)
        .group_by(*_AGENT, maintain_order=True)
        .agg(pl.len(), pl.col("date").min(), pl.col("run_count").max())
        .filter(pl.col("len") >= _FEWEST_OVER)
    )
    return [
        Finding(
            kind="unlisted",
            workspace_id=row["workspace_id"],
            agent_id=row["agent_id"],
            subject=row["agent_id"],
            detail=every.get((row["workspace_id"], row["agent_id"])),
            since=midnight(row["date"]),
            value=float(row["run_count"]),
            baseline=float(LONGEST_LIST),
            unit="runs_per_day",
            sample_count=row["len"],
        )
        for row in found.iter_rows(named=True)
    ]


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
    found = []
    of_month = pl.col("month") == today.replace(day=1)
    over = pl.col("status").is_in(["exceeded", "will_be_exceeded"])
    for row in rows.filter(of_month, over).iter_rows(named=True):
        is_exceeded = row["status"] == "exceeded"
        amount = row["actual_usd"] if is_exceeded else row["forecast_usd"]
        end = amount if row["forecast_usd"] is None else row["forecast_usd"]  # at least the actual
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
                cost_usd=None if end is None else end - row["budget_usd"],
            )
        )
    return found


def stale(workspaces: pl.DataFrame, now: datetime) -> list[Finding]:
    """Return the workspaces that were not read with the others."""
    return [
        Finding(
            kind="data",
            workspace_id=row["workspace_id"],
            subject=row["workspace_id"],
            detail="stale",
            since=row["last_batch_at"],
            value=(now - row["last_batch_at"]) / timedelta(hours=1),
            unit="hours",
        )
        for row in workspaces.iter_rows(named=True)
        if now - row["last_batch_at"] > STALE_AFTER
    ]


def differing(differences: pl.DataFrame, now: datetime) -> list[Finding]:
    """Return the controls that differ, by workspace."""
    return [
        Finding(
            kind="data",
            workspace_id=row["workspace_id"],
            subject=row["control"],
            detail="control",
            since=now if row["utc_date"] is None else midnight(row["utc_date"]),
            sample_count=row["finding_count"],
            cost_usd=row["difference_usd"],
        )
        for row in differences.iter_rows(named=True)
    ]
