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

from analytics.emulator import outputs
from analytics.emulator.server import Emulator
from tests.cli.conftest import Command, Result
from tests.worlds import StartRun

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


def given(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Let standard input have this content."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_input_comes_from_a_file(
    analytics: Command, start_run: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state or a prompt is read from a file or from standard input, as it stands.

    Standard output has the run's id alone; the hint goes to standard error.
    """
    Path("state.json").write_text('{"subject": "🥖"}', encoding="utf-8")
    Path("prompt.md").write_text("# Bread 🥖?\n\nPlease.\n", encoding="utf-8")
    first = start_run()
    trigger = ("runs", "trigger", "baker")

    by_file = parsed(analytics(*trigger, "--initial-state", "state.json", "--json"))
    given(monkeypatch, b'{"subject": "rolls"}')
    by_input = parsed(analytics(*trigger, "--initial-state", "-", "--json"))
    by_prompt = analytics(*trigger, "--prompt-file", "prompt.md")
    started = by_prompt.out.removesuffix("\n")
    given(monkeypatch, b"And rolls?\n")
    sent = analytics("runs", "send", first.id, "--prompt-file", "-").out.strip()

    texts = {run_id: str(run.text) for run_id, run in first.workspace.runs.items()}
    assert (by_file["status"], by_file["cost_usd"]) == ("pending", "0")
    assert "🥖" in texts[by_file["id"]]
    assert "rolls" in texts[by_input["id"]]
    assert "It is pending. Watch it: analytics runs watch" in by_prompt.err
    assert (texts[started], texts[sent]) == ("# Bread 🥖?\n\nPlease.\n", "And rolls?\n")


@pytest.mark.parametrize("by", ["run", "beginning", "session"])
def test_a_message_starts_another_run(analytics: Command, start_run: StartRun, by: str) -> None:
    """A session goes by its id or by a run; the new run's id goes to standard output."""
    first = start_run()
    name = {"run": first.id, "beginning": first.id[:8], "session": first.session.id}[by]

    result = analytics("runs", "send", name, "--prompt", "And rolls?")

    _, second = first.session.runs
    assert (result.code, result.out) == (0, f"{second.id}\n")
    assert second.text == "And rolls?"
    assert f"Watch it: analytics runs watch {second.id}\n" in result.err


NOBODY = "00000000-0000-4000-8000-000000000000"
FILES = {
    "list.json": b"[1]",
    "half.json": b'{"a": "\xff',
    "deep.json": b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "latin.md": b"Br\xf6tchen?",
    "empty.md": b"",
}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["baker"], 2, "A run takes one input"),
        (["baker", "--prompt", "a", "--initial-state", "b"], 2, "A run takes one input"),
        (["baker", "--prompt", "a", "--prompt-file", "b"], 2, "A run takes one input"),
        (["baker", "--initial-state", "nowhere.json"], 2, "nowhere.json cannot be read"),
        (["baker", "--initial-state", "list.json"], 2, "in list.json is no JSON object"),
        (["baker", "--initial-state", "half.json"], 2, "in half.json is no JSON object"),
        (["baker", "--initial-state", "deep.json"], 2, "no JSON object: it is nested too deep."),
        (["baker", "--prompt", "\udcff"], 2, "no UTF-8 text"),
        (["baker", "--prompt-file", "latin.md"], 2, "no UTF-8 text"),
        (["baker", "--prompt", " \n\t"], 2, "The prompt is empty"),
        (["baker", "--prompt-file", "empty.md"], 2, "The prompt is empty"),
        (["bakker", "--prompt", "a"], 2, "no agent `bakker`. Did you mean Baker (baker)?"),
        (["", "--prompt", "a"], 2, "no agent ``"),
        (["b", "--prompt", "a"], 2, "begins the names of 2 agents: baker, brewer"),
        (["baker", "--prompt", "a", "--version", "9"], 1, "baker (active) did not start: Version"),
        (["brewer", "--prompt", "a"], 1, "brewer (paused) did not start: The agent is paused"),
        (["send", NOBODY], 2, "A message takes one text"),
        (["send", NOBODY, "--prompt", "a", "--prompt-file", "b"], 2, "A message takes one text"),
        (["send", NOBODY, "--prompt", " "], 2, "The prompt is empty"),
        (["send", "zz", "--prompt", "a"], 2, "an id that begins with `zz`"),
        (["send", NOBODY, "--prompt", "a"], 1, "The API refused this: Session not found."),
    ],
)
def test_what_cannot_start_says_why(
    analytics: Command, api: Emulator, arguments: list[str], code: int, words: str
) -> None:
    """Each wrong call prints one or two lines on standard error, and starts nothing."""
    workspace = api.world.workspaces[0]
    api.world.add_agent(workspace, "Brewer", "brewer", status="paused")
    for name, content in FILES.items():
        Path(name).write_bytes(content)

    result = analytics("runs", *(() if arguments[0] == "send" else ("trigger",)), *arguments)

    assert (result.code, result.out) == (code, "")
    assert words in result.err
    assert len(result.err.splitlines()) <= 2
    assert len(workspace.agent_runs) == 0


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


