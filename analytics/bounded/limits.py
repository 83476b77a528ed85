"""Limits of one query of a user, and the messages on a query that passes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds on one query of a user: seconds, memory, rows, and bytes of its answer; None is any.

    As much again as the memory may be spilled to disk. 2 GB are enough to group ten million runs,
    and leave a batch its own on a machine of 4 GB.
    """

    seconds: float = 60
    memory: str = "2GB"
    rows: int | None = 100_000
    size: str = "20MB"

    @property
    def too_slow(self) -> str:
        """The message on a query that took too long."""
        return (
            f"it was stopped after {self.seconds:g} s: ask for less, or raise timeout_seconds in"
            " [sql]"
        )

    @property
    def too_big(self) -> str:
        """The message on a query that needed too much memory or disk."""
        return f"it needs more memory or disk than {self.memory}: ask for less"

    @property
    def too_long(self) -> str:
        """The message on an answer of too many rows."""
        return f"it has more than {self.rows:,} rows: ask for less, group them, or add a LIMIT"

    @property
    def too_large(self) -> str:
        """The message on an answer of too many bytes."""
        return f"it is larger than {self.size}: ask for less"
