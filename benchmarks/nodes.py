"""Shards on one node process and on two, each of one processor: `python -m benchmarks.nodes`.

It needs the extra `fleet`. Measured is the part of a batch after its requests: a shard is fetched,
all its marts are built anew, checked and published, and it is put back. Beside it stands what a
task costs that does nothing, and what fetching and putting back take of a batch.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

from analytics.batch import stages
from analytics.batch.nightly import batch
from analytics.batch.progress import Progress
from analytics.emulator.server import running
from analytics.emulator.worlds.fleet import Workspaces
from analytics.fleet.generations import head
from analytics.fleet.settings import Fleet, load_fleet
from analytics.fleet.shard import run_batch
from analytics.fleet.store import Store
from analytics.fleet.tasks import scratch
from analytics.fleet.transfer import fetch_files, put_back
from analytics.warehouse.layout import Layout
from analytics.warehouse.machine import limit_process
from benchmarks.fleet import NOW

SHARDS = 12
RUNS = 400
"""Runs of the one workspace of each shard."""

ROUNDS = 3
NOTHING = 200
"""Tasks that do nothing."""


def main() -> None:
    """Make the shards, then measure one node and two in turn."""
    with tempfile.TemporaryDirectory() as name:
        fleet = _made(Path(name))
        times: dict[int, list[float]] = {1: [], 2: []}
        overhead: list[float] = []
        parts: list[tuple[float, float, float]] = []
        for _ in range(ROUNDS):
            for nodes, found in times.items():
                seconds, tasks, nothing = _measured(fleet, nodes)
                found.append(seconds)
                parts += tasks
                overhead.append(nothing)
        one, two = (statistics.median(found) for found in times.values())
        fetch, work, put = (statistics.median(each) for each in zip(*parts, strict=True))
        print(f"{SHARDS} shards of {RUNS} runs, median of {ROUNDS} rounds")
        print(f"one node process   {one:6.1f} s ({_span(times[1])})")
        print(f"two node processes {two:6.1f} s ({_span(times[2])}), {one / two:.2f} times as fast")
        print(f"of a task: fetch {fetch:.2f} s, build to publication {work:.2f} s, put {put:.2f} s")
        print(f"a task that does nothing {1000 * statistics.median(overhead):.1f} ms")


def _span(seconds: list[float]) -> str:
    return f"{min(seconds):.1f}-{max(seconds):.1f}"


def _made(root: Path) -> Fleet:
    """Make a fleet in a folder, after a batch of each shard."""
    world = Workspaces(1, NOW, [RUNS] * SHARDS)
    with running(world) as emulator:
        tables = ['storage = "storage"\n']
        for number, workspace in enumerate(world.workspaces):
            os.environ[f"KEY_{number}"] = workspace.api_key
            tables.append(
                f'[[workspaces]]\napi_key_env = "KEY_{number}"\napi = "{emulator.url}"\n'
                f'shard = "s{number}"\n'
            )
        (root / "fleet.toml").write_text("\n".join(tables))
        fleet = load_fleet(root / "fleet.toml")
        store = Store(fleet.storage)
        for shard in fleet.shards:
            settings = fleet.of(shard, root / f"scratch-{shard}")
            run_batch(store, shard, settings, Progress(StringIO()), timedelta(days=1))
            print(f"made {shard}", file=sys.stderr)
    return fleet


def _measured(fleet: Fleet, nodes: int) -> tuple[float, list[tuple[float, float, float]], float]:
    """Return the seconds of all shards, those of each task's parts, and of a task of nothing."""
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    for _ in range(nodes - 1):
        cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        task, nothing = ray.remote(_task), ray.remote(_nothing)
        ray.get(
            [nothing.remote() for _ in range(2 * nodes)]
        )  # workers are there, and have imported
        ray.get([task.remote(fleet, shard) for shard in [*fleet.shards][:nodes]])
        began = time.perf_counter()
        parts = ray.get([task.remote(fleet, shard) for shard in fleet.shards])
        seconds = time.perf_counter() - began
        began = time.perf_counter()
        ray.get([nothing.remote() for _ in range(NOTHING)])
        return seconds, parts, (time.perf_counter() - began) / NOTHING
    finally:
        ray.shutdown()
        cluster.shutdown()


def _nothing() -> None:
    """Do nothing."""


def _task(fleet: Fleet, shard: str) -> tuple[float, float, float]:
    """Fetch a shard, build and publish it, and put it back; return the seconds of each."""
    times = [time.perf_counter()]
    store = Store(fleet.storage)
    with scratch(shard) as folder:
        settings = fleet.of(shard, folder)
        limit_process(fleet.task.memory, fleet.task.cpus)
        layout, before = Layout(folder), head(store, shard)
        if before is None or not fetch_files(store, before, layout):
            sys.exit(f"{shard} is not whole")
        layout.marts.unlink()  # so that all is built anew
        times.append(time.perf_counter())
        progress: Any = Progress(StringIO())
        with batch(settings) as (_, con):
            stages.publish_loaded(con, settings, layout, progress, [])
        times.append(time.perf_counter())
        put_back(store, shard, before, layout, before.ended_at - timedelta(days=9999))
        times.append(time.perf_counter())
    return times[1] - times[0], times[2] - times[1], times[3] - times[2]


if __name__ == "__main__":
    main()
