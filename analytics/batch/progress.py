"""What the batch says while it works: one line an event, on standard error."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TextIO

from analytics.terminal import visible


class Progress:
    """Says what happens: with the seconds since the start on a terminal, with the time in a log."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._started = time.monotonic()
        self._is_terminal = self._stream.isatty()

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
