"""The world's clock, and the actions that happen as it passes their times."""

from __future__ import annotations

import heapq
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Clock:
    """A clock that stands still until `tick`."""

    def __init__(self, now: datetime) -> None:
        self._base = now.replace(tzinfo=now.tzinfo or UTC).astimezone(UTC)
        self._speed = 0.0
        self._ticking_since = 0.0

    @property
    def now(self) -> datetime:
        """The present, in UTC."""
        if not self._speed:
            return self._base
        elapsed = time.monotonic() - self._ticking_since
        return self._base + timedelta(seconds=elapsed * self._speed)

    def tick(self, speed: float = 1.0) -> None:
        """Run from now on in real time, or `speed` times faster."""
        self._base, self._ticking_since, self._speed = self.now, time.monotonic(), speed

    def set(self, now: datetime) -> None:
        """Set the clock to another time and stop it."""
        self._base, self._speed = now, 0.0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stop the clock within the block; one that was running then makes up for the time."""
        began, speed = time.monotonic(), self._speed
        self.set(self.now)
        try:
            yield
        finally:
            self.tick(speed)
            self._ticking_since = began


class Agenda:
    """Future actions; those of one time keep the order in which they were added."""

    def __init__(self) -> None:
        self._entries: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = count()

    @property
    def due(self) -> datetime | None:
        """The time of the next action, or None."""
        return self._entries[0][0] if self._entries else None

    def put(self, moment: datetime, action: Callable[[], object]) -> None:
        """Add an action; when time passes its moment, the clock stands at it."""
        heapq.heappush(self._entries, (moment, next(self._order), action))

    def take(self) -> tuple[datetime, Callable[[], object]]:
        """Remove and return the next action, with its time."""
        moment, _, action = heapq.heappop(self._entries)
        return moment, action
