"""The rate of requests: the user's own limit, and the pauses that the API asks for."""

from __future__ import annotations

import asyncio


class RateLimiter:
    """Spaces requests out; blocks all of them while the API has asked for a pause."""

    def __init__(self, requests_per_second: float = 0) -> None:
        self._spacing = 1 / requests_per_second if requests_per_second else 0.0
        self._next_start = 0.0
        self._paused_until = 0.0

    def pause_for(self, seconds: float) -> None:
        """Block all requests for this many seconds."""
        self._paused_until = max(self._paused_until, _now() + seconds)

    async def acquire(self) -> float:
        """Wait until the next request may be sent; return the seconds that took."""
        began, start = _now(), self._next()
        while (wait := start - _now()) > 0:
            await asyncio.sleep(wait)
            if start < self._paused_until:  # a pause came meanwhile: starts are spaced after it
                start = self._next()
        return _now() - began

    def _next(self) -> float:
        start = max(_now(), self._next_start, self._paused_until)
        self._next_start = start + self._spacing
        return start


def _now() -> float:
    return asyncio.get_running_loop().time()
