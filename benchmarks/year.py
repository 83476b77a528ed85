"""A year of the demo's companies, a batch a day: how large the files of the data directory grow.

    python -m benchmarks.year FOLDER [DAYS]

FOLDER is made anew. At the end a directory with the same landing is rebuilt and published from
nothing, and its files are compared.
"""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analytics.cli.demo import SEED
from analytics.cli.emulator import command_at
from analytics.emulator import World, running
from analytics.warehouse.layout import Layout
from benchmarks.measure import Run, megabytes, run, seconds

SHOWN = 30
"""Days from one printed line to the next."""


def measure(folder: Path, days: int) -> None:
    """Print the files' sizes as the days pass, and those of a directory that was made at once."""
    data, fresh = folder / "data", folder / "fresh"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    world = World.demo(SEED, datetime.now(UTC), history_days=days, at_start=True)
    with running(world) as emulator:
        environment = dict(os.environ)
        settings = "[extract]\nhistory_days = 1\n"
        for number, workspace in enumerate(world.workspaces):
            environment[f"LEVAIN_KEY_{number}"] = workspace.api_key
            settings += f'[[workspaces]]\napi_key_env = "LEVAIN_KEY_{number}"\n'
            settings += f'api = "{emulator.url}"\n'
        (folder / "analytics.toml").write_text(settings, encoding="utf-8")
        batches: list[Run] = []
        largest = 0.0
        for day in range(1, days + 1):
            world.pass_time(timedelta(days=1))
            batches.append(_analytics("nightly", data, world.now, environment))
            largest = max(largest, _megabytes(Layout(data).published_file))
            if day % SHOWN == 0 or day == days:
                print(f"  after {day:3} batches {_sizes(data)}", flush=True)
    shutil.copytree(data / "landing", fresh / "landing")
    _analytics("rebuild", fresh, world.now, environment)
    print(f"  made at once      {_sizes(fresh)}")
    for name in ("published", "marts", "warehouse"):
        file, other = getattr(Layout(data), name), getattr(Layout(fresh), name)
        print(f"  {file.name:18} {_megabytes(file) / _megabytes(other):.2f} times as large")
    print(f"  {Layout(data).published_file.name} was at most {largest:.1f} MB")
    last = batches[-SHOWN:]
    print(f"  the first batches {seconds(batches[:SHOWN])}, the last {seconds(last)}")
    runs = sum(len(each.agent_runs) for each in world.workspaces)
    print(f"  peak memory {megabytes(batches)}; {runs:,} runs")


def _analytics(command: str, data: Path, now: datetime, environment: dict[str, str]) -> Run:
    place = ["--data-dir", str(data), "--config", str(data.parent / "analytics.toml")]
    return run(command_at(now, command, *place), environment)


def _sizes(data: Path) -> str:
    layout = Layout(data)
    files = (layout.published_file, layout.marts, layout.warehouse)
    return ", ".join(f"{each.name} {_megabytes(each):.1f} MB" for each in files)


def _megabytes(file: Path) -> float:
    return file.stat().st_size / 1e6


if __name__ == "__main__":
    measure(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 365)
