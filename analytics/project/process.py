"""A process of our own that answers requests, one JSON object a line, each in limited time."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from analytics.errors import AnalyticsError

_PATH = str(Path(__file__).resolve().parents[2])
_START_SECONDS = 60.0
_END_SECONDS = 2.0
"""Time for a process to end whose end of the line is closed."""


class Process:
    """A process that runs a module, and our end of the line to it.

    It gets nothing of our environment, as there are API keys in it. It works in `folder`, else in
    ours.
    """

    def __init__(
        self,
        module: str,
        work: str,
        folder: Path | None = None,
    ) -> None:
        """Start the module; AnalyticsError, which names its `work`, if it does not say a line."""
        self._line, theirs = socket.socketpair()
        self._received = b""
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                env={"PYTHONPATH": _PATH},
                cwd=folder,
                start_new_session=True,  # a Ctrl-C is for this process, which ends the other
            )
        if not self.answer(_START_SECONDS):
            self.close()
            raise AnalyticsError(
                f"The process that {work} does not start.\n"
                f"For the reason, run: {sys.executable} -m {module}"
            )

    @property
    def exit_code(self) -> int | None:
        """None while it can answer; else its exit code, negative for a signal."""
        code: int | None = self._process.returncode
        return code

    def ask(self, request: dict[str, Any]) -> None:
        """Send a request; if the process has ended, `answer` shows it."""
        with suppress(ConnectionError):
            self._line.sendall(json.dumps(request).encode() + b"\n")

    def answer(self, seconds: float) -> bytes | None:
        """Return the next line of an answer; empty if the process ended, None if none came."""
        deadline = time.monotonic() + seconds
        try:
            while b"\n" not in self._received:
                self._line.settimeout(max(0.001, deadline - time.monotonic()))
                if not (received := self._line.recv(1 << 16)):
                    return b""
                self._received += received
        except TimeoutError:
            return None
        except ConnectionError:
            return b""
        line, _, self._received = self._received.partition(b"\n")
        return line

    def wait(self) -> None:
        """Wait a little for a process that is ending, so that its exit code is its own."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._line.close()
