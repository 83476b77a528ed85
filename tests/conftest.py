"""Fixtures of all tests: a clean environment, no waits between attempts, small worlds."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial, partialmethod
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from hypothesis import HealthCheck, settings
from typer.main import get_command

from analytics.bounded.limits import Limits
from analytics.bounded.runner import Runner, UserQuery
from analytics.emulator.faults import Middleware
from analytics.emulator.records import Agent, Workspace
from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from analytics.levain import pace, runs
from analytics.machine_clock import machine_clock
from analytics.settings import load_settings
from analytics.transform import build
from analytics.transform.models import comment_on
from analytics.warehouse import database, memory
from analytics.warehouse.database import attached_marts, open_warehouse
from analytics.warehouse.layout import Layout
from tests.batches import Batch
from tests.worlds import NOW, StartRun, book_run, hire_baker

MOST_WORKERS = 8
LONGEST = (
    "tests/golden/", "tests/report/test_browser", "tests/cli/test_demo", "tests/properties/",
    "tests/cli/test_wrong_times", "tests/docs/test_blocks", "tests/scenarios/", "tests/torture/",
    "tests/cli/", "tests/report/", "tests/transform/", "tests/project/",
)  # fmt: skip
"""What takes longest, in this order: where it begins, all workers end at about the same time."""

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")  # the machine may be


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stride", type=int, default=1, help="of all steps, try each n-th only")


@pytest.fixture(scope="session")
def stride(request: pytest.FixtureRequest) -> int:
    """Of all steps of a command, each such is tried."""
    return int(request.config.getoption("--stride"))


def pytest_configure(config: pytest.Config) -> None:
    """Leave what is long to `make test-all`."""
    config.addinivalue_line("markers", "long: takes long and rarely fails; run by `make test-all`")
    config.option.markexpr = config.option.markexpr or "not long"
    os.umask(0o022)  # as on most machines: others may read new files, and not write them
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            # As by `nohup`. We go on to ignore it, but the commands that tests start do not.
            signal.signal(number, lambda *_: None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""

    def place(item: pytest.Item) -> int:
        found = (at for at, name in enumerate(LONGEST) if item.nodeid.startswith(name))
        return next(found, len(LONGEST))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Spare the collector of garbage the modules and tests, which stay, and most of its rounds."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Keep all processors busy where a test waits for its child process; each needs 1 GB."""
    return min((os.cpu_count() or 1) + 1, MOST_WORKERS)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test, and a test writes only into its own folder."""
    for name in list(os.environ):
        if name.startswith(("LEVAIN_", "ANALYTICS_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True, scope="session")
def one_time() -> Iterator[list[World]]:
    """The machine's clock is that of the emulated world that answered last."""
    answered: list[World] = []
    answer = Middleware.__call__

    async def note_and_answer(self: Middleware, scope: Any, receive: Any, send: Any) -> None:
        answered[:] = [self._world]
        await answer(self, scope, receive, send)

    with (
        patch.object(Middleware, "__call__", note_and_answer),
        machine_clock(lambda: answered[0].now if answered else NOW),
    ):
        yield answered


@pytest.fixture(autouse=True)
def no_time_of_another_test(one_time: list[World]) -> None:
    """Before a world has answered a test, it is NOW."""
    one_time.clear()


@pytest.fixture(autouse=True, scope="session")
def no_waiting() -> Iterator[None]:
    """Retries follow at once, as many as in production."""
    with patch.multiple(pace, FIRST_WAIT=0.0, LONGEST_WAIT=0.0):
        yield


@pytest.fixture(autouse=True, scope="session")
def one_ssl_context() -> Iterator[None]:
    """No client loads certificates anew, which takes longer than most tests."""
    with patch("ssl.create_default_context", cache(ssl.create_default_context)):
        yield


@pytest.fixture(autouse=True, scope="session")
def one_command_line() -> Iterator[None]:
    """The commands are put together once, not for each call of one."""
    with patch("typer.main.get_command", cache(get_command)):
        yield


_threads = memory._threads


@pytest.fixture(autouse=True, scope="session")
def plans_as_written() -> Iterator[None]:
    """DuckDB runs queries as they are written, on one thread.

    To optimize or to share one takes longer than a dozen rows. Random lives, the demonstration and
    the pages of `tests/report` have it do both: `optimized`.
    """
    with duckdb.connect() as con:
        names = [name for (name,) in con.execute("select name from duckdb_optimizers()").fetchall()]
    with (
        patch.dict(database.OFFLINE, disabled_optimizers=",".join(names)),
        patch.object(memory, "_threads", lambda _: memory._chosen[1] or 1),
    ):
        yield


