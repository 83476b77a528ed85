"""The world of most tests: one workspace, a baker, and runs that are booked whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from analytics.emulator.records import Agent, Run, RunList, Workspace, hour_of
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


def give_run(run: Run, agent: Agent) -> None:
    """Give a run and its usage to another agent, maybe of another workspace."""
    old, new = run.workspace, agent.workspace
    for lists in old.lists_of(run):
        for runs in (lists._runs, lists._listed):
            runs.remove(run)
    entries = old.ledger._by_run.pop(run.id, [])
    for entry in entries:
        old.ledger._by_hour[hour_of(entry.booked_at)].remove(entry)
    new.runs[run.id] = old.runs.pop(run.id)
    run.workspace, run.agent, run.encoded = new, agent, None
    for lists in new.lists_of(run):
        lists.add(run)
    for entry in entries:
        new.ledger.book(entry)


def move_agent(agent: Agent, workspace: Workspace) -> None:
    """Move an agent with its runs, and all that is metered for them, to another workspace."""
    old, agent.workspace = agent.workspace, workspace
    workspace.agents[agent.id] = old.agents.pop(agent.id)
    workspace.runs_by_agent[agent.id] = RunList()
    for run in [*old.runs_by_agent[agent.id]]:
        give_run(run, agent)
