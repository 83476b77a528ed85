"""The rate of requests: the user's own limit, and the pauses that the API asks for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class RateLimiter:
    """Spaces requests out; blocks all of them while the API has asked for a pause."""

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
        self._next_start = 0.0
        self._paused_until = 0.0

    def pause_for(self, seconds: float) -> None:
        """Block all requests for this many seconds."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    async def acquire(self) -> float:
        """Wait until the next request may be sent; return the seconds that took."""
        began, start = self._clock(), self._next()
        while (wait := start - self._clock()) > 0:
            await self._sleep(wait)
            if start < self._paused_until:  # a pause came meanwhile: starts are spaced after it
                start = self._next()
        return self._clock() - began

    def _next(self) -> float:
        start = max(self._clock(), self._next_start, self._paused_until)
        self._next_start = start + self._spacing
        return start
