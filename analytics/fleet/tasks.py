"""Batches of shards as tasks of Ray, which decides where each runs, and tries it again."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.errors import AnalyticsError, UsageError, extra_needed
from analytics.fleet.store import Store, StoreError
from analytics.levain.rate_limiter import RateLimiter
from analytics.memory import bytes_of

if TYPE_CHECKING:
    from analytics.fleet.generations import Generation
    from analytics.fleet.settings import Fleet


_REACHED_WITHIN = 10.0
"""Seconds within which the head of a cluster has to answer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a task: the new head of its shard, or the error that left the shard as it was."""

    shard: str
    generation: Generation | None = None
    error: AnalyticsError | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of its batch."""
        return self.generation.exit_code if self.generation else self._error.exit_code

    @property
    def message(self) -> str:
        """The error of its batch; empty for one that ended well."""
        if self.generation is None:
            return str(self._error).partition("\n")[0]
        return self.generation.failure or ""

    @property
    def _error(self) -> AnalyticsError:
        return self.error or AnalyticsError("It has no outcome.")


class SharedRateLimiter(RateLimiter):
    """A rate limiter that all tasks share: limit and pauses are those of an actor, by API."""

    def __init__(self, budget: Any, api: str) -> None:
        super().__init__()
        self._budget, self._api = budget, api

    def pause_for(self, seconds: float) -> None:
        """Block the requests of all tasks for this many seconds."""
        self._budget.pause_for.remote(self._api, seconds)

    async def acquire(self) -> float:
        """Wait until the next request may be sent; return the seconds that took."""
        return float(await self._budget.acquire.remote(self._api))


class RequestBudget:
    """The limit of requests a second of all tasks together, for each API: an actor of Ray."""

    def __init__(self, requests_per_second: float) -> None:
        self._requests_per_second = requests_per_second
        self._limiters: dict[str, RateLimiter] = {}

    async def acquire(self, api: str) -> float:
        """Wait until the next request may be sent to an API; return the seconds that took."""
        return await self._of(api).acquire()

    async def pause_for(self, api: str, seconds: float) -> None:
        """Block all requests to an API for this many seconds."""
        self._of(api).pause_for(seconds)

    def _of(self, api: str) -> RateLimiter:
        return self._limiters.setdefault(api, RateLimiter(self._requests_per_second))


def run_batches(fleet: Fleet, shards: list[str], address: str | None) -> Iterator[Outcome]:
    """Run a batch of each shard, and yield the outcomes as they come.

    `address` is that of a cluster of Ray; without one, Ray starts on this machine for as long as it
    takes. A task whose process or machine dies, or whose storage fails, is tried again. UsageError
    if the cluster cannot be reached.
    """
    with _connected(address) as ray:
        budget = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(RequestBudget).remote(
            fleet.requests_per_second
        )
        task = ray.remote(
            num_cpus=fleet.task.cpus,
            memory=bytes_of(fleet.task.memory),
            max_retries=fleet.task.attempts - 1,
            retry_exceptions=[StoreError],
        )(_run)
        waiting = {task.remote(fleet, shard, budget): shard for shard in shards}
        while waiting:
            (done,), _ = ray.wait([*waiting])
            yield _outcome(ray, done, waiting.pop(done))


def _run(fleet: Fleet, shard: str, budget: Any) -> Outcome:
    """Run the batch of a shard in a new folder of this machine; StoreError may be tried again."""
    from analytics.batch.progress import LogFormat, Progress
    from analytics.fleet.shard import run_batch
    from analytics.warehouse.machine import limit_process

    progress = Progress(StringIO(), log_format=LogFormat.json)
    with scratch(shard) as folder:
        try:
            limit_process(fleet.task.memory, fleet.task.cpus)
            generation = run_batch(
                Store(fleet.storage),
                shard,
                fleet.of(shard, folder),
                progress,
                timedelta(days=fleet.keep_days),
                partial(SharedRateLimiter, budget),
            )
        except StoreError:
            raise
        except AnalyticsError as error:
            return Outcome(shard, error=error)
    return Outcome(shard, generation)


def _outcome(ray: Any, done: Any, shard: str) -> Outcome:
    """Return the outcome of a task; whatever ended it costs no other task its own."""
    try:
        outcome: Outcome = ray.get(done)
    except ray.exceptions.RayError as error:
        return Outcome(shard, error=_error_of(ray, error, shard))
    return outcome


def _error_of(ray: Any, error: Exception, shard: str) -> AnalyticsError:
    cause = error.cause if isinstance(error, ray.exceptions.RayTaskError) else None
    if isinstance(cause, AnalyticsError):
        return cause
    text = str(cause or error).partition("\n")[0]
    if isinstance(cause, ray.exceptions.RayError):
        return AnalyticsError(
            f"The cluster cannot run the task of {shard}: {text}\n"
            "Install the same release of this program on all machines, with the extra fleet."
        )
    if cause is not None:
        return AnalyticsError(
            f"The task of {shard} met an error of this program: {type(cause).__name__}: {text}\n"
            "The shard is as it was. Report this; `analytics fleet export` gives its data."
        )
    return AnalyticsError(
        f"The task of {shard} died each time it was tried: {text}\n"
        "The shard is as it was. Give tasks more memory, or shards fewer workspaces."
    )


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """Yield a new folder of this machine; those of processes that were killed are removed."""
    from analytics.warehouse.scratch import scratch_folder

    root = Path(tempfile.gettempdir())
    with scratch_folder(root) as folder:
        if folder is None:
            raise UsageError(f"{root} cannot be written.\nName a folder that can be, in TMPDIR.")
        inner = folder / name
        inner.mkdir()
        yield inner


def _require_answer(address: str) -> None:
    """Raise UsageError if nobody listens at an address: Ray would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACHED_WITHIN).close()
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise UsageError(
            f"Ray cannot be used at {address}: {cause}\n"
            "Start its cluster, or name the address that `ray start` printed."
        ) from error


@contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    """Yield Ray, connected to a cluster, or started on this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    with extra_needed("A fleet", "fleet"):
        import ray
    if address and address != "auto":
        _require_answer(address)
    # Without "local", Ray would join a cluster that it finds on this machine.
    local = {"address": "local", "include_dashboard": False}
    options: dict[str, Any] = {"address": address} if address else local
    try:
        ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = f" at {address}" if address else ""
        raise UsageError(
            f"Ray cannot be used{where}: {str(error).partition(chr(10))[0]}\n"
            "Start its cluster, or name the address that `ray start` printed."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()
