"""Workspaces, ids and errors of `analytics runs`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analytics.emulator.server import Emulator
from tests.cli.conftest import Command
from tests.worlds import StartRun

pytestmark = pytest.mark.usefixtures("connected")

TWO = """
[[workspaces]]
api_key_env = "KEY_ONE"
[[workspaces]]
api_key_env = "KEY_TWO"
"""


def test_one_of_several_workspaces_is_named(
    analytics: Command,
    api: Emulator,
    settings_file: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`--workspace` takes a key variable or an id; without it, the error lists the names."""
    settings_file(TWO)
    other = api.world.add_workspace("Other")
    api.world.start_run(other)
    monkeypatch.setenv("KEY_ONE", api.world.workspaces[0].api_key)
    monkeypatch.setenv("KEY_TWO", other.api_key)

    unnamed = analytics("runs", "list")
    unknown = analytics("runs", "list", "--workspace", "KEY_SIX")

    assert (unnamed.code, unknown.code) == (2, 2)
    assert "There are 2 workspaces: name one with --workspace" in unnamed.err
    assert "no workspace `KEY_SIX`. Those known: KEY_ONE, KEY_TWO, and" in unknown.err
    assert analytics("runs", "list", "--workspace", "KEY_ONE").err == "No runs.\n"
    by_id = analytics("runs", "list", "--workspace", other.id)
    assert by_id == analytics("runs", "list", "--workspace", "KEY_TWO")
    assert by_id.code == 0


def test_hints_work_as_they_are(
    analytics: Command, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that is named has the whole id, and the workspace and settings of this one."""
    Path("two of us.toml").write_text(TWO, encoding="utf-8")
    monkeypatch.setenv("KEY_ONE", api.world.workspaces[0].api_key)
    monkeypatch.setenv("KEY_TWO", api.world.add_workspace("Other").api_key)
    given = ("--workspace", "KEY_ONE", "--config", "two of us.toml")
    options = "--workspace KEY_ONE --config 'two of us.toml'"

    started = analytics("runs", "trigger", "baker", "--prompt", "Bread?", *given)
    run_id = started.out.strip()

    assert f"Watch it: analytics runs watch {run_id} {options}\n" in started.err
    api.faults.add("/baker/runs", "cut")
    unsure = analytics("runs", "trigger", "baker", "--prompt", "Bread?", *given)
    assert f"look with `analytics runs list {options}` before" in unsure.err
    api.faults.add(f"/runs/{run_id}$", "403")
    unwatched = analytics("runs", "watch", run_id[:8], *given)
    assert f"Watch it again: analytics runs watch {run_id} {options}\n" in unwatched.err
    assert f"Cancel it:      analytics runs cancel {run_id} {options}\n" in unwatched.err
    unnamed = analytics("runs", "list", *given[2:])
    assert "\ntwo of us.toml has KEY_ONE, KEY_TWO." in unnamed.err


def test_a_key_of_another_workspace_starts_nothing(
    analytics: Command, api: Emulator, settings_file: Callable[[str], None]
) -> None:
    """If the settings name the workspace, a key of another one is refused."""
    settings_file('[[workspaces]]\napi_key_env = "LEVAIN_API_KEY"\nworkspace_id = "w-1"\n')

    result = analytics("runs", "trigger", "baker", "--prompt", "Bread?")

    assert (result.code, "belongs to workspace Blank Slate" in result.err) == (2, True)
    assert len(api.world.workspaces[0].agent_runs) == 0


def test_a_network_that_is_down_is_told(
    analytics: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each retry is printed, more of them where the run is watched, and what to check."""
    monkeypatch.setenv("LEVAIN_API", "http://127.0.0.1:9")

    results = [
        analytics("runs", "trigger", "baker", "--prompt", "Bread?", *watch)
        for watch in ((), ("--watch",))
    ]

    assert [result.err.count("trying again in") for result in results] == [2, 5]
    assert "The API at http://127.0.0.1:9 does not answer" in results[0].err


def test_the_beginning_of_an_id_will_do(analytics: Command, start_run: StartRun) -> None:
    """A unique beginning is enough; an ambiguous, unknown or empty one is an error."""
    runs = [start_run(hours_ago=hours) for hours in range(1, 30)]
    first = [run.id[0] for run in runs]
    shared = next(char for char in first if first.count(char) > 1)

    assert runs[3].id in analytics("runs", "show", runs[3].id[:12].upper()).out
    several = analytics("runs", "show", shared)
    assert (several.code, "begins the ids of" in several.err) == (2, True)
    for wrong in ("zzz", "", "../auth/me"):
        result = analytics("runs", "show", wrong)
        assert (result.code, "begins with" in result.err) == (2, True)
    gone = analytics("runs", "show", "00000000-0000-4000-8000-000000000000")
    assert (gone.code, "has no run 00000000" in gone.err) == (2, True)


def _watch(run_id: str, stdout: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "analytics", "runs", "watch", run_id]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, env=dict(os.environ))


def test_ctrl_c_leaves_the_run_running(api: Emulator, start_run: StartRun) -> None:
    """Ctrl-C prints that the run continues, and cancels nothing."""
    run = start_run(status="running")
    process = _watch(run.id, subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()

    process.send_signal(signal.SIGINT)
    _, err = process.communicate()

    assert process.returncode == 130
    assert f"Run {run.id[:8]} goes on without being watched." in err.decode()
    assert b"Traceback" not in err
    assert run.is_open
    assert {request.method for request in api.requests} == {"GET"}


def test_help_loads_nothing_heavy() -> None:
    """`analytics --help` is fast, because commands import their modules on demand."""
    heavy = "{'duckdb', 'httpx', 'polars', 'pydantic', 'rich'} & {*sys.modules}"
    code = f"import sys, analytics.cli.app; print({heavy} or 'nothing')"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert printed.stdout == b"nothing\n"


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("analytics.bounded.child", {"analytics.settings", "httpx", "polars", "pydantic"}),
        ("analytics.query.sql", {"duckdb", "httpx", "polars"}),
    ],
)
def test_a_query_starts_fast(module: str, heavy: set[str]) -> None:
    """The bounded process of SQL is spared what reads settings, and who starts it DuckDB."""
    code = f"import sys, {module}; print({heavy} & {{*sys.modules}} or 'nothing')"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert printed.stdout == b"nothing\n"
