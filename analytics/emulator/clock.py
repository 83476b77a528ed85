"""The world's clock."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """A clock that stands still until it is told to tick."""

    def __init__(self, now: datetime) -> None:
        self._base = now.replace(tzinfo=now.tzinfo or UTC).astimezone(UTC)
        self._ticking_since: float | None = None

    @property
    def now(self) -> datetime:
        """The present, in UTC."""
        if self._ticking_since is None:
            return self._base
        return self._base + timedelta(seconds=time.monotonic() - self._ticking_since)

    def tick(self) -> None:
        """Go on with real time from now."""
        self._base, self._ticking_since = self.now, time.monotonic()

    def set(self, now: datetime) -> None:
        """Jump to another present and stand still."""
        self._base, self._ticking_since = now, None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the clock be set at will, and tick on afterwards if it ticked before."""
        ticked = self._ticking_since is not None
        self.set(self.now)
        try:
            yield
        finally:
            if ticked:
                self.tick()