@contextmanager
def optimized() -> Iterator[None]:
    """Let DuckDB optimize, on all processors, as it does outside of tests."""
    with patch.dict(database.OFFLINE), patch.object(memory, "_threads", _threads):
        database.OFFLINE.pop("disabled_optimizers", None)
        yield


@pytest.fixture(autouse=True, scope="session")
def tables_laid_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The first build of a folder copies its tables from an empty one, as a later one does."""
    as_it_is = {"lay_out": build.lay_out, "comment_on": comment_on}

    def fill(folder: Path) -> None:
        with open_warehouse(Layout(folder)) as con, attached_marts(con, Layout(folder).marts):
            build.build(con, timezone="UTC")

    def laid_out(con: duckdb.DuckDBPyConnection, earlier: Path | None) -> None:
        if earlier is None or not earlier.exists():
            with patch.multiple(build, **as_it_is):
                earlier = Layout(shared_folder(tmp_path_factory, "laid-out", fill)).marts
        as_it_is["lay_out"](con, earlier)

    with patch("analytics.transform.build.lay_out", laid_out):
        yield


def shared_folder(
    factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], object]
) -> Path:
    """Return the folder of that name, which the first process of the suite to ask fills.

    No other process writes into it: whoever does takes a copy.
    """
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, filled = base / name, base / f"{name}.filled"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not filled.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            fill(folder)
            filled.touch()
    return folder


def copy_of_shared(
    factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], object]
) -> Path:
    """Return a copy of a shared folder that is this process's own."""
    shared = shared_folder(factory, name, fill)
    return Path(shutil.copytree(shared, factory.mktemp(name) / "copy", symlinks=True))


@pytest.fixture
def world() -> World:
    """One workspace without agents, on a frozen clock."""
    return World.empty(1, NOW)


@pytest.fixture
def workspace(world: World) -> Workspace:
    """The only workspace of the small world."""
    return world.workspaces[0]


@pytest.fixture
def agent(world: World) -> Agent:
    """An agent without runs."""
    return hire_baker(world)


@pytest.fixture
def api(world: World) -> Iterator[Emulator]:
    """The small world behind a real socket."""
    with running(world) as emulator:
        yield emulator


@pytest.fixture
def little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries of one's own that say `/* endless */` have half a second, others what is set."""
    usual = Runner._ask

    def ask(self: Runner, task: str, query: UserQuery, limits: Limits, **paths: Any) -> Any:
        if task != "parse" and "/* endless */" in query.sql:
            limits = replace(limits, seconds=0.5)
        return usual(self, task, query, limits, **paths)

    monkeypatch.setattr(Runner, "_ask", ask)


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries of one's own have 100 MB, so that one that wants all soon has too little."""
    monkeypatch.setattr(Limits, "__init__", partialmethod(Limits.__init__, memory="100MB"))


@pytest.fixture
def fast_polls(api: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two polls a second passes on the platform, and none here."""

    def no_wait(*_: float, **__: bool) -> float:
        api.world.pass_time(timedelta(seconds=1))
        return 0.0

    monkeypatch.setattr(runs, "next_wait", no_wait)


@pytest.fixture
def start_run(world: World, agent: Agent) -> StartRun:
    """Return a function that books a run of the agent; see `book_run`."""
    return partial(book_run, world, agent)


@pytest.fixture
def batch(api: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """A batch that extracts the small world into an empty folder."""
    monkeypatch.setenv("LEVAIN_API_KEY", api.world.workspaces[0].api_key)
    monkeypatch.setenv("LEVAIN_API", api.url)
    made = Batch(load_settings(tmp_path / "data"), api)
    made.set_extract(history_days=3)  # batches of few requests
    return made


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a file with a key and its own certificate of localhost."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is needed to make a certificate")
    file = tmp_path / "localhost.pem"
    what = "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", file, "-out", tmp_path / "own"]
    subprocess.run([openssl, *what.split(), *names], check=True, capture_output=True)
    with file.open("ab") as both:
        both.write((tmp_path / "own").read_bytes())
    return file
