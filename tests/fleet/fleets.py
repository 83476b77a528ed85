"""Fleets over the emulator: their settings in a folder, and batches of shards without Ray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest

from analytics.batch.last_batch import LastBatch, read_last_batch
from analytics.batch.progress import Progress
from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from analytics.errors import AnalyticsError
from analytics.fleet.settings import Fleet, load_fleet
from analytics.fleet.tasks import run_batch
from benchmarks.worlds import Workspaces
from tests.worlds import NOW


def quiet() -> Progress:
    """Progress that nobody sees."""
    return Progress(StringIO())


@dataclass
class Given:
    """A fleet, its emulator, and the folder of its settings."""

    fleet: Fleet
    emulator: Emulator
    root: Path

    def batch(self, shard: str) -> LastBatch:
        """Run the batch of a shard in this process; return how it ended."""
        with suppress(AnalyticsError):  # it is in the record
            run_batch(self.fleet, shard, quiet())
        batch = read_last_batch(self.fleet.layout(shard))
        assert batch
        return batch

    def file(self, shard: str) -> Path:
        """The published file of a shard."""
        return self.fleet.layout(shard).published_file


@contextmanager
def fleet_of(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    runs: Sequence[int],
    shards: Sequence[str],
    now: datetime = NOW,
) -> Iterator[Given]:
    """Serve workspaces with so many runs each, and yield a fleet that has them in these shards."""
    with fleet_over(root, monkeypatch, Workspaces(1, now, runs), shards) as given:
        yield given


@contextmanager
def fleet_over(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    world: World,
    shards: Sequence[str],
) -> Iterator[Given]:
    """Serve a world, and yield a fleet that has its workspaces in these shards."""
    with running(world) as emulator:
        tables = ['folder = "fleet"\n']
        for number, workspace in enumerate(world.workspaces):
            monkeypatch.setenv(f"KEY_{number}", workspace.api_key)
            tables.append(
                f'[[workspaces]]\napi_key_env = "KEY_{number}"\napi = "{emulator.url}"\n'
                f'workspace_id = "{workspace.id}"\nshard = "{shards[number]}"\n'
            )
        (root / "fleet.toml").write_text("\n".join(tables))
        (root / "analytics.toml").write_text("[extract]\nhistory_days = 20\n")
        yield Given(load_fleet(root / "fleet.toml"), emulator, root)
