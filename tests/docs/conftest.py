from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from tests.batches import with_pages
from tests.cli.conftest import shell_in
from tests.conftest import copy_of_shared
from tests.worlds import NOW, book_run


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Emulator]]:
    """A folder with the data of a batch, and the API that it read; tests work in copies."""
    folder = copy_of_shared(tmp_path_factory, "docs", run_a_batch)
    with running(small_world(), speed=20) as api:
        yield folder, api


def small_world() -> World:
    world = World.empty(1, NOW)
    agent = world.add_agent(
        world.workspaces[0], "Support triage", "support-triage", at=NOW - timedelta(days=100)
    )
    for hours_ago in (2, 20, 30, 24 * 37):
        book_run(world, agent, hours_ago=hours_ago)
        book_run(world, agent, hours_ago=hours_ago, status="failed", error="TimeoutError: slow")
    return world


def run_a_batch(folder: Path) -> None:
    settings = "[extract]\nhistory_days = 60\n"
    with shell_in(folder, small_world(), settings) as run, with_pages():
        assert run("nightly").code == 0


@pytest.fixture
def folder(
    published: tuple[Path, Emulator], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of that folder, as the working directory, with the environment of its API."""
    made, api = published
    shutil.copytree(made, tmp_path, dirs_exist_ok=True, symlinks=True)
    monkeypatch.setenv("LEVAIN_API", api.url)
    monkeypatch.setenv("LEVAIN_API_KEY", api.world.workspaces[0].api_key)
    return tmp_path
