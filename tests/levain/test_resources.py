"""Each resource of the API, read and written over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from analytics.emulator.records import Agent
from analytics.emulator.runs.logs import log_events
from analytics.emulator.server import Emulator
from analytics.levain import Levain, LevainError, NotFoundError, RefusedError
from analytics.levain.records import Session
from analytics.levain.sessions import Sessions
from tests.conftest import NOW, StartRun

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
    assert levain.runs.get(run.id) == levain.runs.wait(run.id) == states[-1]


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


@pytest.mark.usefixtures("agent")
def test_cancelling_is_by_the_session(api: Emulator, levain: Levain) -> None:
    """`cancel` terminates the run's session, which then takes no message.

    Its events stay readable.
    """
    run = levain.runs.trigger("baker", prompt="[slow] Bread?")
    api.world.pass_time(timedelta(seconds=5))

    levain.runs.cancel(run.id)
    api.world.pass_time(timedelta(minutes=2))

    assert run.session_id
    assert levain.runs.wait(run.id).status == "cancelled"
    assert levain.sessions.get(run.session_id).state == "terminated"
    with pytest.raises(RefusedError, match="terminated"):
        levain.sessions.send_message(run.session_id, "And rolls?")
    assert next(iter(levain.sessions.events(run.session_id))).type == "user_message"


@pytest.mark.usefixtures("agent")
def test_a_cancelled_run_that_cannot_be_read(
    api: Emulator, levain: Levain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of a run that was cancelled, and could not be read since, says so."""
    run = levain.runs.trigger("baker", prompt="Bread?")
    cancel = Sessions.cancel

    async def cancel_then_fail(self: Sessions, session_id: str) -> Session:
        session = await cancel(self, session_id)
        api.faults.add("/runs/", "403", 1)
        return session

    monkeypatch.setattr(Sessions, "cancel", cancel_then_fail)
    with pytest.raises(LevainError, match=r"^cancel .*: it was accepted, .* not be read: HTTP 403"):
        levain.runs.cancel(run.id)

    assert levain.runs.get(run.id).status == "cancelled"


@pytest.mark.usefixtures("agent")
def test_a_message_is_another_run_of_the_session(api: Emulator, levain: Levain) -> None:
    """A message starts another run of its session; `since` reads the events after a `seq`.

    `cancel` of the run that ended leaves the session alone, which executes the other.
    """
    first = levain.runs.trigger("baker", prompt="Bread?")
    api.world.pass_time(RUN)
    assert first.session_id
    seen = max(event.seq or 0 for event in levain.sessions.events(first.session_id))

    (said,) = levain.sessions.send_message(first.session_id, "And rolls?").events
    assert levain.runs.cancel(first.id).status == "succeeded"
    assert levain.sessions.get(first.session_id).terminated_at is None
    api.world.pass_time(RUN)

    later = list(levain.sessions.events(first.session_id, since=seen))
    assert (said.text, later[0].text) == ("And rolls?", "And rolls?")
    assert {event.run_id for event in later}.isdisjoint({first.id})
    assert [run.status for run in levain.runs.list()] == ["succeeded"] * 2


def test_agents_and_versions_are_read(levain: Levain, agent: Agent) -> None:
    """An agent is found by id and slug, with its limits; its versions by either."""
    found = levain.agents.get(agent.id)

    assert [found] == [levain.agents.get("baker")] == list(levain.agents.list())
    assert found.config
    assert (found.config.max_budget, found.config.timeout_minutes) == (Decimal(5), 60)
    for name in (agent.id, "baker"):
        assert [(each.version, each.status) for each in levain.versions.list(name)] == [
            (1, "active")
        ]


def test_schedules_are_made_paused_and_deleted(api: Emulator, levain: Levain, agent: Agent) -> None:
    """A schedule starts runs; a paused one starts none; a deleted one is not found."""
    made = levain.schedules.create(agent.id, "*/10 * * * *", prompt="Bread?")
    api.world.pass_time(timedelta(minutes=25))
    assert len(list(levain.runs.list())) == 2

    paused = levain.schedules.update(made.id, enabled=False)
    api.world.pass_time(timedelta(hours=1))

    assert (paused.enabled, len(list(levain.runs.list()))) == (False, 2)
    assert [each.id for each in levain.schedules.list(agent.id)] == [made.id]
    levain.schedules.delete(made.id)
    with pytest.raises(NotFoundError):
        levain.schedules.get(made.id)


def test_provider_keys_come_without_their_secret(levain: Levain) -> None:
    """A key is added, listed by its last four characters, and revoked."""
    added = levain.byok.add("anthropic", "sk-secret-1234")

    (listed,) = levain.byok.list()
    assert (listed.key_id, listed.provider) == (added.key_id, "anthropic")
    assert listed.last_four == "1234"
    levain.byok.revoke(added.key_id)
    assert list(levain.byok.list()) == []


@pytest.mark.usefixtures("agent")
def test_artifacts_are_listed_and_downloaded(api: Emulator, levain: Levain, tmp_path: Path) -> None:
    """Artifacts have keys with slashes and URLs that need no key; at most 1,000 are listed."""
    run = levain.runs.trigger("baker", prompt="[artifacts:1200] Bread?")
    api.world.pass_time(RUN)

    listed = levain.artifacts.list(run.id)
    first = listed.artifacts[0]
    size = levain.artifacts.download(run.id, first.key, tmp_path / "first")

    assert (len(listed.artifacts), listed.truncated) == (1000, True)
    assert size == first.size_bytes == (tmp_path / "first").stat().st_size
    with pytest.raises(FileExistsError):
        levain.artifacts.download(run.id, first.key, tmp_path / "first")
    with pytest.raises(NotFoundError):
        levain.artifacts.url(run.id, "../../x")


def test_analytics_are_typed(
    api: Emulator, levain: Levain, agent: Agent, start_run: StartRun
) -> None:
    """Every series returns exact money and instants in UTC, of the days that are asked for."""
    start_run(hours_ago=30)
    run = start_run(cost="0.1000000001")
    cost, day = Decimal("0.1000000001"), date(2026, 11, 20)
    window = (day, day + timedelta(days=1))
    analytics = levain.analytics

    assert analytics.summary("day").current.cost_usd == cost
    (hour,) = analytics.hourly(*window)
    (by_agent,) = analytics.timeseries_by_agent(*window, granularity="hour")
    (total,) = analytics.agents(*window)
    (billed,) = analytics.billing(*window)
    assert {hour.cost_usd, by_agent.cost_usd, total.cost_usd} == {cost}
    assert (billed.date, billed.cost_usd, by_agent.agent_id) == ("2026-11-20", cost, agent.id)
    assert hour.hour == NOW.replace(hour=5, minute=0)
    assert hour.hour.tzinfo == UTC
    assert list(analytics.platform_agents(*window)) == []
    (count,) = levain.runs.daily(agent.id, days=1)
    assert (count.date, count.status, count.count) == ("2026-11-20", "succeeded", 1)
    for new_cost_names in (True, False):  # one field of the client, whatever the API calls it
        api.world.variants.new_cost_names = new_cost_names
        (model,) = analytics.run_costs(run.id)
        assert (model.cost_usd, model.tokens_in, model.tokens_out) == (cost, 1000, 100)
