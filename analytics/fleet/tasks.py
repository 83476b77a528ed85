"""The batches of a fleet: a task of Ray for each shard, and what came of all of them."""

from __future__ import annotations

import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from io import StringIO
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from analytics.errors import AnalyticsError, UsageError, extra_needed
from analytics.format.numbers import plural
from analytics.levain.pace import RateLimiter
from analytics.warehouse.memory import bytes_of

if TYPE_CHECKING:
    from analytics.batch.batch import Limit
    from analytics.batch.progress import Progress
    from analytics.fleet.settings import Fleet


_HOME = "../../index.html"
"""Address of the overview, as seen from the site of a shard."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a shard's batch: exit code, seconds, and the first line of its error."""

    shard: str
    exit_code: int
    message: str = ""
    seconds: float = 0


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


def nightly(fleet: Fleet, only: list[str], address: str | None, progress: Progress) -> None:
    """Run the batch of each shard, or of those named; AnalyticsError names those that failed.

    UsageError if a shard is unknown, a key is not set here, or Ray cannot be used.
    """
    for shard in only:
        fleet.require_shard(shard)
    shards = only or [*fleet.shards]
    outcomes: list[Outcome] = []
    with progress.stage("batches") as done:
        progress.begin(f"running {plural(len(shards), 'batch', 'batches')}", len(shards))
        for outcome in run_batches(fleet, shards, address):
            outcomes.append(outcome)
            progress.advance()
            _tell(outcome, progress)
        failed = [each for each in outcomes if each.exit_code]
        done(
            f"{plural(len(outcomes) - len(failed), 'batch', 'batches')} ended well,"
            f" {len(failed):,} failed",
            batch_count=len(outcomes),
            failed_count=len(failed),
        )
    if failed:
        all_of_them = plural(len(outcomes), "batch", "batches")
        lines = "\n".join(f"{each.shard}: {each.message}" for each in failed)
        text = (
            f"{len(failed):,} of {all_of_them} failed; what was published of their"
            f" workspaces before still stands.\n{lines}"
        )
        if all(each.exit_code == UsageError.exit_code for each in outcomes):
            raise UsageError(text)
        raise AnalyticsError(text)


def _tell(outcome: Outcome, progress: Progress) -> None:
    if outcome.exit_code:
        progress.of(outcome.shard).warn(outcome.message)
    else:
        progress.of(outcome.shard).say(f"published ({outcome.seconds:.1f} s)")


def run_batches(fleet: Fleet, shards: list[str], address: str | None) -> Iterator[Outcome]:
    """Run a batch of each shard, and yield the outcomes as they come.

    `address` is that of a cluster of Ray; without one, Ray starts on this machine for as long as it
    takes. A task whose process or machine dies is tried again. UsageError if the cluster cannot be
    reached.
    """
    with _connected(address) as ray:
        budget = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(RequestBudget).remote(
            fleet.requests_per_second
        )
        task = ray.remote(
            num_cpus=fleet.task.cpus,
            memory=bytes_of(fleet.task.memory),
            max_retries=fleet.task.attempts - 1,
        )(_run)
        waiting = {task.remote(fleet, shard, budget): shard for shard in shards}
        while waiting:
            (done,), _ = ray.wait([*waiting])
            yield _outcome(ray, done, waiting.pop(done))


def _run(fleet: Fleet, shard: str, budget: Any) -> Outcome:
    """Run the batch of a shard in its data directory."""
    from analytics.batch.last_batch import read_last_batch
    from analytics.batch.progress import LogFormat, Progress
    from analytics.warehouse.memory import limit_process

    limit_process(fleet.task.memory, fleet.task.cpus)
    progress = Progress(StringIO(), log_format=LogFormat.json)
    try:
        run_batch(fleet, shard, progress, partial(SharedRateLimiter, budget))
    except AnalyticsError as error:
        return _failed(shard, error)
    seconds = sum(each for stage, each in progress.seconds.items() if stage != "load")
    ended = read_last_batch(fleet.layout(shard))
    message = (ended and ended.failure) or ""
    return Outcome(shard, ended.exit_code if ended else 0, message, seconds)


def run_batch(fleet: Fleet, shard: str, progress: Progress, limit: Limit | None = None) -> None:
    """Run the batch of a shard in its data directory; its pages lead to those of the fleet."""
    from analytics.batch.nightly import nightly

    nightly(fleet.of(shard), progress, limit=limit, home=_HOME)


def _failed(shard: str, error: AnalyticsError) -> Outcome:
    return Outcome(shard, error.exit_code, str(error).partition("\n")[0])


def _outcome(ray: Any, done: Any, shard: str) -> Outcome:
    """Return the outcome of a task; whatever ended it costs no other task its own."""
    try:
        outcome: Outcome = ray.get(done)
    except ray.exceptions.RayError as error:
        return _failed(shard, _error_of(ray, error, shard))
    return outcome


def _error_of(ray: Any, error: Exception, shard: str) -> AnalyticsError:
    cause = error.cause if isinstance(error, ray.exceptions.RayTaskError) else None
    text = str(cause or error).partition("\n")[0]
    if isinstance(cause, ray.exceptions.RayError):
        return AnalyticsError(
            f"The cluster cannot run the task of {shard}: {text}\n"
            "Install the same release of this program on all machines, with the extra fleet."
        )
    if cause is not None:
        return AnalyticsError(
            f"The task of {shard} met an error of this program: {type(cause).__name__}: {text}\n"
            "What it published before stands. Report this."
        )
    return AnalyticsError(
        f"The task of {shard} died each time it was tried: {text}\n"
        "What it published before stands. Give tasks more memory, or shards fewer workspaces."
    )


@contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    """Yield Ray, connected to a cluster, or started on this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    with nullcontext({"address": address}) if address else _local() as options:
        with extra_needed("A fleet", "fleet"):
            import ray
        try:
            ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
            where = f" at {address}" if address else ""
            raise UsageError(
                f"Ray cannot be used{where}: {str(error).partition(chr(10))[0]}\n"
                "Start its cluster, name the address that `ray start` printed, and set"
                " RAY_AUTH_MODE and RAY_AUTH_TOKEN as its machines have them."
            ) from error
        try:
            yield ray
        finally:
            ray.shutdown()


@contextmanager
def _local() -> Iterator[dict[str, Any]]:
    """Yield options of Ray for a cluster of this machine that no other user can reach.

    It listens on the loopback alone, asks for a token that only its processes know, and has its
    files and sockets in a folder of ours: Ray opens those that it makes itself to all.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # as on macOS: by default the loopback
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    os.environ.pop("RAY_AUTH_MODE", None)  # by default, Ray started so asks for a token
    short = "/tmp" if sys.platform == "darwin" else None  # noqa: S108 - for paths of sockets
    with TemporaryDirectory(prefix="ray-", dir=short, ignore_cleanup_errors=True) as folder:
        # Without "local", Ray would join a cluster that it finds on this machine.
        yield {"address": "local", "include_dashboard": False, "_temp_dir": f"{folder}/ray"}
