from __future__ import annotations

import asyncio

from analytics.levain.pace import Pace, Polling


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


def turns(pace: Pace, count: int) -> None:
    async def take() -> None:
        for _ in range(count):
            await pace.turn()

    asyncio.run(take())


def test_requests_are_spaced() -> None:
    """Four requests a second leave a quarter of a second between two, and none before the first."""
    time = Time()

    turns(Pace(4, clock=time.clock, sleep=time.sleep), 3)

    assert time.slept == [0.25, 0.25]


def test_no_limit_waits_for_nothing() -> None:
    """Without a limit every request goes out at once."""
    time = Time()

    turns(Pace(0, clock=time.clock, sleep=time.sleep), 5)

    assert time.slept == []


def test_a_pause_holds_for_everybody() -> None:
    """While the API has asked for a pause nobody gets a turn; a shorter one does not cut it."""
    time = Time()
    pace = Pace(0, clock=time.clock, sleep=time.sleep)
    pace.pause(8)
    pace.pause(2)

    turns(pace, 2)

    assert time.slept == [8.0]


def test_polling_slows_down_while_nothing_changes() -> None:
    """A change brings the pace back; no wait is longer than five seconds or a longer interval."""
    polling = Polling(1)

    waits = [polling.pause(has_changed=False) for _ in range(6)]

    assert waits == [1, 1.5, 2.25, 3.375, 5, 5]
    assert polling.pause(has_changed=True) == 1
    assert [Polling(9).pause(has_changed=False) for _ in range(2)] == [9, 9]
