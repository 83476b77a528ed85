"""Progress of a batch: one line for each event, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

from analytics.terminal import visible

_WAITS_APART = 10.0  # seconds


class Progress:
    """Prints events: with seconds since the start on a terminal, with the time in a log.

    `seconds` holds the time that each stage has taken, also one that failed.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._started = time.monotonic()
        self._is_terminal = self._stream.isatty()
        self._last_wait = float("-inf")
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[str], None]]:
        """Time a stage; the yielded function prints an event with the seconds until then."""
        started = time.monotonic()
        try:
            yield lambda text: self.say(f"{text} ({time.monotonic() - started:.1f} s)")
        finally:
            total = self.seconds.get(name, 0.0) + time.monotonic() - started
            self.seconds[name] = round(total, 3)

    def say(self, text: str) -> None:
        """Print an event."""
        if self._is_terminal:
            stamp = f"{time.monotonic() - self._started:6.1f} s"
        else:
            stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        print(f"{stamp}  {visible(text)}", file=self._stream, flush=True)

    def warn(self, text: str) -> None:
        """Print a warning; the batch goes on."""
        self.say(f"warning: {text}")

    def wait(self, reason: str) -> None:
        """Print the reason of a wait, at most every ten seconds, as many requests may share it."""
        now = time.monotonic()
        if now - self._last_wait >= _WAITS_APART:
            self._last_wait = now
            self.say(reason)
