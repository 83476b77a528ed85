"""How fast the client may ask: a limit of our own, the pauses that the API asks for, polling."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """Gives each request its turn; all wait while the API has asked for a pause."""

    def __init__(
        self,
        requests_per_second: float = 0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._spacing = 1 / requests_per_second if requests_per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next_turn = 0.0
        self._paused_until = 0.0

    def pause(self, seconds: float) -> None:
        """Nobody gets a turn for so long."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    async def turn(self) -> None:
        """Return when the next request may go out."""
        start = max(self._clock(), self._next_turn)
        self._next_turn = start + self._spacing
        while (wait := max(start, self._paused_until) - self._clock()) > 0:
            await self._sleep(wait)


SLOWEST_POLL = 5.0
_SLOWER = 1.5


class Polling:
    """How long to wait before looking again: longer each time that nothing has changed."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._wait = interval

    def pause(self, *, has_changed: bool) -> float:
        """Seconds until the next look; never shorter than the interval."""
        if has_changed:
            self._wait = self._interval
        wait = self._wait
        self._wait = max(self._interval, min(self._wait * _SLOWER, SLOWEST_POLL))
        return wait
