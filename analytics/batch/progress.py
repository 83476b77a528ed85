"""What the batch says while it works: one line an event, on standard error."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TextIO

from analytics.terminal import visible

_WAITS_APART = 10.0  # seconds


class Progress:
    """Says what happens: with the seconds since the start on a terminal, with the time in a log."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._started = time.monotonic()
        self._is_terminal = self._stream.isatty()
        self._wait_told = float("-inf")

    def say(self, text: str) -> None:
        """One event."""
        if self._is_terminal:
            stamp = f"{time.monotonic() - self._started:6.1f} s"
        else:
            stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        print(f"{stamp}  {visible(text)}", file=self._stream, flush=True)

    def warn(self, text: str) -> None:
        """Something that a person should know; the batch goes on."""
        self.say(f"warning: {text}")

    def wait(self, reason: str) -> None:
        """What is waited for; now and then, as thousands of requests may wait for the same."""
        now = time.monotonic()
        if now - self._wait_told >= _WAITS_APART:
            self._wait_told = now
            self.say(reason)
