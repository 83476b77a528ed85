from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from tests.cli.conftest import shell_in
from tests.conftest import NOW, book_run


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Emulator]]:
    """A folder with the data of a batch, and the API that it read; tests work in copies."""
    world = World.empty(1, NOW)
    agent = world.add_agent(
        world.workspaces[0], "Support triage", "support-triage", at=NOW - timedelta(days=100)
    )
    for hours_ago in (2, 20, 30, 24 * 37):
        book_run(world, agent, hours_ago=hours_ago)
        book_run(world, agent, hours_ago=hours_ago, status="failed", error="TimeoutError: slow")
    folder = tmp_path_factory.mktemp("docs")
    with shell_in(folder, world, "[extract]\nhistory_days = 60\n") as run:
        assert run("nightly").code == 0
    with running(world, speed=20) as api:
        yield folder, api


@pytest.fixture
def folder(
    published: tuple[Path, Emulator], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of that folder, as the working directory, with the environment of its API."""
    made, api = published
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("LEVAIN_API", api.url)
    monkeypatch.setenv("LEVAIN_API_KEY", api.world.workspaces[0].api_key)
    return tmp_path
