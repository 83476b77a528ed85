"""Findings that need a test of chance, each where another does not say the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime, timedelta

import polars as pl

from analytics.transform.findings import steps
from analytics.transform.findings.bursts import bursts, with_runs
from analytics.transform.findings.finding import RECENT_DAYS, SCHEMA, Begun, Finding
from analytics.transform.findings.versions import worse_versions
from analytics.transform.models import Header, polars_model

_AN_HOUR = timedelta(hours=1)
_ABOUT, _ABOUT_OF_RUNS = timedelta(days=2), timedelta(days=7)  # between what is one and the same
_FEWEST_RUNS = 5  # of a day, by which the cost of a run is known


def findings(
    *,
    now: pl.DataFrame,
    hours: pl.DataFrame,
    runs: pl.DataFrame,
    tools: pl.DataFrame,
    days: pl.DataFrame,
    versions: pl.DataFrame,
    version_costs: pl.DataFrame,
) -> pl.DataFrame:
    """Return one row a finding, as `finding.SCHEMA` has it; its frames are of `queries/frames/`."""
    last: datetime | None = now["last_batch_at"].item()
    if last is None:
        return pl.DataFrame(schema=SCHEMA)
    recent = last - timedelta(days=RECENT_DAYS)
    whole = hours.filter("is_whole").with_columns(utc_date=pl.col("hour").dt.date())
    recent_runs = runs.filter("is_recent")
    errors = _errors(hours, tools, recent_runs)
    of_services = [
        each for of in ("provider", "tool") for each in bursts(of, errors[of], recent, last)
    ]
    began = _days_by_agent(versions, pl.col("first_run_at").dt.date())
    priced = steps.price_steps(whole, began)
    stepped = _stepped(priced, whole)
    worse = worse_versions(versions, _without(runs, of_services, last), version_costs, stepped)
    is_worse = defaultdict[tuple[str, str], list[Finding]](list)
    for each in worse:
        is_worse[each.workspace_id, each.agent_id].append(each)

    def explained(workspace_id: str, agent_id: str, since: date) -> bool:
        agent = workspace_id, agent_id
        days = {*stepped.get(agent, ()), *(each.since.date() for each in is_worse.get(agent, ()))}
        return any(abs(day - since) <= _ABOUT for day in days)

    of_runs = steps.cost_jumps("run", _run_days(days), explained)
    raised = _days_by_agent(
        pl.DataFrame(map(asdict, of_runs), schema=SCHEMA), pl.col("since").dt.date()
    )

    def explained_too(workspace_id: str, agent_id: str, since: date) -> bool:
        of_agent = raised.get((workspace_id, agent_id), ())
        return explained(workspace_id, agent_id, since) or any(
            abs(day - since) <= _ABOUT_OF_RUNS for day in of_agent
        )

    of_agents = [
        each
        for each in bursts("agent", errors["agent"], recent, last, _unlisted(days))
        if not any(
            _overlap(each, other)
            for other in (*of_services, *is_worse[each.workspace_id, each.agent_id])
            if each.workspace_id == other.workspace_id
        )
    ]
    found = [
        *worse,
        *priced,
        *with_runs([*of_services, *of_agents], errors, recent_runs, days),
        *of_runs,
        *steps.cost_jumps("day", _agent_days(whole), explained_too),
    ]
    return pl.DataFrame(list(map(asdict, found)), schema=SCHEMA)


def _errors(
    hours: pl.DataFrame, tools: pl.DataFrame, runs: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Return errors by subject and hour: of model providers, of tools, and of agents' runs."""
    return {
        "provider": hours.rename({"provider": "subject", "request_count": "try_count"}),
        "tool": tools.rename({"tool_name": "subject", "call_count": "try_count"}),
        "agent": runs.rename(
            {"failed_count": "error_count", "finished_count": "try_count"}
        ).with_columns(subject="agent_id"),
    }


def _unlisted(days: pl.DataFrame) -> pl.DataFrame:
    """Return how many of the unlisted runs of agents that finished failed, under their UTC day."""
    failed = pl.col("unlisted_failed_count")
    return days.select(
        "workspace_id",
        subject="agent_id",
        hour=pl.col("date").cast(pl.Datetime("us", "UTC")),
        error_count=failed,
        try_count=failed + pl.col("unlisted_succeeded_count"),
    )


def _without(by_hour: pl.DataFrame, bursts: Iterable[Finding], last: datetime) -> pl.DataFrame:
    """Return rows by hour without those of hours of bursts of the same workspace."""
    odd = [
        (each.workspace_id, each.since + hour * _AN_HOUR)
        for each in bursts
        for hour in range(((each.until or last + _AN_HOUR) - each.since) // _AN_HOUR)
    ]
    key = ["workspace_id", "hour"]
    schema = by_hour.select(key).schema
    return by_hour.join(pl.DataFrame(odd, schema=schema, orient="row"), on=key, how="anti")


def _days_by_agent(frame: pl.DataFrame, day: pl.Expr) -> Begun:
    found = defaultdict[tuple[str, str], set[date]](set)
    for workspace_id, agent_id, each in frame.select(
        "workspace_id", "agent_id", day.alias("day")
    ).iter_rows():
        found[workspace_id, agent_id].add(each)
    return found


def _stepped(priced: list[Finding], hours: pl.DataFrame) -> Begun:
    """Return the days on which the price of a model stepped, for each agent that uses it."""
    prices = pl.DataFrame(
        [(each.workspace_id, each.detail, each.subject, each.since.date()) for each in priced],
        schema={"workspace_id": str, "provider": str, "model": str, "since": pl.Date},
        orient="row",
    )
    use = hours.select("workspace_id", "agent_id", "provider", "model").unique()
    return _days_by_agent(
        use.join(prices, on=["workspace_id", "provider", "model"]), pl.col("since")
    )


def _agent_days(hours: pl.DataFrame) -> pl.DataFrame:
    """Return what agents cost a UTC day, of days on which they cost something."""
    return (
        hours.group_by("workspace_id", "agent_id", date="utc_date")
        .agg(usd=pl.col("metered_cost_usd").sum(), part_count=pl.lit(1))
        .filter(pl.col("usd") > 0, pl.col("agent_id").str.starts_with("(").not_())
        .sort("workspace_id", "agent_id", "date")
    )


def _run_days(days: pl.DataFrame) -> pl.DataFrame:
    """Return what the runs of agents cost, listed or not, of complete days with some runs."""
    return (
        days.filter("is_whole", pl.col("run_count") >= _FEWEST_RUNS, pl.col("cost_usd") > 0)
        .select("workspace_id", "agent_id", "date", usd="cost_usd", part_count="run_count")
        .sort("workspace_id", "agent_id", "date")
    )


def _overlap(one: Finding, other: Finding) -> bool:
    return (other.until is None or one.since <= other.until) and (
        one.until is None or other.since <= one.until
    )


FOUND = polars_model(
    "intermediate.int_findings",
    findings,
    Header(
        "Findings of tests of chance, without their words: versions, prices, bursts of errors and"
        " costs. Grain: finding and its beginning.",
        key=("kind", "workspace_id", "agent_id", "subject", "detail", "since"),
    ),
)
