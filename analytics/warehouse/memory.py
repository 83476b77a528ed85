"""Memory and threads of all connections that this process opens."""

from __future__ import annotations

import os
import re
from functools import cache

_A_THREAD = 125 << 20
"""Bytes of DuckDB's memory that a thread should have."""

_UNITS = {"M": 2, "G": 3, "T": 4}

_chosen: tuple[str, int] = ("", 0)


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
