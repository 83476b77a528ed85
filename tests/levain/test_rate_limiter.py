from __future__ import annotations

import asyncio

import pytest

from analytics.levain.rate_limiter import RateLimiter
from analytics.levain.runs import next_wait


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def acquire(limiter: RateLimiter, count: int) -> None:
    async def take() -> None:
        for _ in range(count):
            await limiter.acquire()

    asyncio.run(take())


@pytest.mark.parametrize(
    ("per_second", "pauses", "slept"),
    [
        (4, [], [0.25, 0.25]),
        (0, [], []),
        (0, [8, 2], [8.0]),
        (4, [8], [8.0, 0.25, 0.25]),
    ],
)
def test_requests_are_spaced(per_second: int, pauses: list[int], slept: list[float]) -> None:
    """Requests leave one by one; a pause holds for all, and a shorter second one ends it not."""
    time = Time()
    limiter = RateLimiter(per_second, clock=time.clock, sleep=time.sleep)
    for seconds in pauses:
        limiter.pause_for(seconds)

    acquire(limiter, 3)

    assert time.slept == slept


def test_a_pause_holds_for_those_who_wait() -> None:
    """A request that waits for its turn when a pause begins is spaced anew after it."""
    time = Time()

    async def sleep(seconds: float) -> None:
        await time.sleep(seconds)
        if len(time.slept) == 1:
            limiter.pause_for(8)

    limiter = RateLimiter(4, clock=time.clock, sleep=sleep)

    acquire(limiter, 3)

    assert time.slept == [0.25, 8.0, 0.25]


def test_polling_slows_down_while_nothing_changes() -> None:
    """A change resets the wait; no wait exceeds five seconds or a longer interval."""
    waits = [0.0]
    for _ in range(6):
        waits.append(next_wait(waits[-1], 1, has_changed=False))

    assert waits[1:] == [1, 1.5, 2.25, 3.375, 5, 5]
    assert next_wait(waits[-1], 1, has_changed=True) == 1
    assert [next_wait(wait, 9, has_changed=False) for wait in (0, 9)] == [9, 9]
