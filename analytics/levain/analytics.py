"""Metered cost and tokens, by hour, day, agent and provider: windows of UTC days."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from analytics.levain.paging import records_of
from analytics.levain.transport import Answer, Records, Transport

LONGEST_HOURLY_DAYS = 30
LONGEST_DAILY_DAYS = 365


class Analytics:
    """`/analytics`. A window is `[start, end)`, in UTC days."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def hourly(self, start: date, end: date) -> tuple[Answer, Records]:
        """Per hour, agent, model and provider; at most 30 days."""
        return await self._window("hourly", start, end)

    async def billing(self, start: date, end: date) -> tuple[Answer, Records]:
        """Per day and provider, with what Levain billed; at most 365 days."""
        return await self._window("billing", start, end)

    async def billing_by_agent(self, start: date, end: date) -> tuple[Answer, Records]:
        """Cost and bill per day and agent, without one for platform activity; at most 365 days."""
        return await self._window("timeseries/by-agent", start, end, granularity="day")

    async def agents(self, start: date, end: date) -> tuple[Answer, Records]:
        """Per agent, over the runs created in the window."""
        return await self._window("agents", start, end)

    async def platform_agents(self, start: date, end: date) -> tuple[Answer, Records]:
        """Per platform agent (builds, verifications, maintenance), over the window."""
        return await self._window("platform-agents", start, end)

    async def run_costs(self, run_id: str) -> tuple[Answer, Records]:
        """What a run cost, per model and provider."""
        answer = await self._transport.get(f"/api/v1/analytics/runs/{quote(run_id, safe='')}/costs")
        return answer, records_of(answer)

    async def _window(
        self, name: str, start: date, end: date, **more: str
    ) -> tuple[Answer, Records]:
        answer = await self._transport.get(
            f"/api/v1/analytics/{name}",
            {"start": f"{start}T00:00:00Z", "end": f"{end}T00:00:00Z", **more},
        )
        return answer, records_of(answer)
