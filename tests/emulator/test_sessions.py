"""Sessions: turn after turn, until they are cancelled."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from analytics.emulator import World
from analytics.emulator.runs.platform import BUILDER

from .conftest import NOW, Api, serving, trigger

if TYPE_CHECKING:
    from analytics.emulator.records import Agent

HALF_A_MINUTE = timedelta(seconds=30)


def events(api: Api, session_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/sessions/{session_id}/events")["events"]
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    return found


def say(api: Api, session_id: str, text: str, status: int = 200) -> Any:
    return api.post(f"/sessions/{session_id}/messages", {"prompt": text}, status=status)


def cancel(api: Api, session_id: str) -> Any:
    return api.post(f"/sessions/{session_id}/cancel", status=200)


def state(api: Api, run: dict[str, Any]) -> str:
    return str(api.get(f"/runs/{run['id']}")["status"])


@pytest.mark.usefixtures("agent")
def test_a_message_runs_another_turn(api: Api) -> None:
    """A message returns its event alone, and starts another run of the session."""
    first = trigger(api)
    api.world.pass_time(HALF_A_MINUTE)
    before = events(api, first["session_id"])

    session = say(api, first["session_id"], "And butter?")

    [message] = session["events"]
    assert (message["type"], message["text"]) == ("user_message", "And butter?")
    assert (session["state"], message["seq"]) == ("active", len(before) + 1)
    second, one = api.get("/runs/")
    assert (second["id"], one["id"]) == (message["run_id"], first["id"])
    assert (second["session_id"], second["status"]) == (first["session_id"], "pending")
    assert second["agent_version_id"] == first["agent_version_id"]

    api.world.pass_time(HALF_A_MINUTE)

    assert state(api, second) == "succeeded"
    assert events(api, first["session_id"])[: len(before)] == before


def test_a_turn_rides_the_version_on_which_its_session_began(api: Api, agent: Agent) -> None:
    """A version published since does not change a conversation."""
    run = trigger(api)
    api.world.publish_version(agent)

    say(api, run["session_id"], "And butter?")

    assert [r["agent_version"] for r in api.get("/runs/")] == [1, 1]


@pytest.mark.usefixtures("agent")
def test_turns_of_a_session_come_one_after_the_other(api: Api) -> None:
    """A message while a turn runs is accepted and waits, though sandboxes are free."""
    run = trigger(api)
    api.world.pass_time(timedelta(seconds=3))
    for text in ("And butter?", "And salt?"):
        say(api, run["session_id"], text)
    api.world.pass_time(timedelta(seconds=4))
    assert {r["status"] for r in api.get("/runs/")} == {"running", "pending"}

    api.world.pass_time(3 * HALF_A_MINUTE)

    runs = sorted(api.get("/runs/"), key=lambda run: run["started_at"])
    assert {run["status"] for run in runs} == {"succeeded"}
    for earlier, later in pairwise(runs):
        assert later["started_at"] > earlier["finished_at"]
    assert {event["run_id"] for event in events(api, run["session_id"])} == {r["id"] for r in runs}


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("text", ["[fail]", "Bread?"])
def test_a_session_goes_on_after_any_end(api: Api, text: str) -> None:
    """An idle session resumes, also after a failed run."""
    run = trigger(api, text)
    api.world.pass_time(HALF_A_MINUTE)

    say(api, run["session_id"], "Again?")
    api.world.pass_time(HALF_A_MINUTE)

    assert api.get("/runs/")[0]["status"] == "succeeded"


@pytest.mark.usefixtures("agent")
def test_cancelling_drains_the_step_in_flight(api: Api) -> None:
    """The run works on until its step is done, which still costs, and then is cancelled."""
    run = trigger(api)
    path = f"/runs/{run['id']}"
    while api.get(path)["cost_usd"] == 0:
        api.world.pass_time(timedelta(seconds=0.5))
    session = cancel(api, run["session_id"])
    at_call = api.get(path)
    api.world.pass_time(timedelta(seconds=5))
    after = api.get(path)
    api.world.pass_time(timedelta(hours=1))

    assert (session["state"], session["events"]) == ("terminated", [])
    assert session["terminated_at"] is not None
    assert (at_call["status"], after["status"]) == ("running", "cancelled")
    assert after["cost_usd"] > at_call["cost_usd"] > 0
    assert after["finished_at"] > session["terminated_at"]
    assert api.get(path) == after
    kinds = [event["type"] for event in events(api, run["session_id"])]
    assert kinds == ["user_message", "status", "step", "status"]
    assert events(api, run["session_id"])[-1]["status"] == "cancelled"


@pytest.mark.usefixtures("agent")
def test_a_pending_run_is_cancelled_at_once(api: Api) -> None:
    """A pending run is cancelled without cost or start; runs behind it move up."""
    runs = [trigger(api) for _ in range(5)]
    cancel(api, runs[0]["session_id"])
    record = api.get(f"/runs/{runs[0]['id']}")
    api.world.pass_time(HALF_A_MINUTE)

    assert (record["status"], record["cost_usd"], record["started_at"]) == ("cancelled", 0, None)
    assert [state(api, run) for run in runs] == ["cancelled"] + ["succeeded"] * 4


@pytest.mark.usefixtures("agent")
def test_every_turn_of_a_cancelled_session_ends(api: Api) -> None:
    """The turn that runs and those that wait are all cancelled."""
    run = trigger(api)
    api.world.pass_time(timedelta(seconds=4))
    for _ in range(3):
        say(api, run["session_id"], "More?")
    cancel(api, run["session_id"])
    api.world.pass_time(HALF_A_MINUTE)

    assert {r["status"] for r in api.get("/runs/")} == {"cancelled"}
    assert [r["started_at"] is None for r in api.get("/runs/")].count(True) == 3


@pytest.mark.usefixtures("agent")
def test_a_step_that_waits_to_be_retried_is_not_in_flight(api: Api) -> None:
    """Cancelled during a back-off, a run ends there and then."""
    run = trigger(api, "[flaky]")
    path = f"/runs/{run['id']}/log/events"
    while not any(e["msg"].startswith("RETRY") for e in api.get(path)["events"]):
        api.world.pass_time(timedelta(seconds=0.2))

    cancel(api, run["session_id"])

    assert state(api, run) == "cancelled"


@pytest.mark.usefixtures("agent")
def test_a_terminated_session_takes_no_message(api: Api) -> None:
    """Its events stay readable, a message is refused, and cancelling again changes nothing."""
    run = trigger(api)
    session = cancel(api, run["session_id"])
    before = events(api, run["session_id"])

    refusal = say(api, run["session_id"], "Hello?", status=409)

    assert "start a new one" in refusal["detail"]
    assert cancel(api, run["session_id"]) == session
    assert events(api, run["session_id"]) == before
    assert len(api.get("/runs/")) == 1


def test_a_paused_agent_takes_no_message(api: Api, agent: Agent) -> None:
    """A turn is a run, and a paused agent has no new ones."""
    run = trigger(api)
    api.world.set_agent_status(agent, "paused")

    assert "paused" in say(api, run["session_id"], "Hello?", status=409)["detail"]


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("body", [None, {}, {"prompt": ""}, {"content": "x"}, {"prompt": 1}])
def test_a_message_needs_words(api: Api, body: object) -> None:
    """A message without a prompt or state is refused with 422, and runs nothing."""
    run = trigger(api)

    response = api.send("POST", f"/sessions/{run['session_id']}/messages", body)

    assert response.status_code == 422
    assert len(api.get("/runs/")) == 1


def test_sessions_that_are_not_there_cannot_be_changed(api: Api) -> None:
    """An unknown session and one of another workspace are not found."""
    other = api.world.start_run(api.world.add_workspace("Next door"))
    for session_id in (uuid4(), other.session.id):
        for verb in ("messages", "cancel"):
            response = api.send("POST", f"/sessions/{session_id}/{verb}", {"prompt": "x"})
            assert response.status_code == 404


def test_the_platforms_sessions_are_its_own(api: Api) -> None:
    """Sessions of builds can neither be cancelled nor take messages."""
    run = api.world.start_platform_run(api.workspace, BUILDER)

    assert api.send("POST", f"/sessions/{run.session.id}/cancel").status_code == 409
    response = api.send("POST", f"/sessions/{run.session.id}/messages", {"prompt": "x"})
    assert response.status_code == 409


def test_sessions_of_planned_runs_can_be_talked_to_and_cancelled() -> None:
    """Their stored events stay and grow; an open run waits for nothing and is cancelled."""
    world = World.demo(3, NOW, history_days=3)
    with serving(world) as api:
        open_run = next(r for r in api.workspace.agent_runs if r.status == "running" and r.agent)
        ended = next(r for r in api.workspace.agent_runs if r.agent and r.session.is_idle)
        before = {run: events(api, run.session.id) for run in (open_run, ended)}
        say(api, ended.session.id, "One more thing 🍞")
        say(api, open_run.session.id, "Are you there?")
        cancel(api, open_run.session.id)
        world.pass_time(HALF_A_MINUTE)

        for run, told in before.items():
            assert events(api, run.session.id)[: len(told)] == told
        assert {run.status for run in open_run.session.runs} == {"cancelled"}
        assert ended.session.runs[-1].status == "succeeded"
        world.pass_time(timedelta(days=2))
        assert open_run.status == "cancelled"
        assert len(open_run.session.runs) == 2
