from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from analytics.emulator.records import Run
from analytics.emulator.world import World
from tests.batches import Batch, short_lists
from tests.worlds import StartRun

Burst = Callable[..., list[Run]]


@pytest.fixture(autouse=True)
def few_are_listed() -> Iterator[None]:
    """The API lists five runs, so that six outrun it."""
    with short_lists():
        yield


@pytest.fixture(autouse=True)
def batches_build_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hard cases are those of relations that are brought up to date."""
    monkeypatch.setattr("analytics.batch.transform.SMALL", 0)


@pytest.fixture
def batch(batch: Batch) -> Batch:
    """A batch that reads ten days back."""
    batch.set_extract(history_days=10)
    return batch


@pytest.fixture
def burst(start_run: StartRun) -> Burst:
    """Runs that follow each other within a minute, the first one so many hours ago."""

    def start(count: int, **of: Any) -> list[Run]:
        hours_ago = of.pop("hours_ago", 1)
        return [start_run(hours_ago=hours_ago - each / 100, **of) for each in range(count)]

    return start


def ledger_total(world: World) -> Decimal:
    """What all requests of the workspace have cost, by the emulator's own ledger."""
    return sum((entry.cost_usd for entry in world.workspaces[0].ledger), Decimal(0))
