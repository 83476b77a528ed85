"""The extraction of one workspace: the state that all of its steps share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from analytics.errors import AnalyticsError
from analytics.extract.landing import Landing
from analytics.files import named_if_full
from analytics.levain import AsyncLevain
from analytics.settings import Extract
from analytics.warehouse import windows_read
from analytics.warehouse.landed import move_aside, new_loads
from analytics.warehouse.load import Loaded
from analytics.warehouse.sources import AGENT_ROLLUPS
from analytics.warehouse.store import Store

TRAILING_DAYS = 8
"""The days that each batch reads again, because the API may still add to them."""

LONGEST_LULL = 1800.0
"""Seconds without an answer after which a workspace is given up.

One request, tried as often as it may be with the pauses that the API may ask for, takes half of it.
"""


class StepProgress(Protocol):
    """Receives the events of an extraction, and the counts of its requests."""

    def say(self, text: str) -> None:
        """Receive an event."""

    def begin(self, step: str, count: int = 0) -> None:
        """Begin a step, of so many requests, if that is known."""

    def expect(self, count: int) -> None:
        """Receive the number of the next requests of the step."""

    def advance(self) -> None:
        """Count a request as done."""


@dataclass
class Extraction:
    """The extraction of one workspace, by a batch or by a collection.

    `load` loads a landed folder. `began_at` is the time of the API's clock; `seen` holds the runs
    whose state has been read, `days_read` the UTC days that have been read of each windowed source,
    `refused` the sources that the API refuses to the account, and `listed_agents` the agents in its
    list. `arrived_agents` are those whose runs another workspace has, with the days of all that it
    has of them.
    """

    client: AsyncLevain
    store: Store
    load: Callable[[Path], Loaded]
    options: Extract
    keep_errors: bool
    landing_root: Path
    workspace_id: str
    began_at: datetime
    progress: StepProgress
    seen: set[str] = field(default_factory=set)
    days_read: dict[str, set[date]] = field(default_factory=dict)
    touched_days: set[date] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    listed_agents: set[str] = field(default_factory=set)
    arrived_agents: set[str] = field(default_factory=set)
    arrived_days: set[date] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    record_count: int = 0
    new_version_count: int = 0
    quarantined_count: int = 0
    _landed: list[Path] = field(default_factory=list)
    _loading: asyncio.Task[Loaded] | None = None
    _lull: asyncio.Timeout | None = None

    def __post_init__(self) -> None:
        """Number the loads from the last landed one on: no other process lands meanwhile."""
        self._new_loads = new_loads(self.landing_root / self.workspace_id, self.began_at)

    @property
    def today(self) -> date:
        """The UTC day on which it began."""
        return self.began_at.date()

    def days_back(self, count: int) -> list[date]:
        """The last `count` UTC days, today included, oldest first."""
        return [self.today - timedelta(days=back) for back in reversed(range(count))]

    def days_held(self, source: str) -> set[date]:
        """The UTC days stored of a windowed source: those of the first batch, and all since.

        An agent that arrives may bring older ones.
        """
        first = windows_read.first_day_of(self.store, source) or self.today
        first = min([first, *self.arrived_days])
        return set(self.days_back(max(self.options.history_days, (self.today - first).days + 1)))

    def agents_active_on(self) -> dict[str, date]:
        """Return the last UTC day on which each agent started runs; any agent may have today."""
        active_on = windows_read.agents_active_on(self.store)
        if AGENT_ROLLUPS in self.refused:
            active_on |= dict.fromkeys(self.listed_agents, self.today)
        return active_on

    def lately_active_agents(self) -> set[str]:
        """Agents that started runs in the days that each batch reads again."""
        first = self.today - timedelta(days=TRAILING_DAYS - 1)
        return {agent_id for agent_id, day in self.agents_active_on().items() if day >= first}

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Read within the block; AnalyticsError after LONGEST_LULL seconds without an answer.

        What was landed stays. No load is still running after it, also after an error.
        """
        try:
            async with asyncio.timeout(LONGEST_LULL) as lull:
                self._lull = lull
                try:
                    yield
                finally:
                    self._lull = None
        except TimeoutError as error:
            if not lull.expired():
                raise
            raise AnalyticsError(
                f"The API has answered nothing for {LONGEST_LULL / 60:g} minutes.\n"
                "What it answered before is kept; the next batch goes on from there."
            ) from error
        finally:
            await self.loaded()

    def _wait(self, seconds: float | None) -> None:
        """Wait for the next answer for so long; None: as long as it takes, since it is loading."""
        if self._lull is not None and not self._lull.expired():
            now = asyncio.get_running_loop().time()
            self._lull.reschedule(None if seconds is None else now + seconds)

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[Landing]:
        """Land the records of a step; a step that fails leaves no folder.

        The folder is loaded while the next step reads; a step that queries the store awaits
        `loaded` first.
        """
        landing = Landing(
            self.landing_root,
            self.workspace_id,
            f"{next(self._new_loads)}-{name}",
            keep_errors=self.keep_errors,
            landed=lambda: self._wait(LONGEST_LULL),
        )
        try:
            with named_if_full(self.landing_root / self.workspace_id):
                yield landing
                await self.loaded()
                if not landing.request_count:
                    landing.discard()
                    return
                folder = landing.commit()
        except BaseException:
            with suppress(OSError):  # of closing a file of a full disk, which hides the cause
                landing.discard()
            raise
        self._landed.append(folder)
        self._loading = asyncio.create_task(asyncio.to_thread(self.load, folder))

    async def set_aside(self) -> Path:
        """Move all that was landed to where no batch loads it, and return that folder."""
        await self.loaded()
        return move_aside(self._landed)

    async def loaded(self) -> None:
        """Wait until every landed folder is loaded."""
        if self._loading is None:
            return
        self._wait(None)
        try:
            await asyncio.shield(self._loading)
        except asyncio.CancelledError:
            # The thread keeps running: no other code may use the store before it ends.
            await asyncio.wait([self._loading])
            raise
        finally:
            loading, self._loading = self._loading, None
            self._wait(LONGEST_LULL)
        self.count(loading.result())

    def count(self, loaded: Loaded) -> None:
        """Add the counts of a load."""
        self.record_count += loaded.record_count
        self.new_version_count += loaded.new_version_count
        self.quarantined_count += loaded.quarantined_count
        self.touched_days |= loaded.touched_days

    def _count_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self.progress.advance()

    async def gather(self, work: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Run all coroutines concurrently; the client limits the number of requests in flight.

        The first failure cancels the rest, and is raised as itself rather than in a group.
        """
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one) for one in work]
                self.progress.expect(len(tasks))
                for task in tasks:
                    task.add_done_callback(self._count_done)
        except BaseExceptionGroup as error:
            raise error.exceptions[0] from None
