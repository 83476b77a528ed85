"""Intervals of polling that grow while nothing changes."""

from __future__ import annotations

SLOWEST_POLL = 5.0
_SLOWER = 1.5


class Polling:
    """Computes the wait before the next poll: longer after each poll without a change."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._wait = interval

    def pause(self, *, has_changed: bool) -> float:
        """Return the seconds until the next poll; never fewer than the interval."""
        if has_changed:
            self._wait = self._interval
        wait = self._wait
        self._wait = max(self._interval, min(self._wait * _SLOWER, SLOWEST_POLL))
        return wait
