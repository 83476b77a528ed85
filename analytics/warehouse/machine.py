"""Limits of memory, threads and time: of a batch's connections, and of one query of a user."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache

_A_THREAD = 125 << 20
"""Bytes of DuckDB's memory that a thread should have."""

_UNITS = {"M": 2, "G": 3, "T": 4}

_chosen: tuple[str, int] = ("", 0)


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


def bytes_of(size: str) -> int:
    """Return a size such as "2GB" or "512MiB" in bytes."""
    number, unit, binary = re.findall(r"([\d.]+) ?(\w)(i?)", size)[0]
    return int(float(number) * (1024 if binary else 1000) ** _UNITS[unit])


def limit_process(memory: str, threads: int = 0) -> None:
    """Limit all connections that this process opens, and Polars; "" and 0 follow the machine."""
    global _chosen
    _chosen = (memory, threads)
    from analytics.settings import limit_frames  # a process that reads no settings is spared them

    limit_frames(_threads(_memory()))


def connection_limits(memory: str = "") -> dict[str, str | bool | int | float | list[str]]:
    """Return DuckDB's settings of memory and threads; `memory` stands before what is chosen."""
    size = bytes_of(memory) if memory else _memory()
    return {"memory_limit": f"{size}B", "threads": _threads(size)}


def _memory() -> int:
    """Return what is chosen, else half of what there is.

    The rest is for Python, Polars and what DuckDB leaves out.
    """
    memory, _ = _chosen
    return bytes_of(memory) if memory else _half_of_all()


@cache
def _half_of_all() -> int:
    """Return half of what the machine, or the control group of a container, has by DuckDB."""
    import duckdb  # which a process that only starts another one is spared

    with duckdb.connect() as con:
        ((limit,),) = con.execute("select current_setting('memory_limit')").fetchall()
    return bytes_of(limit) * 5 // 8  # its limit is 80 % of all


def _threads(memory: int) -> int:
    fitting = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    _, threads = _chosen
    return threads or max(1, min(fitting or 1, memory // _A_THREAD))
