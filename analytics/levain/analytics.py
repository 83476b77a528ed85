"""Metered cost and tokens, by hour, day, agent and provider, in windows of UTC days."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeVar

from analytics.levain.answers import Params
from analytics.levain.paging import Page, one_page
from analytics.levain.paths import api_path
from analytics.levain.transport import Transport
from analytics.levain.usage import (
    AgentBucket,
    AgentTotals,
    BillingDay,
    PlatformAgentTotals,
    RunCost,
    Summary,
    UsageHour,
)

LONGEST_HOURLY_DAYS = 30
LONGEST_DAILY_DAYS = 365

Period = Literal["day", "week", "month", "quarter"]
Granularity = Literal["hour", "day"]

T = TypeVar("T")


class Analytics:
    """`/analytics`. A window is `[start, end)`, in UTC days."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def summary(self, period: Period = "month") -> Summary:
        """Read the workspace's totals of the period up to now, and of the period before it.

        >>> totals = levain.analytics.summary("week").current
        >>> totals.run_count, totals.cost_usd
        (1, Decimal('0.25'))
        """
        return await self._transport.read(
            api_path("analytics", "summary"), Summary, {"period": period}
        )

    async def timeseries_by_agent(
        self, start: date, end: date, *, granularity: Granularity = "day"
    ) -> Page[AgentBucket]:
        """Read cost and bill by agent and day (at most 365 days) or hour (at most 30 days).

        Rows without an agent are the platform's.
        """
        params = {"granularity": granularity}
        return await self._window("timeseries/by-agent", AgentBucket, start, end, params)

    async def hourly(self, start: date, end: date) -> Page[UsageHour]:
        """Read usage by hour, agent, model and provider; at most 30 days."""
        return await self._window("hourly", UsageHour, start, end)

    async def billing(self, start: date, end: date) -> Page[BillingDay]:
        """Read usage and bill by day and provider; at most 365 days."""
        return await self._window("billing", BillingDay, start, end)

    async def agents(self, start: date, end: date) -> Page[AgentTotals]:
        """Read totals by agent, over the runs created in the window."""
        return await self._window("agents", AgentTotals, start, end)

    async def platform_agents(self, start: date, end: date) -> Page[PlatformAgentTotals]:
        """Read totals by platform agent (builds, verifications, maintenance) over the window."""
        return await self._window("platform-agents", PlatformAgentTotals, start, end)

    async def run_costs(self, run_id: str) -> Page[RunCost]:
        """Read the cost of a run, by model and provider."""
        return await one_page(
            self._transport, api_path("analytics", "runs", run_id, "costs"), RunCost
        )

    async def _window(
        self, name: str, kind: type[T], start: date, end: date, more: Params | None = None
    ) -> Page[T]:
        return await one_page(
            self._transport,
            f"/api/v1/analytics/{name}",
            kind,
            {"start": f"{start}T00:00:00Z", "end": f"{end}T00:00:00Z", **(more or {})},
        )
