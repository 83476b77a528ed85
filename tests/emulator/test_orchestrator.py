"""Triggered runs: queue, execution and end."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from analytics.emulator import clock
from analytics.emulator.catalogue import SONNET

from .conftest import Api, trigger

if TYPE_CHECKING:
    from analytics.emulator.records import Agent

HALF_A_MINUTE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)


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


@pytest.mark.usefixtures("agent")
def test_a_run_costs_what_is_metered_until_it_ends(api: Api) -> None:
    """A triggered run lives for 8 s at least and has ended within 30 s.

    Its cost and tokens grow as the ledger does, and cost what the model's list price says.
    """
    run = trigger(api)
    records = [now(api, run)]
    for _ in range(30):
        api.world.pass_time(SECOND)
        records.append(now(api, run))
    last, costs = records[-1], api.get(f"/analytics/runs/{run['id']}/costs")

    assert 8 <= [record["status"] for record in records].index("succeeded") <= 30
    assert len({record["cost_usd"] for record in records}) > 4
    for name, total in (("cost_usd", "total_cost"), ("tokens_in", "total_tokens_in")):
        assert last[name] == sum(row[total] for row in costs)
    assert last["cost_usd"] == SONNET.cost(last["tokens_in"], last["tokens_out"])
    [hour] = api.get("/analytics/hourly")
    assert (hour["cost_usd"], hour["agent_id"]) == (last["cost_usd"], last["agent_id"])


@pytest.mark.usefixtures("agent")
def test_a_failed_step_is_retried_without_a_second_event(api: Api) -> None:
    """A flaky step waits longer each time, costs each time, and leaves one event."""
    run = trigger(api, "[flaky]")
    api.world.pass_time(HALF_A_MINUTE)

    record = now(api, run)
    retries = [message for message in messages(api, run) if message.startswith("RETRY")]
    assert record["status"] == "succeeded"
    assert [each.split(": ")[0] for each in retries] == [f"RETRY  step 2 in {n}s" for n in (1, 2)]
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


def test_a_draft_takes_runs_once_it_is_active(api: Api, agent: Agent) -> None:
    """Of an agent's versions, runs go to the active one."""
    draft = api.world.draft_version(agent, agent.versions[0])
    assert api.get("/agents/baker")["draft_version"] == 2
    assert [each["status"] for each in api.get("/agents/baker/versions")] == ["active", "draft"]

    api.world.activate_version(agent, draft)

    assert [each["status"] for each in api.get("/agents/baker/versions")] == ["archived", "active"]
    run = trigger(api)
    assert (run["agent_version"], run["agent_version_id"]) == (2, draft.id)


def test_a_pausing_agent_finishes_its_runs(api: Api, agent: Agent) -> None:
    """A paused agent starts nothing new; an archived one's runs are cancelled by policy."""
    runs = [trigger(api) for _ in range(6)]
    api.world.pass_time(timedelta(seconds=4))
    api.world.change_agent(agent, status="paused")
    api.world.pass_time(SECOND)
    assert now(api, runs[0])["status"] == "running"

    api.world.delete_agent(agent)
    api.world.pass_time(HALF_A_MINUTE)

    assert {now(api, run)["status"] for run in runs} == {"cancelled"}
    assert messages(api, runs[0])[-1] == "CANCELLED  by policy: the agent is archived"
    assert now(api, runs[5])["started_at"] is None


@pytest.mark.usefixtures("agent")
def test_a_request_has_one_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a request does is of one moment, also while the clock runs."""
    seconds = map(float, count())
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    api.world.clock.tick(0.001)

    run = trigger(api)
    session = api.post(f"/sessions/{run['session_id']}/cancel", status=200)

    assert session["created_at"] == run["created_at"] < session["terminated_at"]
    assert session["terminated_at"] == now(api, run)["finished_at"]


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("body", [{}, {"prompt": "a", "initial_state": {}}])
def test_a_run_takes_exactly_one_input(api: Api, body: dict[str, Any]) -> None:
    """Both inputs, or none, start no run, and the message says so."""
    response = api.send("POST", "/agents/baker/runs", body)

    assert response.status_code == 422
    assert "prompt or initial_state" in response.text
    assert api.get("/runs/") == []
