"""A small world whose October is over, and the commands that close it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from analytics.batch.batch import begun
from analytics.batch.progress import Progress
from analytics.batch.transform import transform
from analytics.emulator.world import World
from analytics.settings import load_settings
from tests.cli.conftest import Command, Result, publish_again, shell_in
from tests.conftest import shared_folder
from tests.worlds import book_run, hire_baker

NOW = datetime(2026, 11, 5, 6, tzinfo=UTC)
SETTINGS = '[extract]\nhistory_days = 40\n[publish]\nmode = "0640"\n'
APPROVED = ("--approved-by", "Head of finance")
OWNERS = "workspace,agent,owner,cost_center\n*,*,Ann,C-1\n"


class Shop:
    """A project folder, and the command that runs in it."""

    def __init__(self, folder: Path, run: Command) -> None:
        self.folder, self.run = folder, run

    @property
    def books(self) -> Path:
        return self.folder / "data" / "books"

    def ok(self, *arguments: str) -> Result:
        result = self.run(*arguments)
        assert result.code == 0, result.err
        return result

    def rows(self, sql: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.ok("sql", sql, "--format", "json").out)
        return found

    def publish(self) -> str:
        """Run all stages after loading; return what they printed."""
        return publish_again()

    def transform(self) -> str:
        """Build the tables, and publish nothing; return what was printed."""
        told = StringIO()
        with begun(load_settings(), Progress(told)) as batch:
            transform(batch)
        return told.getvalue()


def small_world() -> World:
    """A run on 14 October, one on 3 November."""
    world = World.empty(1, NOW)
    baker = hire_baker(world)
    book_run(world, baker, hours_ago=24 * 22, cost="1.10")
    book_run(world, baker, hours_ago=24 * 2, cost="0.25")
    world.pass_time(timedelta(hours=1))
    return world


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The first batch, with owners; tests have a copy of it."""
    folder = shared_folder(tmp_path_factory, "shop", run_a_batch)
    with shell_in(tmp_path_factory.mktemp("here"), small_world(), SETTINGS) as run:
        yield Shop(folder, run)


def run_a_batch(folder: Path) -> None:
    (folder / "finance").mkdir()
    (folder / "finance" / "owners.csv").write_text(OWNERS, encoding="utf-8")
    with shell_in(folder, small_world(), SETTINGS) as run:
        assert run("nightly", "-q").code == 0


@pytest.fixture(scope="module")
def closed_origin(origin: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after October was closed."""

    def fill(folder: Path) -> None:
        with copied(origin, folder) as shop:
            shop.ok("close", "2026-10", *APPROVED, "--sign-off", "ok.PDF", "-q")

    return shared_folder(tmp_path_factory, "closed-shop", fill)


@pytest.fixture(scope="module")
def reopened_origin(
    origin: Shop, closed_origin: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same after October was reopened, too."""

    def fill(folder: Path) -> None:
        with copied(origin, folder, closed_origin) as shop:
            shop.ok("close", "2026-10", "--reopen", "An invoice was wrong", "-q")

    return shared_folder(tmp_path_factory, "reopened-shop", fill)


@contextmanager
def copied(origin: Shop, folder: Path, source: Path | None = None) -> Iterator[Shop]:
    """A copy of a shop in another folder, where the command runs."""
    shutil.copytree(source or origin.folder, folder, dirs_exist_ok=True, symlinks=True)
    (folder / "ok.PDF").write_bytes(b"signed")
    with pytest.MonkeyPatch.context() as there:
        there.chdir(folder)
        yield Shop(folder, origin.run)


@pytest.fixture
def shop(origin: Shop, tmp_path: Path) -> Iterator[Shop]:
    """A shop with nothing closed."""
    with copied(origin, tmp_path) as shop:
        yield shop


@pytest.fixture
def closed(origin: Shop, closed_origin: Path, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose October is closed."""
    with copied(origin, tmp_path, closed_origin) as shop:
        yield shop


@pytest.fixture
def reopened(origin: Shop, reopened_origin: Path, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose October was closed, and is open again."""
    with copied(origin, tmp_path, reopened_origin) as shop:
        yield shop
