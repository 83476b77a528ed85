"""Broken responses, ordered by tests."""

from __future__ import annotations

import re
from threading import Lock
from typing import Literal

import msgspec

Answer = Literal[
    "500", "503", "429", "307", "403", "404", "cut", "truncated", "invalid", "misdated"
]


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """The next responses to matching paths: an error status, a broken body, or a wrong `Date`.

    `cut` ends the connection within the body, `truncated` sends half of the JSON as if it were
    whole, `invalid` sends 200 with a body that is not JSON. `307` redirects to `location`.
    `misdated` is the right response, with another `date`.
    """

    path: str
    answer: Answer
    times: int = 1
    retry_after_seconds: int = 1
    location: str = ""
    date: str = ""


class Faults:
    """The pending faults."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []
        self._lock = Lock()

    def add(
        self,
        path: str,
        answer: Answer,
        times: int = 1,
        *,
        retry_after_seconds: int = 1,
        location: str = "",
        date: str = "",
    ) -> None:
        """Break the next responses to paths that match the expression."""
        with self._lock:
            self._pending.append(Fault(path, answer, times, retry_after_seconds, location, date))

    def clear(self) -> None:
        """Remove all faults: responses are normal again."""
        with self._lock:
            self._pending.clear()

    def take(self, path: str) -> Fault | None:
        """Return the oldest fault for a path and count it down."""
        with self._lock:
            for fault in self._pending:
                if re.search(fault.path, path):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._pending.remove(fault)
                    return fault
        return None

    def __len__(self) -> int:
        return sum(fault.times for fault in self._pending)