def test_watching_an_ended_run_ends_at_once(analytics: Command, start_run: StartRun) -> None:
    """An ended run is printed once, with its error and its exit code; with --json as a line."""
    assert analytics("runs", "watch", start_run(status="cancelled").id).code == 6

    failed = analytics("runs", "watch", start_run(status="failed", error=f"Oven {ANSI}cold").id)
    in_json = analytics("runs", "watch", start_run(status="failed").id, "--json")
    state = json.loads(in_json.out)

    assert (failed.code, in_json.code) == (5, 5)
    assert r"Oven \x1b[2Jcold" in failed.out
    assert (state["status"], state["cost_usd"]) == ("failed", "0.25")


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

    shown = analytics("runs", "show", run.id[:10])
    in_json = parsed(analytics("runs", "show", run.id, "--json"))

    for words in ("failed", "baker, version 1", "$0.2500", r"\x1b[2J<script>", "1,000,000,000"):
        assert words in shown.out
    assert "=cmd() [bold]🥖" in shown.out
    assert "claude-sonnet-5  anthropic" in shown.out
    assert in_json["run"]["tokens_in"] == 10**18
    assert in_json["costs"][0]["cost_usd"] == "0.25"


def test_events(analytics: Command, api: Emulator, trigger: Any) -> None:
    """Events come oldest first; --level omits lower levels; an invalid one costs no other."""
    run_id = trigger("[flaky] Bread?")
    (run,) = api.world.workspaces[0].agent_runs
    first, broken, *others = outputs.log_events(run)
    run.log = [first, broken | {"ts": {"at": "noon"}, "msg": "NOON"}, *others]

    told = analytics("runs", "events", run_id)
    lines = told.out.splitlines()
    warned = analytics("runs", "events", run_id, "--level", "warning", "--json").out
    warnings = json.loads(warned)

    assert f"warning: a record is left out: LogEvent {broken['seq']}: " in told.err
    assert all(event["msg"] in told.out for event in [first, *others])
    assert "NOON" not in told.out
    assert re.match(r"\d\d:\d\d:\d\d  INFO     BOOT", lines[0])
    assert lines[-1].endswith("DONE  finished")
    assert {event["level"] for event in warnings} == {"WARNING"}
    assert any("RETRY" in event["msg"] for event in warnings)
    assert "no level loud" in analytics("runs", "events", run_id, "--level", "loud").err
    for more in ((), ("--follow",)):
        none = analytics("runs", "events", run_id, "--level", "critical", *more)
        assert (none.code, none.out) == (0, "")
        assert f"Of {len(others) + 1} log events, none is at or above the level.\n" in none.err


def test_events_are_followed(analytics: Command, api: Emulator, trigger: Any) -> None:
    """`--follow` prints each event once, one per line, also as JSON.

    If the API has events only at the end, a command that does not wait says so.
    """
    api.world.variants.open_run_events = False
    run_id = trigger(seconds=3)

    refused = analytics("runs", "events", run_id)
    followed = analytics("runs", "events", run_id, "--follow", "--json")

    assert (refused.code, "gives its events when it has ended" in refused.err) == (1, True)
    events = [json.loads(line) for line in followed.out.splitlines()]
    assert events == parsed(analytics("runs", "events", run_id, "--json"))
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_cancel_waits_for_the_end(analytics: Command, api: Emulator, trigger: Any) -> None:
    """A run is cancelled by its session, and its final state is printed; an ended one stays."""
    run_id = trigger("[slow] Bread?", seconds=5)

    result = analytics("runs", "cancel", run_id[:8])
    again = analytics("runs", "cancel", run_id)

    assert (result.code, again.code) == (0, 0)
    assert result.out.startswith("cancelled  $0.")
    assert "still being finished" in result.err
    assert "ended before (cancelled)" in again.err
    (run,) = api.world.workspaces[0].agent_runs
    assert (run.status, run.session.terminated_at is not None) == ("cancelled", True)


def test_log_and_conversation(analytics: Command, trigger: Any) -> None:
    """`log` writes the raw log whole; `conversation` prints messages and steps of this run only."""
    run_id = trigger(f"Bread {ANSI}🥖?")

    to_file = analytics("runs", "log", run_id, "--output", "run.jsonl")
    shown = analytics("runs", "conversation", run_id)
    events = parsed(analytics("runs", "conversation", run_id, "--json"))

    assert (to_file.code, to_file.out) == (0, "")
    assert "bytes in run.jsonl" in to_file.err
    first, *_ = Path("run.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(first)["msg"] == f"prompt_full: Bread {ANSI}🥖?"
    assert [file.name for file in Path().iterdir()] == ["run.jsonl"]
    assert r"Bread \x1b[2J🥖?" in shown.out
    assert "  user" in shown.out
    assert [event["type"] for event in events][:2] == ["user_message", "status"]
    assert {event["run_id"] for event in events} == {run_id}


def test_a_broken_record_costs_no_other(
    analytics: Command, api: Emulator, start_run: StartRun
) -> None:
    """An invalid record is omitted with a warning that names it, as text and as JSON."""
    good, broken = start_run(hours_ago=2), start_run(hours_ago=1)
    api.world.override_record(broken.id, {"cost_usd": "NaN"})

    table, as_json = analytics("runs", "list"), analytics("runs", "list", "--json")

    for result in (table, as_json):
        assert result.code == 0
        assert f"warning: a record is left out: Run {broken.id}: " in result.err
    assert [line.split()[0] for line in table.out.splitlines()[1:]] == [good.id[:8]]
    assert [run["id"] for run in json.loads(as_json.out)] == [good.id]
    assert good.id in analytics("runs", "show", good.id[:8]).out
    assert analytics("runs", "show", broken.id).code == 1
