"""Model costs and log events, two requests a run: the pipeline beside bare clients."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet import Served
from benchmarks.measure import run

ROUNDS = 5
RUNS = 5_000


@dataclass(frozen=True)
class Reading:
    """The details of RUNS runs, read: seconds, and seconds of processor of each side."""

    seconds: float
    client_seconds: float
    server_seconds: float


def measure(fleet: Served, build: Path, environment: dict[str, str]) -> None:
    """Read the same runs' details by each client in turn; the pipeline also stores them."""
    data = str(build / "details")
    run([sys.executable, "-m", "benchmarks.ours", "lists", data], environment)
    clients = {
        "bare sockets": ["benchmarks.bare", "sockets"],
        "bare httpx": ["benchmarks.bare", "httpx"],
        "ours": ["benchmarks.ours", "details"],
    }
    readings: dict[str, list[Reading]] = {name: [] for name in clients}
    for _ in range(ROUNDS):
        for name, command in clients.items():
            server = fleet.cpu_seconds()
            told = subprocess.run(
                [sys.executable, "-m", *command, data, str(RUNS)],
                env=environment,
                stdout=subprocess.PIPE,
                check=True,
            ).stdout
            seconds, client = json.loads(told)
            readings[name].append(Reading(seconds, client, fleet.cpu_seconds() - server))
    print(f"\nDetails of {RUNS:,} runs ({2 * RUNS:,} requests), {ROUNDS} rounds")
    for name, each in readings.items():
        print(f"  {name:12} {_told(each)}")
    ours = _median(readings["ours"])
    ratios = ", ".join(
        f"{ours / _median(readings[name]):.2f} x {name}" for name in list(clients)[:2]
    )
    print(f"  ours is {ratios}")


def _told(readings: list[Reading]) -> str:
    seconds = [reading.seconds for reading in readings]
    client = statistics.median(reading.client_seconds for reading in readings)
    server = statistics.median(reading.server_seconds for reading in readings)
    return (
        f"{RUNS / _median(readings):5.0f} runs/s, {_median(readings):.2f} s"
        f" ({min(seconds):.2f}-{max(seconds):.2f}), CPU {client:.2f} s, the server's {server:.2f} s"
    )


def _median(readings: list[Reading]) -> float:
    return statistics.median(reading.seconds for reading in readings)
