"""One budget of requests for all tasks of a fleet, without Ray."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from analytics.fleet.tasks import RequestBudget, SharedRateLimiter


def actor(budget: RequestBudget) -> Any:
    """Return what stands for the actor of Ray: its calls are made in this process."""

    def remote(call: Callable[..., Awaitable[Any]]) -> SimpleNamespace:
        return SimpleNamespace(remote=lambda *given: asyncio.ensure_future(call(*given)))

    return SimpleNamespace(acquire=remote(budget.acquire), pause_for=remote(budget.pause_for))


def test_all_tasks_share_one_budget() -> None:
    """Requests of all tasks are so many a second at most, and a pause of one is of all."""

    async def spent() -> tuple[float, float]:
        shared = actor(RequestBudget(200.0))
        tasks = [SharedRateLimiter(shared, "api") for _ in range(4)]
        began = time.monotonic()
        await asyncio.gather(*(task.acquire() for task in tasks for _ in range(6)))
        spaced = time.monotonic()
        tasks[0].pause_for(0.2)
        await asyncio.sleep(0)
        await tasks[1].acquire()
        return spaced - began, time.monotonic() - spaced

    spaced, paused = asyncio.run(spent())
    assert spaced >= 23 / 200
    assert paused >= 0.2
