"""The API's figures agree with each other, however they are summed."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from analytics.emulator.worlds.fleet import Fleet

from .conftest import NOW, Api, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

DAY = timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0, minute=0)
MEASURES = ("cost_usd", "tokens_in", "tokens_out")
PAST = {"start": (MIDNIGHT - 25 * DAY).isoformat(), "end": MIDNIGHT.isoformat()}


@pytest.fixture(scope="module", params=["demo, first", "demo, second", "small"])
def served(request: pytest.FixtureRequest, demo_api: Api) -> Iterator[Api]:
    if request.param == "small":
        world = Fleet(7, NOW, agents=3, runs_per_agent=20)
        world.change(0.2)
        with serving(world) as api:
            yield api
    else:
        index = 0 if request.param == "demo, first" else 1
        api = Api(demo_api.emulator, demo_api.world.workspaces[index])
        with api.http:
            yield api


def total(rows: Iterable[dict[str, Any]], *measures: str) -> tuple[Decimal, ...]:
    rows = list(rows)
    return tuple(sum((Decimal(row[m]) for row in rows), Decimal(0)) for m in measures)


def by(rows: list[dict[str, Any]], key: Callable[[dict[str, Any]], Any], *measures: str) -> Any:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return {group: total(members, *measures) for group, members in groups.items()}


def test_agent_totals_are_the_sums_of_their_runs(served: Api) -> None:
    """A1: an agent's totals of a window are those of its runs created in the window."""
    agents = served.get("/analytics/agents", start="2026-08-01", end="2026-12-01")

    assert agents
    for row in agents:
        runs = served.get("/runs/", agent_id=row["agent_id"], limit=200)
        if row["run_count"] <= 200:
            assert len(runs) == row["run_count"]
            assert total(runs, *MEASURES) == total([row], *MEASURES)
            assert max(run["created_at"] for run in runs)[:19] == row["last_run_at"][:19]


def test_platform_activity_is_no_agents(served: Api) -> None:
    """A2: no platform run is in the run list or counted for an agent."""
    platform = {run.id for run in served.workspace.platform_runs}

    assert platform.isdisjoint(run["id"] for run in served.get("/runs/", limit=200))
    assert all(row["agent_id"] for row in served.get("/analytics/agents"))


def test_points_without_an_agent_are_platform_and_unattributed(served: Api) -> None:
    """A3: the by-agent points without an agent sum the entries of runs without an agent."""
    points = served.get("/analytics/timeseries/by-agent", **PAST)
    entries = served.workspace.ledger.between(MIDNIGHT - 25 * DAY, MIDNIGHT)
    expected = sum((e.cost_usd for e in entries if e.run.agent is None), Decimal(0))

    nobody = [point for point in points if point["agent_id"] is None]
    assert total(nobody, "cost_usd") == (expected,)


def test_daily_counts_are_the_runs_by_day_and_status(served: Api) -> None:
    """A4: an agent's daily counts are its runs by UTC day of creation and current status."""
    for agent in served.get("/agents/"):
        rows = served.get("/runs/daily", agent_id=agent["id"], days=90)
        runs = served.get("/runs/", agent_id=agent["id"], limit=200)
        counted = Counter((run["created_at"][:10], run["status"]) for run in runs)
        seen = {(row["date"], row["status"]): row["count"] for row in rows}
        # The oldest day of a full page may be cut.
        oldest = min((day for day, _ in counted), default="")
        for (day, status), count in counted.items():
            if day > oldest:
                assert seen[day, status] == count


def test_agents_sum_to_the_timeseries(served: Api) -> None:
    """A5: in each bucket the by-agent points sum to the timeseries."""
    for granularity in ("day", "hour"):
        whole = served.get("/analytics/timeseries", granularity=granularity, **PAST)
        parts = served.get("/analytics/timeseries/by-agent", granularity=granularity, **PAST)
        money = ("cost_usd", "billed_usd")

        assert whole
        assert by(whole, bucket, *money) == by(parts, bucket, *money)


def test_model_costs_sum_to_the_run(served: Api) -> None:
    """A6: a run's rows by model sum to the run."""
    platform = [served.get(f"/runs/{run.id}") for run in served.workspace.platform_runs.newest(10)]
    for run in served.get("/runs/", limit=40) + platform:
        rows = served.get(f"/analytics/runs/{run['id']}/costs")

        totals = total(rows, "total_cost", "total_tokens_in", "total_tokens_out")
        assert totals == total([run], *MEASURES)


def test_hours_sum_to_the_timeseries(served: Api) -> None:
    """A7: hourly usage over models and hours is the timeseries, and by agent the by-agent one."""
    hours = served.get("/analytics/hourly", **PAST)
    days = served.get("/analytics/timeseries", **PAST)
    agents = served.get("/analytics/timeseries/by-agent", **PAST)

    def day_of(row: dict[str, Any]) -> str:
        return f"{row['hour'][:10]}T00:00:00Z"

    measures = (*MEASURES, "request_count")
    assert by(hours, day_of, *measures) == by(days, bucket, *measures)
    assert by(hours, lambda r: (day_of(r), r["agent_id"]), "cost_usd") == by(
        agents, lambda r: (r["bucket"], r["agent_id"]), "cost_usd"
    )


def test_bills_sum_to_the_timeseries(served: Api) -> None:
    """A8: billing over providers is the timeseries of the day."""
    measures = ("cost_usd", "billed_usd", "tokens_in", "tokens_out", "request_count")
    bills = by(served.get("/analytics/billing", **PAST), lambda r: r["date"], *measures)
    days = by(served.get("/analytics/timeseries", **PAST), lambda r: r["bucket"][:10], *measures)

    assert bills == days


def test_agents_platform_and_unattributed_are_everything(served: Api) -> None:
    """A9: over all time, agents, platform agents and unattributed runs are the timeseries."""
    window = {"start": "2026-01-01", "end": "2026-12-01"}
    measures = (*MEASURES, "billed_usd")
    ledger = served.workspace.ledger
    unattributed = [
        {m: getattr(e, m) for m in measures}
        for e in ledger
        if e.run.agent is None and e.run.platform_agent is None
    ]
    parts = (
        served.get("/analytics/agents", **window)
        + served.get("/analytics/platform-agents", **window)
        + unattributed
    )

    whole = served.get("/analytics/timeseries", **window)
    assert total(parts, *measures) == total(whole, *measures)


def bucket(row: dict[str, Any]) -> str:
    text: str = row["bucket"]
    return text
