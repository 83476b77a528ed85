"""Fleets over the emulator: their settings in a folder, and batches of shards without Ray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from itertools import count
from pathlib import Path

import pytest

from analytics.batch.progress import Progress
from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from analytics.emulator.worlds.fleet import Workspaces
from analytics.fleet.generations import Generation
from analytics.fleet.settings import Fleet, load_fleet
from analytics.fleet.shard import run_batch
from analytics.fleet.store import Store
from tests.conftest import NOW

KEEP = timedelta(days=7)


def quiet() -> Progress:
    """Progress that nobody sees."""
    return Progress(StringIO())


@dataclass
class Given:
    """A fleet, its emulator, and a folder for the scratch of batches."""

    fleet: Fleet
    emulator: Emulator
    root: Path

    def __post_init__(self) -> None:
        self._numbers = count(1)

    @property
    def store(self) -> Store:
        """The storage."""
        return Store(self.fleet.storage)

    def batch(self, shard: str, store: Store | None = None) -> Generation:
        """Run the batch of a shard in this process."""
        folder = self.root / f"scratch-{next(self._numbers)}"
        settings = self.fleet.of(shard, folder)
        return run_batch(store or self.store, shard, settings, quiet(), KEEP)


@contextmanager
def fleet_of(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    runs: Sequence[int],
    shards: Sequence[str],
    *,
    storage: str = "storage",
) -> Iterator[Given]:
    """Serve workspaces with so many runs each, and yield a fleet that has them in these shards."""
    with fleet_over(root, monkeypatch, Workspaces(1, NOW, runs), shards, storage=storage) as given:
        yield given


@contextmanager
def fleet_over(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    world: World,
    shards: Sequence[str],
    *,
    storage: str = "storage",
) -> Iterator[Given]:
    """Serve a world, and yield a fleet that has its workspaces in these shards."""
    with running(world) as emulator:
        tables = [f'storage = "{storage}"\nkeep_days = 7\n']
        for number, workspace in enumerate(world.workspaces):
            monkeypatch.setenv(f"KEY_{number}", workspace.api_key)
            tables.append(
                f'[[workspaces]]\napi_key_env = "KEY_{number}"\napi = "{emulator.url}"\n'
                f'workspace_id = "{workspace.id}"\nshard = "{shards[number]}"\n'
            )
        (root / "fleet.toml").write_text("\n".join(tables))
        (root / "analytics.toml").write_text("[extract]\nhistory_days = 20\n")
        yield Given(load_fleet(root / "fleet.toml"), emulator, root)
