"""Triggered runs: queue, execution and end."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from analytics.emulator import World, running, serialize
from analytics.emulator.catalogue import SONNET

from .conftest import NOW, Api, serving, trigger

if TYPE_CHECKING:
    from analytics.emulator.records import Agent

HALF_A_MINUTE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)
LONGEST = timedelta(days=4)  # that an agent of the demo lets a run work


def now(api: Api, run: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = api.get(f"/runs/{run['id']}")
    return record


def messages(api: Api, run: dict[str, Any]) -> list[str]:
    return [event["msg"] for event in api.get(f"/runs/{run['id']}/log/events")["events"]]


def happened(api: Api, run: dict[str, Any]) -> list[str]:
    """Return the events of a run's session, abbreviated."""
    events = api.get(f"/sessions/{run['session_id']}/events")["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return [event.get("status") or event["type"] for event in events]


def seen_while(api: Api, run: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the run's record, second by second, for half a minute."""
    records = [now(api, run)]
    for _ in range(30):
        api.world.pass_time(SECOND)
        records.append(now(api, run))
    return records


@pytest.mark.usefixtures("agent")
def test_a_run_is_pending_then_works_then_succeeds(api: Api) -> None:
    """A triggered run is pending at once, lives for 8 s at least and has ended within 30 s."""
    run = trigger(api)
    assert (run["status"], run["cost_usd"], run["started_at"]) == ("pending", 0, None)
    assert run == now(api, run)

    records = seen_while(api, run)

    statuses = [record["status"] for record in records]
    assert list(dict.fromkeys(statuses)) == ["pending", "running", "succeeded"]
    assert 8 <= statuses.index("succeeded") <= 30
    assert len({record["cost_usd"] for record in records}) > 4


@pytest.mark.usefixtures("agent")
def test_cost_and_tokens_grow_as_the_ledger_does(api: Api) -> None:
    """A run's cost and tokens never fall, cost what the model's list price says, and add up."""
    run = trigger(api)
    for record in (records := seen_while(api, run)):
        costs = api.get(f"/analytics/runs/{run['id']}/costs")
        for name, total in (("cost_usd", "total_cost"), ("tokens_in", "total_tokens_in")):
            if record is records[-1]:
                assert record[name] == sum(row[total] for row in costs)
            assert [r[name] for r in records] == sorted(r[name] for r in records)

    last = records[-1]
    assert last["cost_usd"] == SONNET.cost(last["tokens_in"], last["tokens_out"])
    [hour] = api.get("/analytics/hourly")
    assert (hour["cost_usd"], hour["agent_id"]) == (last["cost_usd"], last["agent_id"])


@pytest.mark.usefixtures("agent")
def test_a_succeeded_run_is_immutable(api: Api) -> None:
    """Nothing changes a run that has succeeded: neither time nor the cancelling of its session."""
    run = trigger(api, "[artifacts]")
    api.world.pass_time(HALF_A_MINUTE)
    paths = (f"/runs/{run['id']}", f"/runs/{run['id']}/log/events", f"/runs/{run['id']}/artifacts")
    before = [api.answer(path).content for path in paths]

    api.post(f"/sessions/{run['session_id']}/cancel", status=200)
    api.world.pass_time(timedelta(days=30))

    assert [api.answer(path).content for path in paths] == before


def test_the_sessions_events_tell_the_run(api: Api, agent: Agent) -> None:
    """Events are the message, the start, one for each step, the answer and the end."""
    run = trigger(api)
    api.world.pass_time(timedelta(hours=3))

    events = happened(api, run)

    steps = events.count("step")
    assert steps >= 4
    ending = ["assistant_message", "succeeded"]
    assert events == ["user_message", "running", *["step"] * steps, *ending]
    session = api.get(f"/sessions/{run['session_id']}")
    assert (session["state"], session["agent_id"]) == ("idle", agent.id)


@pytest.mark.usefixtures("agent")
def test_log_events_grow_while_the_run_works(api: Api) -> None:
    """Log events are only appended, count from 1, and have each step's cost."""
    run = trigger(api)
    path = f"/runs/{run['id']}/log/events"
    before: list[Any] = []
    lengths = set()
    for _ in range(30):
        api.world.pass_time(SECOND)
        events = api.get(path)["events"]
        assert events[: len(before)] == before
        before = events
        lengths.add(len(events))

    assert [event["seq"] for event in before] == list(range(1, len(before) + 1))
    assert len(lengths) > 5
    costs = [event["cost_usd"] for event in before if "cost_usd" in event]
    assert sum(costs) == now(api, run)["cost_usd"]


@pytest.mark.usefixtures("agent")
def test_a_failed_step_is_retried_without_a_second_event(api: Api) -> None:
    """A flaky step waits longer each time, costs each time, and leaves one event."""
    run = trigger(api, "[flaky]")
    api.world.pass_time(HALF_A_MINUTE)

    record = now(api, run)
    retries = [message for message in messages(api, run) if message.startswith("RETRY")]
    assert record["status"] == "succeeded"
    assert [retry.split(": ")[0] for retry in retries] == [
        "RETRY  step 2 in 1s",
        "RETRY  step 2 in 2s",
    ]
    steps = happened(api, run).count("step")
    requests = api.get(f"/analytics/runs/{run['id']}/costs")[0]["request_count"]
    assert requests == steps + 2


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    ("mark", "error"),
    [
        ("[fail]", "ValidationError: "),
        ("[broken]", "given up after 5 attempts"),
        ("[over-budget]", "BudgetExceededError: run budget of $5.00 exceeded"),
        ("[endless]", "Hit max steps (40)"),
        ("[slow] [endless]", "TimeoutError: the run reached its limit of 1 minute"),
    ],
)
def test_a_run_fails_with_a_telling_error(api: Api, agent: Agent, mark: str, error: str) -> None:
    """An error, the budget, the step limit and the time limit each end a run as failed."""
    agent.timeout_minutes = 1 if "slow" in mark else 60
    run = trigger(api, mark)
    api.world.pass_time(timedelta(minutes=3))

    record = now(api, run)

    assert record["status"] == "failed"
    assert error in record["error"]
    assert record["cost_usd"] > 0
    assert messages(api, run)[-1].startswith("FAILED")
    assert happened(api, run)[-1] == "failed"


def test_the_budget_is_the_agents(api: Api, agent: Agent) -> None:
    """A run ends with the request that spends more than the budget, and not before."""
    agent.max_budget = Decimal(2)
    run = trigger(api, "[over-budget]")
    costs = [record["cost_usd"] for record in seen_while(api, run)]

    assert costs[-1] > 2
    assert max(cost for cost in costs if cost < costs[-1]) <= 2


@pytest.mark.usefixtures("agent")
def test_four_runs_work_at_a_time(api: Api) -> None:
    """With more runs than sandboxes, the younger ones wait in pending, and all end."""
    runs = [trigger(api) for _ in range(6)]
    api.world.pass_time(timedelta(seconds=4))
    early = [now(api, run)["status"] for run in runs]
    api.world.pass_time(2 * HALF_A_MINUTE)
    records = [now(api, run) for run in runs]

    assert early == ["running"] * 4 + ["pending"] * 2
    assert {record["status"] for record in records} == {"succeeded"}
    ends = sorted(record["finished_at"] for record in records[:4])
    assert records[4]["started_at"] > ends[0]
    assert records[5]["started_at"] > ends[1]


def test_a_run_keeps_the_state_that_it_was_given(api: Api, agent: Agent) -> None:
    """A state is not a prompt; the session shows it as JSON, and a mark in it steers too."""
    state = {"subject": "Cannot access 🍞", "body": "[fail]"}
    run = api.post(f"/agents/{agent.id}/runs", {"initial_state": state})
    api.world.pass_time(HALF_A_MINUTE)

    [message] = api.get(f"/sessions/{run['session_id']}/events")["events"][:1]

    assert json.loads(message["text"]) == state
    assert run["user_prompt"] is None
    assert now(api, run)["status"] == "failed"


def test_a_pinned_run_rides_its_version(api: Api, agent: Agent) -> None:
    """A version in the path must exist and be active."""
    api.world.publish_version(agent)

    run = api.post("/agents/baker/versions/2/runs", {"prompt": "Bread?"})

    assert (run["agent_version"], run["agent_version_id"]) == (2, agent.versions[1].id)
    body = {"prompt": "Bread?"}
    for version, status in (("1", 409), ("3", 404), ("x", 422)):
        response = api.send("POST", f"/agents/baker/versions/{version}/runs", body)
        assert response.status_code == status


def test_a_pausing_agent_finishes_its_runs(api: Api, agent: Agent) -> None:
    """A paused agent starts nothing new; an archived one's runs are cancelled by policy."""
    runs = [trigger(api) for _ in range(6)]
    api.world.pass_time(timedelta(seconds=4))
    api.world.set_agent_status(agent, "paused")
    api.world.pass_time(SECOND)
    assert now(api, runs[0])["status"] == "running"

    api.world.set_agent_status(agent, "archived")
    api.world.pass_time(HALF_A_MINUTE)

    assert {now(api, run)["status"] for run in runs} == {"cancelled"}
    assert messages(api, runs[0])[-1] == "CANCELLED  by policy: the agent is archived"
    assert now(api, runs[5])["started_at"] is None


def test_an_no_usage_agent_works_for_nothing(api: Api, agent: Agent) -> None:
    """An agent without models has no cost and no tokens, also beyond its budget."""
    agent.offers = ()
    run = trigger(api, "[over-budget]")
    api.world.pass_time(HALF_A_MINUTE)

    record = now(api, run)

    assert record["status"] == "succeeded"
    assert (record["cost_usd"], record["tokens_in"]) == (0, 0)


def test_runs_that_are_asked_for_shift_nothing_that_is_planned() -> None:
    """Planned runs have the same ids and figures, with or without triggered ones."""
    worlds = [World.demo(3, NOW, history_days=3) for _ in range(2)]
    agent = worlds[0].workspaces[0].agent("order-status")
    assert agent
    with running(worlds[0]) as emulator:
        api = Api(emulator, worlds[0].workspaces[0], by_socket=True)
        with api.http:
            mine = {trigger(api, slug="order-status")["id"] for _ in range(3)}
    for world in worlds:
        world.pass_time(timedelta(hours=12))

    told, untold = (world.workspaces[0].runs for world in worlds)
    assert {run_id for run_id in told if run_id not in mine} == set(untold)
    of_run = worlds[1].workspaces[0].ledger.of_run
    for run_id in untold:
        figures = [entry[2:] for entry in worlds[0].workspaces[0].ledger.of_run(run_id)]
        assert figures == [entry[2:] for entry in of_run(run_id)]


def test_the_clock_drives_runs_by_itself() -> None:
    """On a running clock a triggered run continues by itself."""
    world = World.demo(3, NOW, history_days=2)
    with running(world, speed=500) as emulator:
        api = Api(emulator, world.workspaces[0], by_socket=True)
        with api.http:
            run = trigger(api, slug="support-triage")
            while now(api, run)["status"] != "succeeded":
                pass
            assert now(api, run)["finished_at"] > run["created_at"]


def test_open_runs_of_the_history_end_as_the_clock_runs() -> None:
    """Pending and working planned runs go on to their end, as they do when a call passes time."""
    worlds = [World.demo(3, NOW, history_days=2) for _ in range(2)]
    served, passed = (world.workspaces[0] for world in worlds)
    open_ids = [run.id for run in served.runs.values() if run.is_open]
    assert {served.runs[run_id].status for run_id in open_ids} == {"pending", "running"}
    with serving(worlds[0]) as api:
        worlds[0].clock.set(NOW + LONGEST)
        records = [now(api, {"id": run_id}) for run_id in open_ids]
    worlds[1].pass_time(LONGEST)

    assert all(record["finished_at"] for record in records)
    for record, run in zip(records, map(passed.runs.get, open_ids), strict=True):
        assert run
        assert record["status"] == run.status
        assert record["finished_at"] == serialize.timestamp(run.finished_at)
    assert len(served.runs) < len(passed.runs)  # the history begins few other runs by itself


def test_an_archived_agents_planned_runs_are_cancelled() -> None:
    """Archiving an agent cancels its open runs of the planned history by policy."""
    world = World.demo(3, NOW, history_days=2)
    runs = [r for r in world.workspaces[0].agent_runs if r.is_open and r.agent]
    assert runs
    with serving(world) as api:
        for agent in {run.agent.id: run.agent for run in runs if run.agent}.values():
            world.set_agent_status(agent, "archived")
        world.clock.set(NOW + timedelta(seconds=3))
        assert {now(api, {"id": run.id})["status"] for run in runs} == {"cancelled"}
        for run in (run for run in runs if run.started_at):
            last = messages(api, {"id": run.id})[-1]
            assert last == "CANCELLED  by policy: the agent is archived"


def test_many_clients_at_once_see_one_world() -> None:
    """With concurrent triggers and cancellations, every response is complete and adds up."""
    world = World.empty(1, NOW)
    world.add_agent(world.workspaces[0], "Baker", "baker")
    with running(world, speed=100) as emulator:
        api = Api(emulator, world.workspaces[0], by_socket=True)

        def use(number: int) -> dict[str, Any]:
            is_cancelled = number % 3 == 0  # far from its end, however long that takes
            run = trigger(api, "[flaky] [artifacts]" + " [slow]" * is_cancelled)
            if is_cancelled:
                api.post(f"/sessions/{run['session_id']}/cancel", status=200)
            while (record := now(api, run))["status"] in {"pending", "running"}:
                assert sum(1 for r in api.get("/runs/") if r["status"] == "running") <= 4
            rows = api.get(f"/analytics/runs/{run['id']}/costs")
            assert record["cost_usd"] == sum(row["total_cost"] for row in rows)
            return record

        with api.http, ThreadPoolExecutor(6) as pool:
            records = list(pool.map(use, range(18)))
            [day] = api.get("/analytics/timeseries")

    assert {record["status"] for record in records} == {"succeeded", "cancelled"}
    assert day["cost_usd"] == sum(record["cost_usd"] for record in records)
