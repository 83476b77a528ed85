"""Shards on one node process and on two, each of one processor: `python -m benchmarks.nodes`.

It needs the extra `fleet`. Measured is the part of a batch after its requests: all marts of a shard
are built anew, checked and published. Beside it stands what a task costs that does nothing.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

from analytics.batch import stages
from analytics.batch.batch import begun
from analytics.batch.progress import Progress
from analytics.emulator.server import running
from analytics.fleet.settings import Fleet, load_fleet
from analytics.fleet.tasks import run_batch
from analytics.machine_clock import machine_clock
from analytics.warehouse.memory import limit_process
from benchmarks.fleet import NOW
from benchmarks.worlds import Workspaces

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
        work: list[float] = []
        for _ in range(ROUNDS):
            for nodes, found in times.items():
                seconds, tasks, nothing = _measured(fleet, nodes)
                found.append(seconds)
                work += tasks
                overhead.append(nothing)
        one, two = (statistics.median(found) for found in times.values())
        print(f"{SHARDS} shards of {RUNS} runs, median of {ROUNDS} rounds")
        print(f"one node process   {one:6.1f} s ({_span(times[1])})")
        print(f"two node processes {two:6.1f} s ({_span(times[2])}), {one / two:.2f} times as fast")
        print(f"of a task: build to publication {statistics.median(work):.2f} s")
        print(f"a task that does nothing {1000 * statistics.median(overhead):.1f} ms")


def _span(seconds: list[float]) -> str:
    return f"{min(seconds):.1f}-{max(seconds):.1f}"


def _made(root: Path) -> Fleet:
    """Make a fleet in a folder, after a batch of each shard."""
    world = Workspaces(1, NOW, [RUNS] * SHARDS)
    with running(world) as emulator, machine_clock(lambda: NOW):
        tables = ['folder = "fleet"\n']
        for number, workspace in enumerate(world.workspaces):
            os.environ[f"KEY_{number}"] = workspace.api_key
            tables.append(
                f'[[workspaces]]\napi_key_env = "KEY_{number}"\napi = "{emulator.url}"\n'
                f'shard = "s{number}"\n'
            )
        (root / "fleet.toml").write_text("\n".join(tables))
        fleet = load_fleet(root / "fleet.toml")
        for shard in fleet.shards:
            run_batch(fleet, shard, Progress(StringIO()))
            print(f"made {shard}", file=sys.stderr)
    return fleet


def _measured(fleet: Fleet, nodes: int) -> tuple[float, list[float], float]:
    """Return the seconds of all shards, those of each task's work, and of a task of nothing."""
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


def _task(fleet: Fleet, shard: str) -> float:
    """Build and publish a shard anew; return the seconds."""
    settings, layout = fleet.of(shard), fleet.layout(shard)
    limit_process(fleet.task.memory, fleet.task.cpus)
    layout.marts.unlink()
    began = time.perf_counter()
    progress: Any = Progress(StringIO())
    with begun(settings, progress) as batch:
        stages.make_and_publish(batch)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
