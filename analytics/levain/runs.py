"""Runs, their log events and their counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

from analytics.levain.paging import Page, pages, records_of
from analytics.levain.records import DailyCount, Run, typed
from analytics.levain.transport import Answer, Params, Records, Transport

DailyCounts = list[DailyCount]

LONGEST_COUNT_DAYS = 90
LONGEST_LIST = 200
"""The API lists no more runs than the newest 200, of the workspace or of one agent."""


class Runs:
    """`/runs`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def pages(self, agent_id: str | None = None) -> AsyncIterator[Page[Run]]:
        """The newest runs first, of the workspace or of one agent, page by page."""
        params: Params = {"limit": LONGEST_LIST} | ({"agent_id": agent_id} if agent_id else {})
        return pages(self._transport, "/api/v1/runs/", params, Run)

    async def list(self, agent_id: str | None = None) -> AsyncIterator[Run]:
        """The newest runs first, of the workspace or of one agent."""
        async for page in self.pages(agent_id):
            for run in page:
                yield run

    async def read(self, run_id: str) -> Answer:
        """One run as it stands now, undecoded; NotFoundError where there is none."""
        return await self._transport.get(f"/api/v1/runs/{quote(run_id, safe='')}")

    async def get(self, run_id: str) -> Run:
        """One run as it stands now."""
        return typed((await self.read(run_id)).record, Run)

    async def log_events(self, run_id: str) -> tuple[Answer, Records]:
        """A run's structured log events, undecoded, oldest first."""
        answer = await self._transport.get(f"/api/v1/runs/{quote(run_id, safe='')}/log/events")
        return answer, records_of(answer)

    async def read_daily(self, agent_id: str, days: int) -> tuple[Answer, Records]:
        """How many runs an agent started per UTC day, undecoded."""
        answer = await self._transport.get(
            "/api/v1/runs/daily", {"agent_id": agent_id, "days": days}
        )
        return answer, records_of(answer)

    async def daily(self, agent_id: str, days: int = 7) -> DailyCounts:
        """How many runs an agent started per UTC day, by status, today included (1 to 90 days)."""
        _, records = await self.read_daily(agent_id, days)
        return [typed(record, DailyCount) for record in records]
