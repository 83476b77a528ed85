"""`analytics runs`: each command over a real socket, as text and as JSON."""

from __future__ import annotations

import io
import json
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analytics.emulator.server import Emulator
from tests.cli.conftest import Command, Result
from tests.conftest import StartRun

pytestmark = pytest.mark.usefixtures("connected", "fast_polls")

ANSI = "\x1b[2J"


@pytest.fixture
def trigger(analytics: Command, api: Emulator) -> Any:
    """Start a run from the shell, let time pass, and return its id."""

    def start(prompt: str = "Bread?", seconds: float = 60) -> str:
        result = analytics("runs", "trigger", "baker", "--prompt", prompt)
        assert result.code == 0
        api.world.pass_time(timedelta(seconds=seconds))
        return result.out.strip()

    return start


def parsed(result: Result) -> Any:
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)


def test_trigger_prints_the_id(analytics: Command, api: Emulator) -> None:
    """Standard output has the run's id alone; the hint goes to standard error."""
    result = analytics("runs", "trigger", "bak", "--prompt", "Bread?")

    (run,) = api.world.workspaces[0].agent_runs
    assert (result.code, result.out) == (0, f"{run.id}\n")
    assert "It is pending. Watch it: analytics runs watch" in result.err


def test_trigger_takes_a_state(
    analytics: Command, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state is read from a file or from standard input; --json prints the run."""
    Path("state.json").write_text('{"subject": "🥖"}', encoding="utf-8")
    given = io.TextIOWrapper(io.BytesIO(b'{"subject": "rolls"}'))
    monkeypatch.setattr(sys, "stdin", given)

    first = parsed(analytics("runs", "trigger", "baker", "--initial-state", "state.json", "--json"))
    second = parsed(analytics("runs", "trigger", "baker", "--initial-state", "-", "--json"))

    assert (first["status"], first["cost_usd"]) == ("pending", "0")
    texts = {run.id: run.text for run in api.world.workspaces[0].agent_runs}
    assert "🥖" in str(texts[first["id"]])
    assert "rolls" in str(texts[second["id"]])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["baker"], 2, "A run takes one input"),
        (["baker", "--prompt", "a", "--initial-state", "b"], 2, "A run takes one input"),
        (["baker", "--initial-state", "nowhere.json"], 2, "nowhere.json cannot be read"),
        (["baker", "--initial-state", "list.json"], 2, "in list.json is no JSON object"),
        (["baker", "--prompt", "\udcff"], 2, "no UTF-8 text"),
        (["baker", "--prompt", ""], 2, "The prompt is empty"),
        (["baker", "--prompt", " \n\t"], 2, "The prompt is empty"),
        (["baker", "--initial-state", "half.json"], 2, "in half.json is no JSON object"),
        (["baker", "--initial-state", "deep.json"], 2, "no JSON object: it is nested too deep."),
        (["bakker", "--prompt", "a"], 2, "no agent `bakker`. Did you mean Baker (baker)?"),
        (["", "--prompt", "a"], 2, "no agent ``"),
        (["b", "--prompt", "a"], 2, "begins the names of 2 agents: baker, brewer"),
        (["baker", "--prompt", "a", "--version", "9"], 1, "baker (active) did not start: Version"),
        (["brewer", "--prompt", "a"], 1, "brewer (paused) did not start: The agent is paused"),
    ],
)
def test_what_cannot_start_says_why(
    analytics: Command, api: Emulator, arguments: list[str], code: int, words: str
) -> None:
    """Each wrong call prints one or two lines on standard error, and starts nothing."""
    workspace = api.world.workspaces[0]
    api.world.add_agent(workspace, "Brewer", "brewer", status="paused")
    Path("list.json").write_text("[1]", encoding="utf-8")
    Path("half.json").write_bytes(b'{"a": "\xff')
    Path("deep.json").write_text('{"a": ' + "[" * 50_000 + "]" * 50_000 + "}", encoding="utf-8")

    result = analytics("runs", "trigger", *arguments)

    assert (result.code, result.out) == (code, "")
    assert words in result.err
    assert len(result.err.splitlines()) <= 2
    assert len(workspace.agent_runs) == 0


def test_a_run_that_may_have_started_is_said_to(analytics: Command, api: Emulator) -> None:
    """A trigger with a broken response is not repeated, and the error names the next step."""
    api.faults.add("/baker/runs", "cut")

    result = analytics("runs", "trigger", "baker", "--prompt", "Bread?")

    assert (result.code, result.out) == (1, "")
    assert "may have been carried out" in result.err
    assert "analytics runs list" in result.err
    assert len(api.world.workspaces[0].agent_runs) == 1


@pytest.mark.parametrize(
    ("prompt", "status", "code"),
    [("Bread?", "succeeded", 0), ("[fail] Bread?", "failed", 5)],
)
def test_trigger_and_watch(analytics: Command, prompt: str, status: str, code: int) -> None:
    """In a pipe, `watch` prints a line for each change, and exits with the run's code."""
    result = analytics("runs", "trigger", "baker", "--prompt", prompt, "--watch")

    assert result.code == code
    lines = result.out.splitlines()
    states = [
        line for line in lines if re.search(r"  (pending|running|succeeded|failed)  \$", line)
    ]
    assert f"  {status}  $0." in states[-1]
    assert len(set(states)) == len(states)
    assert "  INFO     BOOT" in result.out


def test_watch_in_json(analytics: Command, trigger: Any) -> None:
    """With --json, each change is a line with the run; the last one has ended."""
    run_id = trigger(seconds=0)

    result = analytics("runs", "watch", run_id, "--json")

    states = [json.loads(line) for line in result.out.splitlines()]
    assert (result.code, states[-1]["status"]) == (0, "succeeded")
    assert {state["id"] for state in states} == {run_id}
    assert all(isinstance(state["cost_usd"], str) for state in states)


def test_watching_an_ended_run_ends_at_once(analytics: Command, start_run: StartRun) -> None:
    """An ended run is printed once, with its error and its exit code."""
    assert analytics("runs", "watch", start_run(status="cancelled").id).code == 6

    failed = analytics("runs", "watch", start_run(status="failed", error=f"Oven {ANSI}cold").id)
    in_json = analytics("runs", "watch", start_run(status="failed").id, "--json")

    assert (failed.code, in_json.code) == (5, 5)
    assert r"Oven \x1b[2Jcold" in failed.out
    assert json.loads(in_json.out)["status"] == "failed"


def test_list(analytics: Command, api: Emulator, start_run: StartRun) -> None:
    """Runs come newest first, filtered by agent or status, and money is a string."""
    other = api.world.add_agent(api.world.workspaces[0], "Brewer", "brewer")
    old = start_run(hours_ago=3, status="failed", error="Oven")
    start_run(hours_ago=2, of=other)
    new = start_run(hours_ago=1, cost="0.1000000000000000055511")

    table = analytics("runs", "list").out.splitlines()
    assert [line.split()[2] for line in table[1:]] == ["baker", "brewer", "baker"]
    assert table[1].startswith(new.id[:8])
    found = parsed(analytics("runs", "list", "--json", "--limit", "1"))
    assert [run["cost_usd"] for run in found] == ["0.1000000000000000055511"]
    found = parsed(analytics("runs", "list", "--json", "--agent", "bak", "--status", "failed"))
    assert [run["id"] for run in found] == [old.id]


def test_show(analytics: Command, api: Emulator, start_run: StartRun) -> None:
    """`show` prints all fields of a run, and the models that it used."""
    run = start_run(cost="0.25", status="failed", error=f"Oven {ANSI}<script>\nsecond line")
    api.world.override_record(run.id, {"user_prompt": "=cmd() [bold]🥖", "tokens_in": 10**18})
    run.encoded = None

    shown = analytics("runs", "show", run.id[:10])
    in_json = parsed(analytics("runs", "show", run.id, "--json"))

    for words in ("failed", "baker, version 1", "$0.2500", r"\x1b[2J<script>", "1,000,000,000"):
        assert words in shown.out
    assert "=cmd() [bold]🥖" in shown.out
    assert "claude-sonnet-5  anthropic" in shown.out
    assert in_json["run"]["tokens_in"] == 10**18
    assert in_json["costs"][0]["cost_usd"] == "0.25"


def test_events(analytics: Command, trigger: Any) -> None:
    """Events come oldest first; --level omits lower levels."""
    run_id = trigger("[flaky] Bread?")

    lines = analytics("runs", "events", run_id).out.splitlines()
    warnings = parsed(analytics("runs", "events", run_id, "--level", "warning", "--json"))

    assert re.match(r"\d\d:\d\d:\d\d  INFO     BOOT", lines[0])
    assert lines[-1].endswith("DONE  finished")
    assert {event["level"] for event in warnings} == {"WARNING"}
    assert any("RETRY" in event["msg"] for event in warnings)
    assert "no level loud" in analytics("runs", "events", run_id, "--level", "loud").err


@pytest.mark.parametrize("is_told_meanwhile", [True, False])
def test_events_are_followed(
    analytics: Command, api: Emulator, trigger: Any, *, is_told_meanwhile: bool
) -> None:
    """`--follow` prints each event once, one per line, also as JSON."""
    api.world.variants = api.world.variants.changed({"open_run_events": is_told_meanwhile})
    run_id = trigger(seconds=0)

    followed = analytics("runs", "events", run_id, "--follow", "--json")

    events = [json.loads(line) for line in followed.out.splitlines()]
    assert events == parsed(analytics("runs", "events", run_id, "--json"))
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_events_of_a_run_that_is_still_at_work(
    analytics: Command, api: Emulator, trigger: Any
) -> None:
    """If the API has events only at the end, the error says so."""
    api.world.variants = api.world.variants.changed({"open_run_events": False})

    result = analytics("runs", "events", trigger(seconds=3))

    assert (result.code, "gives its events when it has ended" in result.err) == (1, True)


def test_log(analytics: Command, trigger: Any) -> None:
    """The raw log is written to a file, complete, without leftovers."""
    run_id = trigger("Bread 🥖?")

    to_file = analytics("runs", "log", run_id, "--output", "run.jsonl")

    assert (to_file.code, to_file.out) == (0, "")
    assert "bytes in run.jsonl" in to_file.err
    lines = Path("run.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["msg"] == "prompt_full: Bread 🥖?"
    assert [file.name for file in Path().iterdir()] == ["run.jsonl"]


def test_cancel_waits_for_the_end(analytics: Command, api: Emulator, trigger: Any) -> None:
    """A run is cancelled by its session, and its final state is printed."""
    run_id = trigger("[slow] Bread?", seconds=5)

    result = analytics("runs", "cancel", run_id[:8])

    assert result.code == 0
    assert result.out.startswith("cancelled  $0.")
    assert "still being finished" in result.err
    (run,) = api.world.workspaces[0].agent_runs
    assert (run.status, run.session.terminated_at is not None) == ("cancelled", True)


def test_an_ended_run_is_not_cancelled(analytics: Command, api: Emulator, trigger: Any) -> None:
    """The session of an ended run, which may execute another run, is left alone."""
    run_id = trigger()

    result = analytics("runs", "cancel", run_id)

    assert (result.code, "ended before (succeeded)" in result.err) == (0, True)
    assert not [request for request in api.requests if request.path.endswith("/cancel")]


def test_conversation(analytics: Command, trigger: Any) -> None:
    """`conversation` prints the messages and steps of this run only."""
    run_id = trigger(f"Bread {ANSI}🥖?")

    shown = analytics("runs", "conversation", run_id)
    events = parsed(analytics("runs", "conversation", run_id, "--json"))

    assert r"Bread \x1b[2J🥖?" in shown.out
    assert "  user" in shown.out
    assert [event["type"] for event in events][:2] == ["user_message", "status"]
    assert {event["run_id"] for event in events} == {run_id}
