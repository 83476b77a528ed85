"""Made-up histories of agents, as the inputs of findings, with events in them or without.

Runs follow the days of the week, their tokens have a heavy tail, tokens in that are cached cost a
tenth, and the cached share varies by run and by day. Nothing changes unless an event says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import polars as pl

from analytics.transform.findings.model import findings
from analytics.transform.findings.steps import WINDOW

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_PRICES = 2e-6, 1e-5  # US dollars for a token in, and out
_CACHED = 0.1  # of the price of a token in
_BUSY = (1,) * 7 + (4,) * 12 + (2,) * 5  # the hours of a day, by their part of its runs
_REQUESTS, _ERRORS = 3, 0.003  # of a run; of a request
_CALLS, _TOOL_ERRORS = ("search", "browse"), 0.02
_MOST_DRAWN = 30  # runs of an hour with tokens of their own; more are like these
_EXPENSIVE, _TIMES = 0.005, 15  # runs that cost so much more
_VERSION_COSTS = 500


@dataclass(frozen=True)
class Agent:
    """An agent, its runs a day, its failure rate and its model.

    `cache` has the deviations of the cached share by run and by day; without it, cost is linear in
    tokens. `versions` are the days on which its versions begin.
    """

    name: str
    runs_a_day: float
    failure_rate: float = 0.05
    model: str = "model-1"
    cache: tuple[float, float] | None = None
    versions: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Events:
    """Events: days on which prices rise to a ratio, failure rates of versions, and outages.

    A price is of a model, a failure rate of an agent's version, an outage of the provider, or of
    an agent alone: its day, first hour, hours, and the share of runs that fail.
    """

    prices: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    rates: Mapping[tuple[str, int], float] = field(default_factory=dict)
    outage: tuple[int, int, int, float] | None = None
    failing: Mapping[str, tuple[int, int, int, float]] = field(default_factory=dict)


class History:
    """The hours of some agents, of which a batch reads those before it."""

    def __init__(
        self, agents: Iterable[Agent], day_count: int, seed: int, events: Events | None = None
    ) -> None:
        self._random = Random(seed)
        self._events = events or Events()
        self._agents = [*agents]
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _COLUMNS}
        for agent in self._agents:
            for day in range(day_count):
                self._add_day(agent, day)
        self._frames = {
            name: pl.DataFrame(self._rows.pop(name), schema=columns, orient="row")
            for name, columns in _COLUMNS.items()
        }

    def found(self, days: int) -> list[dict[str, Any]]:
        """Return what a batch finds after so many days."""
        now = START + days * DAY
        since = now - (WINDOW + 1) * DAY
        hours, runs, tools = (
            self._frames[name].filter(pl.col("hour").is_between(since, now, closed="left"))
            for name in ("hours", "runs", "tools")
        )
        versions = self._versions(days)
        costs = self._frames["costs"].filter(pl.col("utc_date") < now.date())
        found = findings(
            now=pl.DataFrame({"last_batch_at": [now]}),
            hours=hours.with_columns(is_whole=pl.lit(value=True)),
            runs=runs.with_columns(is_recent=pl.lit(value=True)),
            tools=pl.concat(
                [
                    tools.drop("agent_id", "error_count", "met_count"),
                    tools.filter(pl.col("error_count") > 0).drop("call_count"),
                ],
                how="diagonal",
            ),
            days=_days(runs, hours),
            versions=versions,
            version_costs=costs.group_by("workspace_id", "agent_id", "agent_version")
            .tail(_VERSION_COSTS)
            .join(_compared(versions), on=["workspace_id", "agent_id", "agent_version"]),
        )
        return found.to_dicts()

    def continued(self, other: History, day: int) -> History:
        """Return this history up to a day, and the other from it on."""
        at = START + day * DAY
        self._frames = {
            name: pl.concat([frame.filter(when < each), other._frames[name].filter(when >= each)])
            for name, frame in self._frames.items()
            for when, each in [
                (pl.col("utc_date"), at.date()) if name == "costs" else (pl.col("hour"), at)
            ]
        }
        return self

    def _add_day(self, agent: Agent, day: int) -> None:
        draw, events = self._random, self._events
        version = sum(day >= first for first in agent.versions)
        rate = events.rates.get((agent.name, version), agent.failure_rate)
        first, ratio = events.prices.get(agent.model, (0, 1.0))
        ratio = ratio if day >= first else 1.0
        by_run, by_day = agent.cache or (0.0, 0.0)
        usual = 0.5 + by_day * draw.gauss(0, 1) if agent.cache else 0.0
        weekday = 0.4 if day % 7 >= 5 else 1.24
        for hour, count in self._spread(self._some(agent.runs_a_day * weekday)):
            at = START + day * DAY + hour * HOUR
            drawn = min(count, _MOST_DRAWN)
            runs = [self._run(usual, by_run if agent.cache else None) for _ in range(drawn)]
            tokens_in, tokens_out = (
                sum(each[place] for each in runs) * count // drawn for place in (0, 1)
            )
            cost = sum(each[2] for each in runs) * count / drawn * ratio
            requests, failed = count * _REQUESTS, self._hits(count, rate)
            errors = self._hits(requests, _ERRORS)
            for outage in (events.outage, events.failing.get(agent.name)):
                if outage and outage[0] == day and outage[1] <= hour < outage[1] + outage[2]:
                    failed = self._hits(count, outage[3])
                    errors += failed if outage is events.outage else 0
            place = "w", agent.name
            usd = Decimal(cost).quantize(Decimal("1e-10"))
            self._rows["hours"].append(
                (*place, at, "openai", agent.model, usd, tokens_in, tokens_out, requests, errors)
            )
            self._rows["runs"].append((*place, version, at, count, failed, usd * failed / count))
            for tool in _CALLS:
                errors = self._hits(count, _TOOL_ERRORS)
                self._rows["tools"].append((*place, tool, at, count, errors, errors))
            for _, _, each in runs[: max(drawn - failed, 0)]:
                self._rows["costs"].append((*place, version, at.date(), each * ratio))

    def _run(self, usual: float, by_run: float | None) -> tuple[int, int, float]:
        draw = self._random
        times = _TIMES if draw.random() < _EXPENSIVE else 1
        tokens_in = int(math.exp(draw.gauss(6.6, 1.1)) * times) + 1
        tokens_out = int(math.exp(draw.gauss(5.0, 0.9)) * times) + 1
        cached = 0.0 if by_run is None else min(1.0, max(0.0, usual + by_run * draw.gauss(0, 1)))
        price_in = _PRICES[0] * (1 - (1 - _CACHED) * cached)
        return tokens_in, tokens_out, tokens_in * price_in + tokens_out * _PRICES[1]

    def _spread(self, count: int) -> Iterable[tuple[int, int]]:
        """Spread runs over the hours of a day."""
        if count > 200:
            counts = {h: self._some(count * w / sum(_BUSY)) for h, w in enumerate(_BUSY)}
        else:
            drawn = self._random.choices(range(24), _BUSY, k=count)
            counts = {hour: drawn.count(hour) for hour in sorted(set(drawn))}
        return [(hour, each) for hour, each in counts.items() if each]

    def _some(self, mean: float) -> int:
        """Draw a number of this mean, of Poisson's distribution."""
        if mean > 50:
            return max(0, round(self._random.gauss(mean, math.sqrt(mean))))
        limit, product, count = math.exp(-mean), self._random.random(), 0
        while product > limit:
            product *= self._random.random()
            count += 1
        return count

    def _hits(self, count: int, rate: float) -> int:
        """Draw a number of hits, of the binomial distribution."""
        if count > 60 and count * rate < 20:
            return min(count, self._some(count * rate))
        if count > 500:
            deviation = math.sqrt(count * rate * (1 - rate))
            return min(count, max(0, round(self._random.gauss(count * rate, deviation))))
        return sum(self._random.random() < rate for _ in range(count))

    def _versions(self, days: int) -> pl.DataFrame:
        rows = [
            ("w", agent.name, number + 1, number, START + first * DAY + 8 * HOUR, None)
            for agent in self._agents
            for number, first in enumerate(agent.versions)
            if number and days - 28 <= first < days
        ]
        return pl.DataFrame(rows, schema=_VERSIONS, orient="row")


