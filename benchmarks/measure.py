"""Whole processes, measured from outside."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """One process: its seconds from start to end, its peak memory, its output."""

    seconds: float
    peak_megabytes: float
    output: str

    def stages(self) -> dict[str, float]:
        """Return the seconds of each stage of a batch that logged JSON."""
        lines = [line for line in self.output.splitlines() if line.startswith("{")]
        events = [json.loads(line) for line in lines]
        return {each["stage"]: each["seconds"] for each in events if "seconds" in each}


class Clock:
    """Measures a part of its process, from its creation."""

    def __init__(self) -> None:
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def print(self) -> None:
        """Print the seconds so far, and those of processor, as a JSON list."""
        print([time.perf_counter() - self._started, time.process_time() - self._cpu])


def run(command: Sequence[str], environment: dict[str, str], folder: str | None = None) -> Run:
    """Run a command to its end, in a folder; a failure ends the benchmark and prints its output."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    printed = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(command)} failed:\n{printed.decode(errors='replace')}")
    output = printed.decode(errors="replace")
    return Run(seconds, usage.ru_maxrss * 1024 / 1e6, output)


def seconds(runs: Sequence[Run]) -> str:
    """Format the median, and the range of several runs."""
    times = [run.seconds for run in runs]
    median = f"{statistics.median(times):.2f} s"
    return median if len(times) == 1 else f"{median} ({min(times):.2f}-{max(times):.2f})"


def median(runs: Sequence[Run]) -> float:
    """Return the median of the seconds."""
    return statistics.median(run.seconds for run in runs)


def megabytes(runs: Sequence[Run]) -> str:
    """Format the peak memory of all runs."""
    return f"{max(run.peak_megabytes for run in runs):.0f} MB"
