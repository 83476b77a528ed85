"""Two moments of one small world, and what readers of a data directory find."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
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
from tests.properties.oracle import Oracle, state_of, stored_state
from tests.properties.story import Event, Life
from tests.properties.test_batches import MEASURES, prove_controls, prove_sums
from tests.worlds import book_run

BEGIN = datetime(2026, 11, 5, 6, tzinfo=UTC)
LASTING = {
    ".lock", "alerts.json", "analytics.duckdb", "books", "build.duckdb", "landing",
    "last-batch.json", "metrics.prom", "publications", "published", "site", "warehouse.duckdb",
}  # fmt: skip
"""All that lies in a data directory after a batch."""

ASIDE = ".aside-"
UNFINISHED = (".unfinished", ".wal", ".tmp")
AS_OF = """
    select strftime(max(last_batch_at) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S')
    from marts.dim_workspaces
"""


@dataclass(frozen=True)
class Moment:
    """The world at a batch, and the figures that the batch must publish."""

    life: Life
    api: Emulator

    @property
    def environment(self) -> dict[str, str]:
        api = {"LEVAIN_API_KEY": self.life.workspace.api_key, "LEVAIN_API": self.api.url}
        return api | {"NOW": self.life.world.now.isoformat()}

    @cached_property
    def figures(self) -> dict[Any, Any]:
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


def figures_of(con: duckdb.DuckDBPyConnection) -> dict[Any, Any]:
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
        yield tuple(Moment(life, apis.enter_context(running(life.world))) for life in lives)


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


class Broken(Exception):  # noqa: N818  # a state of the data, not an error of the harness
    """What readers find is not one whole batch."""


def look(data: Path, moments: Sequence[Moment]) -> Moment | None:
    """Return the moment whose batch is published, file and site; else None, or Broken."""
    file, site = data / "analytics.duckdb", data / "site"
    if not file.exists():
        if site.exists():
            raise Broken("a site without a file")
        return None
    try:
        with duckdb.connect(file, read_only=True) as con:
            found = figures_of(con)
            ((as_of,),) = con.execute(AS_OF).fetchall()
    except duckdb.Error as error:
        raise Broken(f"the file cannot be read: {error}") from error
    moment = next((moment for moment in moments if moment.figures == found), None)
    if moment is None:
        raise Broken("the file has the figures of no batch")
    check_site(site, as_of)
    return moment


def check_site(site: Path, as_of: str) -> None:
    """Raise Broken unless the site's files are those of its manifest, as of this moment."""
    try:
        manifest = json.loads((site / "manifest.json").read_bytes())
        found = {
            path.relative_to(site).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(site.rglob("*"))
            if path.is_file() and path.name != "manifest.json"
        }
    except (OSError, ValueError) as error:
        raise Broken(f"the site cannot be read: {error}") from error
    if found != manifest["files"]:
        raise Broken("files of the site are not its manifest's")
    if not manifest["as_of"].startswith(as_of):
        raise Broken(f"the site is as of {manifest['as_of']}, the file as of {as_of}")


def check_whole(data: Path, moment: Moment) -> None:
    """Raise Broken unless a batch of this moment was published exactly, and left nothing over.

    What was damaged may be kept aside.
    """
    if look(data, [moment]) is None:
        raise Broken("nothing is published")
    with duckdb.connect(data / "analytics.duckdb", read_only=True) as con:
        con.execute("set TimeZone = 'UTC'; set search_path = 'marts,audit'")
        try:
            moment.prove(con)
        except AssertionError as error:
            raise Broken(f"the figures are not exact: {error}") from error
    left = [path for path in data.iterdir() if path.name not in LASTING]
    left += [path for path in data.rglob("*") if path.name.endswith(UNFINISHED)]
    if left := [path for path in left if ASIDE not in path.name]:
        raise Broken(f"left over: {left}")
