"""The analytics endpoints."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Response

from analytics.emulator.aggregates import Analytics, Granularity
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld, find_run, window

HOUR_CAP_DAYS, DAY_CAP_DAYS = 30, 365

router = common.router()


async def analytics(world: TheWorld, workspace: TheWorkspace) -> Analytics:
    """Return the analytics of the key's workspace, up to the lag."""
    lag = timedelta(seconds=world.variants.analytics_lag_seconds)
    return Analytics(workspace, world.now - lag + timedelta.resolution)


TheAnalytics = Annotated[Analytics, Depends(analytics)]


@router.get("/analytics/summary")
async def get_summary(
    world: TheWorld,
    analytics: TheAnalytics,
    period: Literal["day", "week", "month", "quarter"] = "month",
) -> Response:
    """Return a period's totals and those of the one before."""
    return common.json(analytics.summary(period, world.now))


@router.get("/analytics/timeseries")
async def get_timeseries(
    world: TheWorld,
    analytics: TheAnalytics,
    granularity: Granularity = "day",
    start: datetime | None = None,
    end: datetime | None = None,
) -> Response:
    """Return totals by bucket."""
    bounds = window(world, start, end, _cap(granularity))
    return common.json(analytics.timeseries(*bounds, granularity))


@router.get("/analytics/timeseries/by-agent")
async def get_timeseries_by_agent(
    world: TheWorld,
    analytics: TheAnalytics,
    granularity: Granularity = "day",
    start: datetime | None = None,
    end: datetime | None = None,
) -> Response:
    """Return cost and bill by bucket and agent."""
    bounds = window(world, start, end, _cap(granularity))
    points = analytics.timeseries_by_agent(*bounds, granularity)
    return common.json_records(world, "agent_billing_days", points, analytics.workspace, bounds)


@router.get("/analytics/hourly")
async def get_hourly(
    world: TheWorld,
    analytics: TheAnalytics,
    start: datetime | None = None,
    end: datetime | None = None,
    agent_id: UUID | None = None,
) -> Response:
    """Return usage by hour, agent, model and provider."""
    bounds = window(world, start, end, HOUR_CAP_DAYS)
    usage = analytics.hourly(*bounds, str(agent_id) if agent_id else None)
    return common.json_records(world, "usage_hours", usage, analytics.workspace, bounds)


@router.get("/analytics/billing")
async def get_billing(
    world: TheWorld,
    analytics: TheAnalytics,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Response:
    """Return cost and charges by day and provider."""
    bounds = window(world, start, end, DAY_CAP_DAYS)
    bill = analytics.billing(*bounds)
    return common.json_records(world, "billing_days", bill, analytics.workspace, bounds)


@router.get("/analytics/agents")
async def get_agents(
    world: TheWorld,
    analytics: TheAnalytics,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Response:
    """Return totals by agent, of the runs created in the window."""
    bounds = window(world, start, end)
    totals = analytics.agents(*bounds)
    return common.json_records(world, "agent_rollups", totals, analytics.workspace, bounds)


@router.get("/analytics/platform-agents")
async def get_platform_agents(
    world: TheWorld,
    analytics: TheAnalytics,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Response:
    """Return totals by platform agent, of its runs created in the window."""
    bounds = window(world, start, end)
    totals = analytics.platform_agents(*bounds)
    return common.json_records(world, "platform_rollups", totals, analytics.workspace, bounds)


@router.get("/analytics/runs/{run_id}/costs")
async def get_run_costs(
    world: TheWorld, workspace: TheWorkspace, analytics: TheAnalytics, run_id: UUID
) -> Response:
    """Return a run's totals by model and provider."""
    run = find_run(workspace, run_id)
    costs = analytics.run_costs(run, new_names=world.variants.new_cost_names)
    return common.json_records(world, "run_costs", costs, workspace)


def _cap(granularity: Granularity) -> int:
    return HOUR_CAP_DAYS if granularity == "hour" else DAY_CAP_DAYS
