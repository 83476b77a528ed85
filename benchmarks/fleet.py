"""The emulator of the benchmarks, in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection

AGENTS = 500
RUNS_PER_AGENT = 200
SEED = 1
NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


@dataclass
class Served:
    """A served fleet: its URL, key and time, and a method to change it."""

    url: str
    api_key: str
    _pipe: Connection
    now: datetime = NOW

    def change(self, share: float) -> None:
        """Change this share of the runs, or start new ones."""
        self._pipe.send(share)
        self._pipe.recv()

    def rest(self, span: timedelta) -> None:
        """Let time pass in which nothing runs."""
        self._pipe.send(span)
        self._pipe.recv()
        self.now += span

    def cpu_seconds(self) -> float:
        """Return the processor time that the server has taken so far."""
        self._pipe.send(0.0)
        seconds: float = self._pipe.recv()
        return seconds


@contextmanager
def served(agents: int = AGENTS, runs_per_agent: int = RUNS_PER_AGENT) -> Iterator[Served]:
    """Serve a fleet of agents with this many runs each."""
    pipe, its_end = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(its_end, agents, runs_per_agent)
    )
    process.start()
    try:
        url, api_key = pipe.recv()
        yield Served(url, api_key, pipe)
    finally:
        pipe.send(None)
        process.join()


def _serve(pipe: Connection, agents: int, runs_per_agent: int) -> None:
    from analytics.emulator.server import running
    from benchmarks.worlds import Fleet

    fleet = Fleet(SEED, NOW, agents=agents, runs_per_agent=runs_per_agent)
    with running(fleet) as emulator:
        pipe.send((emulator.url, fleet.workspace.api_key))
        while (asked := pipe.recv()) is not None:
            if isinstance(asked, timedelta):
                fleet.pass_time(asked)
            elif asked:
                fleet.change(asked)
            pipe.send(time.process_time())
