from __future__ import annotations

import asyncio

import pytest

from analytics.levain.pace import RateLimiter
from analytics.levain.runs import next_wait
from tests.jumping import run


async def starts(limiter: RateLimiter) -> list[float]:
    """Return when each of three requests may be sent."""
    times = []
    for _ in range(3):
        await limiter.acquire()
        times.append(round(asyncio.get_running_loop().time(), 3))
    return times


@pytest.mark.parametrize(
    ("per_second", "pauses", "expected"),
    [
        (4, [], [0, 0.25, 0.5]),
        (0, [], [0, 0, 0]),
        (0, [8, 2], [8, 8, 8]),
        (4, [8], [8, 8.25, 8.5]),
    ],
)
def test_requests_are_spaced(per_second: int, pauses: list[int], expected: list[float]) -> None:
    """Requests leave one by one; a pause holds for all, and a shorter second one ends it not."""

    async def take() -> list[float]:
        limiter = RateLimiter(per_second)
        for seconds in pauses:
            limiter.pause_for(seconds)
        return await starts(limiter)

    assert run(take()) == expected


def test_a_pause_holds_for_those_who_wait() -> None:
    """A request that waits for its turn when a pause begins is spaced anew after it."""

    async def take() -> list[float]:
        limiter = RateLimiter(4)
        asyncio.get_running_loop().call_later(0.1, limiter.pause_for, 8)
        return await starts(limiter)

    assert run(take()) == [0, 8.1, 8.35]


def test_polling_slows_down_while_nothing_changes() -> None:
    """A change resets the wait; no wait exceeds five seconds or a longer interval."""
    waits = [0.0]
    for _ in range(6):
        waits.append(next_wait(waits[-1], 1, has_changed=False))

    assert waits[1:] == [1, 1.5, 2.25, 3.375, 5, 5]
    assert next_wait(waits[-1], 1, has_changed=True) == 1
    assert [next_wait(wait, 9, has_changed=False) for wait in (0, 9)] == [9, 9]
