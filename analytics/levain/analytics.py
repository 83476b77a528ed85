"""Metered cost and tokens, by hour, day, agent and provider: windows of UTC days."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeVar

from analytics.levain.paging import Page, one_page
from analytics.levain.paths import api_path
from analytics.levain.records import typed
from analytics.levain.transport import Params, Transport
from analytics.levain.usage import (
    AgentBucket,
    AgentTotals,
    BillingDay,
    Bucket,
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
        """The workspace's totals of a period up to now, and of the one before.

        >>> totals = levain.analytics.summary("week").current
        >>> totals.run_count, totals.cost_usd
        (1, Decimal('0.25'))
        """
        answer = await self._transport.get_record(
            api_path("analytics", "summary"), {"period": period}
        )
        return typed(answer.record, Summary)

    async def timeseries(
        self, start: date, end: date, *, granularity: Granularity = "day"
    ) -> Page[Bucket]:
        """The workspace's usage by day (at most 365 days) or hour (30)."""
        return await self._window("timeseries", Bucket, start, end, {"granularity": granularity})

    async def timeseries_by_agent(
        self, start: date, end: date, *, granularity: Granularity = "day"
    ) -> Page[AgentBucket]:
        """Each agent's money by day (at most 365 days) or hour (30), the platform's without one."""
        params = {"granularity": granularity}
        return await self._window("timeseries/by-agent", AgentBucket, start, end, params)

    async def hourly(self, start: date, end: date) -> Page[UsageHour]:
        """Per hour, agent, model and provider; at most 30 days."""
        return await self._window("hourly", UsageHour, start, end)

    async def billing(self, start: date, end: date) -> Page[BillingDay]:
        """Per day and provider, with what Levain billed; at most 365 days."""
        return await self._window("billing", BillingDay, start, end)

    async def agents(self, start: date, end: date) -> Page[AgentTotals]:
        """Per agent, over the runs created in the window."""
        return await self._window("agents", AgentTotals, start, end)

    async def platform_agents(self, start: date, end: date) -> Page[PlatformAgentTotals]:
        """Per platform agent (builds, verifications, maintenance), over the window."""
        return await self._window("platform-agents", PlatformAgentTotals, start, end)

    async def run_costs(self, run_id: str) -> Page[RunCost]:
        """What a run cost, per model and provider."""
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
