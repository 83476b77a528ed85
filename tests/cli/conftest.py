from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from analytics.cli import main
from analytics.emulator.records import Agent
from analytics.emulator.server import Emulator
from tests.conftest import Batch, StartRun


@dataclass(frozen=True)
class Result:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


Command = Callable[..., Result]
SettingsFile = Callable[[str], None]


@pytest.fixture
def analytics(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line as a shell would."""

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["analytics", *arguments])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Result(code, printed.out, printed.err)

    return run


@pytest.fixture
def settings_file() -> SettingsFile:
    """Write `analytics.toml` into the working directory."""

    def write(text: str) -> None:
        Path("analytics.toml").write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def command(
    batch: Batch, start_run: StartRun, settings_file: SettingsFile, analytics: Command
) -> Command:
    """A world with a few runs, and settings for a batch of few requests."""
    settings_file("[extract]\nhistory_days = 3\n")
    start_run(hours_ago=30, cost="1.10")
    start_run(hours_ago=2, cost="0.25")
    start_run(hours_ago=1, cost="0.15", status="failed", error="TimeoutError: slow oven")
    assert batch.settings.data_dir.name == "data"
    return analytics


@pytest.fixture
def connected(api: Emulator, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect commands to the small world, whose only agent is `baker`."""
    assert agent.slug == "baker"
    monkeypatch.setenv("LEVAIN_API_KEY", api.world.workspaces[0].api_key)
    monkeypatch.setenv("LEVAIN_API", api.url)
