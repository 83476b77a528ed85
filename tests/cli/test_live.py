"""Batches while runs are executing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate
from pathlib import Path

import duckdb
import pytest

from analytics.batch.nightly import nightly
from analytics.batch.progress import Progress
from analytics.emulator.records import Agent, Run, RunInput
from analytics.emulator.server import running
from analytics.emulator.world import World
from analytics.settings import load_settings

FAST = 5.0  # seconds of the platform in one of ours
Counters = tuple[Decimal, int, int]


@pytest.fixture
def platform(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A platform with a running clock, and the settings of its API."""
    with running(world, speed=FAST) as emulator:
        monkeypatch.setenv("LEVAIN_API_KEY", world.workspaces[0].api_key)
        monkeypatch.setenv("LEVAIN_API", emulator.url)
        yield world


def states(run: Run) -> set[Counters]:
    """Return all values of cost and tokens that a run has had: the sums after each request."""
    entries = run.workspace.ledger.of_run(run.id)
    steps = [(entry.cost_usd, entry.tokens_in, entry.tokens_out) for entry in entries]
    nothing: Counters = (Decimal(0), 0, 0)
    return set(
        accumulate(steps, lambda a, b: (a[0] + b[0], a[1] + b[1], a[2] + b[2]), initial=nothing)
    )


def test_a_batch_among_working_runs(platform: World, agent: Agent, tmp_path: Path) -> None:
    """Each published run has a state that it once had, and the totals are their sums."""
    runs = {}
    settings = load_settings(tmp_path / "data")
    published = []
    for number in range(3):
        for each in range(8):
            prompt = f"{'[slow] ' * (each % 2)}question {number}"  # some are open for minutes
            run = platform.orchestrator.dispatch(agent, RunInput(prompt=prompt))
            runs[run.id] = run
        nightly(settings, Progress())
        with duckdb.connect(tmp_path / "data" / "analytics.duckdb", read_only=True) as con:
            rows = con.execute(
                "select run_id, status, cost_usd, tokens_in, tokens_out from marts.fct_runs"
            ).fetchall()
            totals = con.execute("select sum(cost_usd) from marts.fct_workspace_days").fetchone()
        published.append({run_id: (status, *counters) for run_id, status, *counters in rows})
        assert totals == (sum(row[2] for row in rows),)

    for number, batch in enumerate(published, 1):
        assert len(batch) == 8 * number
        for run_id, (status, *counters) in batch.items():
            assert tuple(counters) in states(runs[run_id])
            assert status in ("pending", "running", "succeeded", "failed", "cancelled")
            assert status != "pending" or counters[0] == 0
    statuses = {status for batch in published for status, *_ in batch.values()}
    assert {"pending", "running"} & statuses
