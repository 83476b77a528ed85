"""The world's clock."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        """Stop the clock within the block, and afterwards restart it if it was running."""
        speed = self._speed
        self.set(self.now)
        try:
            yield
        finally:
            self.tick(speed)