def _compared(versions: pl.DataFrame) -> pl.DataFrame:
    """Return the versions of which costs are read."""
    key = ("workspace_id", "agent_id")
    return pl.concat(
        versions.select(*key, agent_version=name) for name in ("agent_version", "previous_version")
    ).unique()


def _days(runs: pl.DataFrame, hours: pl.DataFrame) -> pl.DataFrame:
    key = "workspace_id", "agent_id", pl.col("hour").dt.date().alias("date")
    costs = hours.group_by(*key).agg(cost_usd=pl.col("metered_cost_usd").sum())
    return (
        runs.group_by(*key, maintain_order=True)
        .agg(run_count=pl.col("finished_count").sum())
        .join(costs, on=["workspace_id", "agent_id", "date"], how="left", maintain_order="left")
        .with_columns(
            is_whole=pl.lit(value=True),
            unlisted_failed_count=pl.lit(0),
            unlisted_succeeded_count=pl.lit(0),
            failed_spread_usd=pl.lit(Decimal(0)),
        )
    )


_PLACE: dict[str, Any] = {"workspace_id": pl.String, "agent_id": pl.String}
_AT = pl.Datetime("us", "UTC")
_USD = pl.Decimal(38, 10)
_COLUMNS: dict[str, dict[str, Any]] = {
    "hours": {
        **_PLACE,
        "hour": _AT,
        "provider": pl.String,
        "model": pl.String,
        "metered_cost_usd": _USD,
        "tokens_in": pl.Int64,
        "tokens_out": pl.Int64,
        "request_count": pl.Int64,
        "error_count": pl.Int64,
    },
    "runs": {
        **_PLACE,
        "agent_version": pl.Int64,
        "hour": _AT,
        "finished_count": pl.Int64,
        "failed_count": pl.Int64,
        "failed_cost_usd": _USD,
    },
    "tools": {
        **_PLACE,
        "tool_name": pl.String,
        "hour": _AT,
        "call_count": pl.Int64,
        "error_count": pl.Int64,
        "met_count": pl.Int64,
    },
    "costs": {**_PLACE, "agent_version": pl.Int64, "utc_date": pl.Date, "cost": pl.Float64},
}
_VERSIONS: dict[str, Any] = {
    **_PLACE,
    "agent_version": pl.Int64,
    "previous_version": pl.Int64,
    "first_run_at": _AT,
    "until": _AT,
}
