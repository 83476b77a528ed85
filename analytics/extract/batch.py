"""The state that all steps of one workspace's batch share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from analytics.extract.landing import Landing
from analytics.extract.loads import new_loads
from analytics.extract.refusals import Endpoint
from analytics.extract.store import Loaded, Store
from analytics.levain import AsyncLevain
from analytics.settings import Extract

TRAILING_DAYS = 8
"""The days that each batch reads again, because the API may still add to them."""

AGENT_ROLLUPS = "agent_rollups"


class StepProgress(Protocol):
    """Receives the events of a workspace's batch, and the counts of its requests."""

    def say(self, text: str) -> None:
        """Receive an event."""

    def begin(self, step: str, count: int = 0) -> None:
        """Begin a step, of so many requests, if that is known."""

    def expect(self, count: int) -> None:
        """Receive the number of the next requests of the step."""

    def advance(self) -> None:
        """Count a request as done."""


@dataclass
class WorkspaceBatch:
    """The state of one workspace's batch.

    `began_at` is the time of the API's clock; `seen` holds the runs whose state this batch has
    read, `days_read` the UTC days that it has read of each windowed source, `refused` the sources
    that the API refuses to the account, and `listed_agents` the agents in its list.
    """

    client: AsyncLevain
    store: Store
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
    warnings: list[str] = field(default_factory=list)
    record_count: int = 0
    new_version_count: int = 0
    quarantined_count: int = 0
    _loading: asyncio.Task[Loaded] | None = None

    def __post_init__(self) -> None:
        """Number the loads from the last landed one on: no other process lands meanwhile."""
        self._new_loads = new_loads(self.landing_root / self.workspace_id, self.began_at)

    @property
    def today(self) -> date:
        """The UTC day on which the batch began."""
        return self.began_at.date()

    def days_back(self, count: int) -> list[date]:
        """The last `count` UTC days, today included, oldest first."""
        return [self.today - timedelta(days=back) for back in reversed(range(count))]

    def days_held(self, source: str) -> set[date]:
        """The UTC days stored of a windowed source: those of the first batch, and all since."""
        first = self.store.first_day_read(source) or self.today
        return set(self.days_back(max(self.options.history_days, (self.today - first).days + 1)))

    def agents_active_on(self) -> dict[str, date]:
        """Return the last UTC day on which each agent started runs; any agent may have today."""
        active_on = self.store.agents_active_on()
        if AGENT_ROLLUPS in self.refused:
            active_on |= dict.fromkeys(self.listed_agents, self.today)
        return active_on

    def lately_active_agents(self) -> set[str]:
        """Agents that started runs in the days that each batch reads again."""
        first = self.today - timedelta(days=TRAILING_DAYS - 1)
        return {agent_id for agent_id, day in self.agents_active_on().items() if day >= first}

    def conclude(self, source: str, endpoint: Endpoint) -> None:
        """Note whether the API refuses an endpoint to the account, and warn of it."""
        if endpoint.is_refused:
            self.refused.add(source)
        if endpoint.refusals:
            self.warnings.append(endpoint.warning())

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
        )
        try:
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
        self._loading = asyncio.create_task(asyncio.to_thread(self.store.load, folder))

    async def loaded(self) -> None:
        """Wait until every landed folder is loaded."""
        if self._loading is None:
            return
        try:
            await asyncio.shield(self._loading)
        except asyncio.CancelledError:
            # The thread keeps running: no other code may use the store before it ends.
            await asyncio.wait([self._loading])
            raise
        finally:
            loading, self._loading = self._loading, None
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
