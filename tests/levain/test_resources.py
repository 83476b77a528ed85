"""Each resource of the API, read and written over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from analytics.emulator.outputs import log_events
from analytics.emulator.records import Agent
from analytics.emulator.server import Emulator
from analytics.levain import Levain, NotFoundError
from tests.worlds import NOW, StartRun

RUN = timedelta(seconds=60)
pytestmark = pytest.mark.usefixtures("fast_polls")


@pytest.fixture
def levain(api: Emulator) -> Iterator[Levain]:
    with Levain(api.world.workspaces[0].api_key, api.url) as client:
        yield client


@pytest.mark.usefixtures("agent")
def test_a_run_is_triggered_and_watched_to_its_end(levain: Levain) -> None:
    """A run is pending at first, then grows, then stays as it is; each state is yielded once."""
    run = levain.runs.trigger("baker", initial_state={"subject": "Cannot access my account"})
    assert (run.status, run.cost_usd) == ("pending", 0)
    states = list(levain.runs.watch(run.id))

    assert [states[0].status, states[-1].status] == ["pending", "succeeded"]
    costs = [state.cost_usd or Decimal(0) for state in states]
    assert costs == sorted(costs)
    assert costs[0] == 0 < costs[-1]
    assert all(one != other for one, other in pairwise(states))
    assert levain.runs.get(run.id) == states[-1]


def test_following_tells_once_of_an_event_that_cannot_be_read(
    api: Emulator, levain: Levain, start_run: StartRun
) -> None:
    """An undecodable event is reported once, and the following events are read."""
    api.world.variants.open_run_events = True
    run = start_run(status="running")
    booted = log_events(run)[0]
    run.log = [booted, booted | {"seq": 2, "ts": "noon"}]
    following = iter(levain.runs.follow(run.id))
    steps = [next(following)]
    run.log = [*run.log, booted | {"seq": 3}]
    api.world.finish_run(run, "succeeded", at=NOW)
    steps += following

    assert [event.seq for step in steps for event in step.events] == [1, 3]
    assert [str(error).partition(":")[0] for step in steps for error in step.unreadable] == [
        "LogEvent 2"
    ]


def test_agents_and_versions_are_read(levain: Levain, agent: Agent) -> None:
    """Agents come with their limits, and the versions of one by its id or slug."""
    (found,) = levain.agents.list()

    assert (found.id, found.slug) == (agent.id, "baker")
    assert found.config
    assert (found.config.max_budget, found.config.timeout_minutes) == (Decimal(5), 60)
    for name in (agent.id, "baker"):
        assert [(each.version, each.status) for each in levain.agents.versions(name)] == [
            (1, "active")
        ]


@pytest.mark.usefixtures("agent")
def test_artifacts_are_listed_and_downloaded(api: Emulator, levain: Levain, tmp_path: Path) -> None:
    """Artifacts have keys with slashes and URLs that need no key; at most 1,000 are listed."""
    run = levain.runs.trigger("baker", prompt="[artifacts:1200] Bread?")
    api.world.pass_time(RUN)

    listed = levain.runs.artifacts(run.id)
    first = listed.artifacts[0]
    size = levain.runs.download_artifact(run.id, first.key, tmp_path / "first")

    assert (len(listed.artifacts), listed.truncated) == (1000, True)
    assert size == first.size_bytes == (tmp_path / "first").stat().st_size
    with pytest.raises(FileExistsError):
        levain.runs.download_artifact(run.id, first.key, tmp_path / "first")
    with pytest.raises(NotFoundError):
        levain.runs.download_artifact(run.id, "../../x", tmp_path / "none")


def test_analytics_are_typed(levain: Levain, agent: Agent, start_run: StartRun) -> None:
    """Every series returns exact money and instants in UTC, of the days that are asked for."""
    start_run(hours_ago=30)
    run = start_run(cost="0.1000000001")
    cost, day = Decimal("0.1000000001"), date(2026, 11, 20)
    window = (day, day + timedelta(days=1))
    analytics = levain.analytics

    assert analytics.summary("day").current.cost_usd == cost
    (hour,) = analytics.hourly(*window)
    (by_agent,) = analytics.timeseries_by_agent(*window)
    (total,) = analytics.agents(*window)
    (billed,) = analytics.billing(*window)
    assert {hour.cost_usd, by_agent.cost_usd, total.cost_usd} == {cost}
    assert (billed.date, billed.cost_usd, by_agent.agent_id) == ("2026-11-20", cost, agent.id)
    assert hour.hour
    assert (hour.hour, hour.hour.tzinfo) == (NOW.replace(hour=5, minute=0), UTC)
    assert list(analytics.platform_agents(*window)) == []
    (count,) = levain.runs.daily(agent.id, days=1)
    assert (count.date, count.status, count.count) == ("2026-11-20", "succeeded", 1)
    (model,) = analytics.run_costs(run.id)
    assert (model.cost_usd, model.tokens_in, model.tokens_out) == (cost, 1000, 100)
