"""`analytics runs` with broken or refused responses."""

from __future__ import annotations

import json

import pytest
from fastapi import HTTPException

from analytics.emulator.aggregates import Analytics
from analytics.emulator.api.faults import Answer
from analytics.emulator.records import Agent
from analytics.emulator.runs import logs
from analytics.emulator.server import Emulator
from tests.cli.conftest import Command
from tests.conftest import StartRun

pytestmark = pytest.mark.usefixtures("connected", "fast_polls")


@pytest.mark.parametrize("field", ["cost_usd", "status", "created_at"])
def test_a_broken_record_costs_no_other(
    analytics: Command, api: Emulator, start_run: StartRun, field: str
) -> None:
    """An invalid record is omitted with a warning that names it, as text and as JSON."""
    good, broken = start_run(hours_ago=2), start_run(hours_ago=1)
    value = {"cost_usd": "NaN", "status": 3, "created_at": "0001-01-01T00:00:00+05:00"}[field]
    api.world.override_record(broken.id, {field: value})

    table, as_json = analytics("runs", "list"), analytics("runs", "list", "--json")

    for result in (table, as_json):
        assert result.code == 0
        assert f"warning: a record is left out: Run {broken.id}: " in result.err
    assert [line.split()[0] for line in table.out.splitlines()[1:]] == [good.id[:8]]
    assert [run["id"] for run in json.loads(as_json.out)] == [good.id]
    assert good.id in analytics("runs", "show", good.id[:8]).out
    assert analytics("runs", "show", broken.id).code == 1


@pytest.mark.parametrize("status", [404, 403])
def test_show_of_a_run_without_costs(
    analytics: Command, start_run: StartRun, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """If the API refuses a run's costs by model, the run is printed with a remark."""
    run = start_run(cost="0.25")

    def refuse(*_: object, **__: object) -> None:
        raise HTTPException(status, "no costs here")

    monkeypatch.setattr(Analytics, "run_costs", refuse)

    shown, in_json = (analytics("runs", "show", run.id, *more) for more in ([], ["--json"]))

    for result in (shown, in_json):
        assert result.code == 0
        assert f"not available (HTTP {status}, no costs here)" in result.err
    assert "$0.2500" in shown.out
    assert json.loads(in_json.out)["costs"] is None


@pytest.mark.parametrize("command", [("events",), ("events", "--follow"), ("watch",)], ids=" ".join)
def test_a_broken_event_costs_no_other(
    analytics: Command, start_run: StartRun, command: tuple[str]
) -> None:
    """An invalid event is omitted with a warning; the others are printed."""
    run = start_run()
    first, broken, *others = logs.log_events(run)
    run.log = [first, broken | {"ts": {"at": "noon"}, "msg": "NOON"}, *others]

    result = analytics("runs", *command, run.id)

    assert result.code == 0
    assert f"warning: a record is left out: LogEvent {broken['seq']}: " in result.err
    assert all(event["msg"] in result.out for event in [first, *others])
    assert "NOON" not in result.out


def test_a_run_is_watched_without_its_events(
    analytics: Command, api: Emulator, agent: Agent
) -> None:
    """If the API refuses log events, status and cost are watched, and the refusal is said once."""
    api.faults.add("/log/events", "403", 1000)

    result = analytics("runs", "trigger", agent.slug, "--prompt", "Bread?", "--watch", "--json")

    (run,) = agent.workspace.agent_runs
    states = [json.loads(line)["status"] for line in result.out.splitlines()]
    assert (result.code, states[-1]) == (0, "succeeded")
    assert result.err.splitlines() == [
        f"Watching run {run.id} of baker.",
        "Its log events are not available (HTTP 403, Forbidden).",
    ]
    followed = analytics("runs", "events", run.id, "--follow")
    assert (followed.code, "The API refused this: Forbidden." in followed.err) == (1, True)
    assert "goes on" not in followed.err  # it has ended


@pytest.mark.parametrize("answer", ["403", "404", "503"])
def test_a_watch_that_fails_names_the_run(
    analytics: Command, api: Emulator, start_run: StartRun, answer: Answer
) -> None:
    """Whatever error ends a watch, the run's id and the next commands are printed before it."""
    run = start_run(status="running")
    api.faults.add(f"/runs/{run.id}$", answer, 6)

    result = analytics("runs", "watch", run.id[:8])

    assert (result.code, result.out) == (1, "")
    assert f"Watch it again: analytics runs watch {run.id}\n" in result.err
    assert f"Cancel it:      analytics runs cancel {run.id}\nerror: " in result.err
