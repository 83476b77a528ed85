"""Two moments of one small world, each behind an API that stands still, and the truth of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from analytics.emulator.records import Run
from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from tests.batches import Published, read_marts
from tests.conftest import book_run
from tests.properties.oracle import Oracle, state_of, stored_state
from tests.properties.story import Event, Life
from tests.properties.test_batches import MEASURES, prove_controls, prove_sums

BEGIN = datetime(2026, 11, 5, 6, tzinfo=UTC)
HISTORY_DAYS = 36
"""From October's first day on."""

Figures = dict[Any, dict[str, Any]]


@dataclass(frozen=True)
class Moment:
    """The world at a batch, and the figures that the batch must publish."""

    name: str
    life: Life
    api: Emulator

    @property
    def environment(self) -> dict[str, str]:
        return {"LEVAIN_API_KEY": self.life.workspace.api_key, "LEVAIN_API": self.api.url}

    @cached_property
    def figures(self) -> Figures:
        """All measures by agent and day, from the emulator's own state."""
        rows = [state_of(run)._asdict() | {"run_id": run.id} for run in self.life.all_runs.values()]
        days = Oracle(self.life, rows, "UTC").agent_days()
        return {key: {name: day.get(name, 0) for name in MEASURES} for key, day in days.items()}

    def prove(self, con: duckdb.DuckDBPyConnection) -> None:
        """Assert that all published figures are the truth of this moment, to the last digit."""
        marts = Published(read_marts(con), [])
        states = {run.id: state_of(run) for run in self.life.all_runs.values()}
        assert {row["run_id"]: stored_state(row) for row in marts["fct_runs"]} == states
        oracle = Oracle(self.life, marts["fct_runs"], "UTC")
        prove_sums(marts, oracle)
        prove_controls(marts, oracle, self.life.world.now.date())
        failed = [row for row in marts["check_results"] if row["finding"]]
        assert not failed, failed


def figures_of(con: duckdb.DuckDBPyConnection) -> Figures:
    """Return all measures by agent and day as published."""
    rows = con.execute(
        f"select agent_id, date, {', '.join(MEASURES)} from marts.fct_agent_days"
    ).fetchall()
    return {(agent, day): dict(zip(MEASURES, rest, strict=True)) for agent, day, *rest in rows}


@contextmanager
def moments() -> Iterator[tuple[Moment, ...]]:
    """The first moment, and a later one: new runs, a run that ended, a cost that was corrected."""
    with ExitStack() as apis:
        lives = [_first(), _later(_first())]
        yield tuple(
            Moment(name, life, apis.enter_context(running(life.world)))
            for name, life in zip(("first", "later"), lives, strict=True)
        )


def _first() -> Life:
    life = Life(World.empty(1, BEGIN))
    baker, miller = life.workspace.agents.values()
    booked: list[Run] = [
        book_run(life.world, baker, hours_ago=24 * 9, cost="1.10"),
        book_run(life.world, miller, hours_ago=24 * 8, cost="0.3333333333", status="failed"),
        book_run(life.world, baker, hours_ago=30, cost="0.25"),
        book_run(life.world, miller, hours_ago=2, cost="0.15", status="failed", error="E: oven"),
        book_run(life.world, baker, hours_ago=1, cost="0.05", status="running"),
    ]
    life.all_runs |= {run.id: run for run in booked}
    life.happen(Event("platform", amount=3))
    life.pass_time(timedelta(minutes=30))
    return life


def _later(life: Life) -> Life:
    life.pass_time(timedelta(hours=20))
    *_, corrected, _, running_ = life.all_runs.values()
    life.world.correct_cost(corrected, Decimal("0.125"))
    life.world.finish_run(running_, "failed", error="ToolError: no flour")
    for which in range(3):
        life.happen(Event("burst", which, which + 1))
    life.pass_time(timedelta(hours=4))
    return life


def write_settings(folder: Path) -> None:
    """Write the settings of a project into its folder."""
    text = f"[extract]\nhistory_days = {HISTORY_DAYS}\nconcurrency = 1\n"
    (folder / "analytics.toml").write_text(text, encoding="utf-8")
