"""The world of most tests: one workspace, a baker, and runs that are booked whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from analytics.emulator.records import Agent, Run, Workspace
from analytics.emulator.world import World

NOW = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)

StartRun = Callable[..., Run]


def hire_baker(world: World) -> Agent:
    """Add an agent without runs to the first workspace."""
    return world.add_agent(world.workspaces[0], "Baker", "baker", at=NOW - timedelta(days=100))


def book_run(
    world: World,
    agent: Agent,
    *,
    hours_ago: float = 1,
    cost: str | None = "0.25",
    status: Any = "succeeded",
    error: str | None = None,
    of: Agent | Workspace | None = None,
) -> Run:
    """Book a run of one minute; with `cost` None it reports no usage."""
    created = world.now - timedelta(hours=hours_ago)
    run = world.start_run(of or agent, at=created)
    if status == "pending":
        return run
    world.launch_run(run, at=created + timedelta(seconds=5))
    if cost is not None:
        world.meter(
            run,
            model="claude-sonnet-5",
            provider="anthropic",
            tokens_in=1000,
            tokens_out=100,
            cost_usd=Decimal(cost),
            at=created + timedelta(seconds=30),
        )
    if status != "running":
        world.finish_run(run, status, error=error, at=created + timedelta(seconds=60))
    return run
