"""Findings of all kinds, each where another does not say the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta

import polars as pl

from analytics.transform.findings import standing, steps
from analytics.transform.findings.bursts import bursts, with_runs
from analytics.transform.findings.finding import SCHEMA, Begun, Finding, in_utc
from analytics.transform.findings.inputs import INPUTS
from analytics.transform.findings.versions import worse_versions
from analytics.transform.models import Header, polars_model

_AN_HOUR = timedelta(hours=1)
_ABOUT, _ABOUT_OF_RUNS = timedelta(days=2), timedelta(days=7)  # between what is one and the same
_AGENT = ("workspace_id", "agent_id")
_FEWEST_RUNS = 5  # of a day, by which the cost of a run is known


def findings(
    workspaces: pl.DataFrame,
    agents: pl.DataFrame,
    hours: pl.DataFrame,
    runs: pl.DataFrame,
    tools: pl.DataFrame,
    tool_errors: pl.DataFrame,
    days: pl.DataFrame,
    versions: pl.DataFrame,
    version_hours: pl.DataFrame,
    version_costs: pl.DataFrame,
    intervals: pl.DataFrame,
    idle: pl.DataFrame,
    repeated: pl.DataFrame,
) -> pl.DataFrame:
    """Return one row a finding, as `finding.SCHEMA` has it."""
    if workspaces.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    last: datetime = workspaces["last_batch_at"].max()  # type: ignore[assignment]
    recent = last - timedelta(days=standing.RECENT_DAYS)
    whole = hours.filter("is_whole").with_columns(utc_date=pl.col("hour").dt.date())
    errors = _errors(hours, pl.concat([tools, tool_errors], how="diagonal"), runs)
    of_services = [
        each for of in ("provider", "tool") for each in bursts(of, errors[of], recent, last)
    ]
    began = _days_by_agent(versions, pl.col("first_run_at").dt.date())
    priced = steps.price_steps(whole, began)
    stepped = _stepped(priced, whole)
    worse = worse_versions(
        versions, _without(version_hours, of_services, last), version_costs, stepped
    )
    is_worse = defaultdict[tuple[str, str], list[Finding]](list)
    for each in worse:
        is_worse[each.workspace_id, each.agent_id].append(each)

    def explained(workspace_id: str, agent_id: str, since: date) -> bool:
        agent = workspace_id, agent_id
        days = {*stepped.get(agent, ()), *(each.since.date() for each in is_worse.get(agent, ()))}
        return any(abs(day - since) <= _ABOUT for day in days)

    met = {
        "provider": errors["provider"],
        "tool": tool_errors.rename({"tool_name": "subject"}),
        "agent": errors["agent"],
    }
    of_runs = steps.cost_jumps("run", _run_days(agents, days), explained)
    raised = _days_by_agent(
        pl.DataFrame(map(asdict, of_runs), schema=SCHEMA), pl.col("since").dt.date()
    )

    def explained_too(workspace_id: str, agent_id: str, since: date) -> bool:
        of_agent = raised.get((workspace_id, agent_id), ())
        return explained(workspace_id, agent_id, since) or any(
            abs(day - since) <= _ABOUT_OF_RUNS for day in of_agent
        )

    jumps = [*of_runs, *steps.cost_jumps("day", _agent_days(whole), explained_too)]
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
        *with_runs([*of_services, *of_agents], met, runs, days),
        *jumps,
        *standing.waste("idle_runs", idle),
        *standing.waste(
            "repeated_errors", _unexplained(repeated, worse, [*of_services, *of_agents], last)
        ),
        *standing.with_unlisted(
            standing.changed_agents(agents, days), standing.unlisted_runs(agents, days, intervals)
        ),
    ]
    return pl.DataFrame(list(map(asdict, found)), schema=SCHEMA)


def _errors(
    hours: pl.DataFrame, tools: pl.DataFrame, runs: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Return errors by subject and hour: of model providers, of tools, and of agents' runs."""
    subject = pl.col("agent_id").alias("subject")
    return {
        "provider": hours.rename({"provider": "subject", "request_count": "try_count"}),
        "tool": tools.rename({"tool_name": "subject", "call_count": "try_count"}),
        "agent": runs.with_columns(subject).rename(
            {"failed_count": "error_count", "finished_count": "try_count"}
        ),
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


def _without(
    by_hour: pl.DataFrame,
    bursts: Iterable[Finding],
    last: datetime,
    of: tuple[str, ...] = ("workspace_id",),
) -> pl.DataFrame:
    """Return rows by hour without those of hours of bursts, `of` the same workspace or subject."""
    odd = [
        (*(getattr(each, name) for name in of), each.since + hour * _AN_HOUR)
        for each in bursts
        for hour in range(((each.until or last + _AN_HOUR) - each.since) // _AN_HOUR)
    ]
    return _besides(by_hour, (*of, "hour"), odd)


def _besides(
    frame: pl.DataFrame, names: Sequence[str], values: Sequence[tuple[object, ...]]
) -> pl.DataFrame:
    """Return the rows whose columns of these names have none of the values."""
    schema = {name: frame.schema[name] for name in names}
    return frame.join(pl.DataFrame(values, schema=schema, orient="row"), on=names, how="anti")


def _unexplained(
    repeated: pl.DataFrame, worse: Iterable[Finding], bursts: Sequence[Finding], last: datetime
) -> pl.DataFrame:
    """Return sums of agents' runs, of which some repeat errors or end at a limit, by what it is.

    Left out is what another finding tells: runs of a version that fails more often, calls of a tool
    while it failed, and an agent's own burst.
    """
    if repeated.is_empty():
        return repeated
    failing = [
        (each.workspace_id, each.agent_id, int(each.subject.removeprefix("v")))
        for each in worse
        if each.unit == "share"
    ]
    left = _besides(repeated, (*_AGENT, "agent_version"), failing)
    for of, names in (("tool", ("workspace_id", "subject")), ("agent", _AGENT)):
        left = _without(left, (each for each in bursts if each.detail == of), last, names)
    return left.group_by(*_AGENT, "subject", "detail", maintain_order=True).agg(
        pl.col("run_count", "of_count", "earlier_count", "cost_usd").sum(), pl.min("first_at")
    )


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


def _run_days(agents: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return what the runs of agents cost, listed or not, of complete days with some runs."""
    return (
        days.join(
            agents.select("workspace_id", "agent_id", "last_date"), on=["workspace_id", "agent_id"]
        )
        .filter(
            pl.col("date") <= pl.col("last_date"),
            pl.col("run_count") >= _FEWEST_RUNS,
            pl.col("cost_usd") > 0,
        )
        .select("workspace_id", "agent_id", "date", usd="cost_usd", part_count="run_count")
        .sort("workspace_id", "agent_id", "date")
    )


def _overlap(one: Finding, other: Finding) -> bool:
    return (other.until is None or one.since <= other.until) and (
        one.until is None or other.since <= one.until
    )


FOUND = polars_model(
    "intermediate.int_findings",
    header=Header(
        "Findings, without their words: see fct_findings. Grain: finding and its beginning.",
        key=("kind", "workspace_id", "agent_id", "subject", "detail", "since"),
    ),
    inputs=INPUTS,
    compute=lambda *frames: findings(*in_utc(*frames)),
)
