from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest

from analytics.batch.batch import begun
from analytics.batch.last_batch import last_messages
from analytics.batch.progress import Progress
from analytics.batch.stages import make_and_publish
from analytics.cli import main
from analytics.cli.emulator import command_at
from analytics.emulator.records import Agent
from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from analytics.settings import load_settings
from tests import batches
from tests.batches import Batch, gone_from
from tests.conftest import copy_of_shared
from tests.worlds import NOW, book_run, hire_baker

SETTINGS = "[extract]\nhistory_days = 3\n"
"""Settings for a batch of few requests."""


@dataclass(frozen=True)
class Result:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


Command = Callable[..., Result]
Terminal = Callable[..., Result]
SettingsFile = Callable[[str], None]


@pytest.fixture
def open_umask() -> Iterator[None]:
    """New files are for all to read, as on most machines."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(autouse=True)
def batches_build_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a test bring relations up to date, as those of many records do."""
    monkeypatch.setattr("analytics.batch.transform.SMALL", 0)


@pytest.fixture
def analytics(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line as a shell would."""

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["analytics", *arguments])
        capsys.readouterr()
        code = exit_code()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Result(code, printed.out, printed.err)

    return run


def exit_code() -> int:
    """Run the command line of `sys.argv`."""
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Run the command line in a process on a terminal.

    `out` is the screen's text without escape sequences, `err` the same with them.
    """
    monkeypatch.setenv("TERM", "xterm")
    for name in ("COLUMNS", "NO_COLOR", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, columns: int = 80) -> Result:
        screen, inner = pty.openpty()
        termios.tcsetwinsize(inner, (24, columns))
        command = command_at(NOW, *arguments)
        # Readline, which pytest imports, adds a width to the environment behind Python's back.
        process = subprocess.Popen(
            command, stdin=inner, stdout=inner, stderr=inner, env=dict(os.environ)
        )
        os.close(inner)
        seen = b""
        while chunk := _read(screen):
            seen += chunk
        os.close(screen)
        raw = seen.decode().replace("\r\n", "\n")
        return Result(process.wait(), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", raw), raw)

    return run


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 4096)
    except OSError:  # Linux says so when the other end is closed
        return b""


@pytest.fixture
def settings_file() -> SettingsFile:
    """Write `analytics.toml` into the working directory."""

    def write(text: str) -> None:
        Path("analytics.toml").write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def command(
    batch: Batch, world: World, agent: Agent, settings_file: SettingsFile, analytics: Command
) -> Iterator[Command]:
    """A world with a few runs, and settings for a batch of few requests, without pages."""
    settings_file(SETTINGS)
    book_a_few_runs(world, agent)
    assert batch.settings.data_dir.name == "data"
    with batches.without_pages():
        yield analytics


@pytest.fixture
def with_pages(command: Command) -> Iterator[Command]:
    """The command, for batches with pages."""
    with batches.with_pages():
        yield command


def book_a_few_runs(world: World, agent: Agent) -> None:
    book_run(world, agent, hours_ago=30, cost="1.10")
    book_run(world, agent, hours_ago=2, cost="0.25")
    book_run(
        world, agent, hours_ago=1, cost="0.15", status="failed", error="TimeoutError: slow oven"
    )


@dataclass(frozen=True)
class FirstBatch:
    """A batch of the world of `command`, with pages: its data directory, and what it printed."""

    data: Path
    result: Result


@pytest.fixture(scope="session")
def first_batch(tmp_path_factory: pytest.TempPathFactory) -> FirstBatch:
    """The first batch, once for all tests, which only read it; `published` has a copy."""
    folder = copy_of_shared(tmp_path_factory, "first-batch", run_the_first_batch)
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return FirstBatch(folder / "data", Result(**result))


def run_the_first_batch(folder: Path) -> None:
    world = World.empty(1, NOW)
    book_a_few_runs(world, hire_baker(world))
    with shell_in(folder, world) as run, batches.with_pages():
        result = run("nightly")
    (folder / "result.json").write_text(json.dumps(asdict(result)), encoding="utf-8")


RunBatch = Callable[[], int]
"""Runs a batch, and returns its exit code."""


def interrupted_batch(world: World, agent: Agent, run_batch: RunBatch) -> None:
    """Run a batch that lands part of a new run and then fails."""
    run = book_run(world, agent, hours_ago=0.5, cost="9")
    with gone_from(f"{run.id}/log/events"):
        assert run_batch() == 1


def a_few_batches(world: World, agent: Agent, run_batch: RunBatch) -> None:
    """Run batches with changes, gaps and failures between them."""
    corrected = [book_run(world, agent, hours_ago=hours, cost="1") for hours in (3, 30)]
    ending = book_run(world, agent, hours_ago=3, status="running", cost="0.10")
    unreadable = book_run(world, agent, hours_ago=4)
    world.override_record(unreadable.id, {"tokens_in": "twelve"})
    assert run_batch() == 0
    world.pass_time(timedelta(hours=20))
    for run in corrected:
        world.correct_cost(run, Decimal("0.5"))
    world.change_agent(agent, name="=cmd() <b>Baker</b> 🍞")
    world.workspaces[0].name = "Renamed"
    interrupted_batch(world, agent, run_batch)
    world.pass_time(timedelta(hours=1))
    world.finish_run(ending, "failed", error="ToolError: no flour")
    world.delete_agent(world.add_agent(world.workspaces[0], "Passer-by", "passer-by"))
    assert run_batch() == 0


@pytest.fixture(scope="session")
def data_of_batches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory after a few batches; tests only read it."""
    return copy_of_shared(tmp_path_factory, "a-few-batches", run_a_few_batches) / "data"


def run_a_few_batches(folder: Path) -> None:
    world = World.empty(1, NOW)
    agent = hire_baker(world)
    book_a_few_runs(world, agent)
    with shell_in(folder, world) as run, batches.with_pages():
        a_few_batches(world, agent, lambda: run("nightly").code)


def publish_again() -> str:
    """Run all stages after loading in the working directory; return what they printed."""
    settings, told = load_settings(), StringIO()
    with begun(settings, Progress(told)) as batch:
        batch.warnings = last_messages(batch.layout)
        make_and_publish(batch)
    return told.getvalue()


@contextmanager
def shell_in(folder: Path, world: World, settings: str = SETTINGS) -> Iterator[Command]:
    """Run commands on a world in a folder, without pages, for data that tests of a module share."""
    (folder / "analytics.toml").write_text(settings, encoding="utf-8")
    with running(world) as api, batches.without_pages(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("LEVAIN_API_KEY", world.workspaces[0].api_key)
        patch.setenv("LEVAIN_API", api.url)

        def run(*arguments: str) -> Result:
            patch.setattr(sys, "argv", ["analytics", *arguments])
            with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
                code = exit_code()
            return Result(code, out.getvalue(), err.getvalue())

        yield run


@pytest.fixture
def published(command: Command, first_batch: FirstBatch, batch: Batch) -> Command:
    """The command after its first batch, with a copy of the data of that batch."""
    take_over(first_batch.data, batch)
    return command


def take_over(data: Path, batch: Batch) -> None:
    """Copy the data of earlier batches, and let the next batch read another emulator's API."""
    shutil.copytree(data, batch.layout.root, symlinks=True)
    batch.rows("update ledger.workspaces set api = ?", batch.api.url)


@pytest.fixture
def connected(api: Emulator, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect commands to the small world, whose only agent is `baker`."""
    assert agent.slug == "baker"
    monkeypatch.setenv("LEVAIN_API_KEY", api.world.workspaces[0].api_key)
    monkeypatch.setenv("LEVAIN_API", api.url)
