"""Memory and threads of the batch's connections: as set, else as the machine leaves them.

The memory of a machine is what its system, its control groups and the limits of the process allow.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from analytics.errors import UsageError
from analytics.memory import bytes_of, has_few_addresses

_MIB = 1 << 20
_ADDRESSES = 750 * _MIB
"""Bytes of addresses without which no batch was seen to end."""

_PROGRAM = 600 * _MIB
"""Bytes of addresses that the program and its libraries take."""

_A_THREAD = 125 * _MIB
"""Bytes of DuckDB's memory that a thread should have."""

_GROUPS = (
    ("", Path("/sys/fs/cgroup"), "memory.max"),
    ("memory", Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
)
"""Controller, root and file of a control group's memory, in both versions."""

_chosen: tuple[str, int] = ("", 0)


def limit_process(memory: str, threads: int = 0) -> None:
    """Limit all connections that this process opens, and Polars; "" and 0 follow the machine.

    UsageError if the process has too few addresses: libraries would abort it.
    """
    global _chosen
    addresses = resource.getrlimit(resource.RLIMIT_AS)[0]
    if has_few_addresses() and addresses < _ADDRESSES:
        raise UsageError(
            f"A batch needs {_ADDRESSES // _MIB} MB of address space, and this process may have"
            f" {addresses // _MIB} MB (ulimit -v).\nRaise that limit, and set memory_limit in"
            " [batch] to bound the memory that is used."
        )
    _chosen = (memory, threads)
    from analytics.settings import limit_frames  # a process that reads no settings is spared them

    limit_frames(_threads())


def connection_limits() -> dict[str, str | bool | int | float | list[str]]:
    """Return DuckDB's settings of memory and threads."""
    return {"memory_limit": f"{_memory()}B", "threads": _threads()}


def _memory() -> int:
    """Return what is chosen, else half of what there is.

    The rest is for Python, Polars and what DuckDB leaves out.
    """
    memory, _ = _chosen
    return bytes_of(memory) if memory else min(_bounds()) // 2


def _threads() -> int:
    fitting = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    _, threads = _chosen
    return threads or max(1, min(fitting or 1, _memory() // _A_THREAD))


def _bounds() -> Iterator[int]:
    """Yield the bytes of each bound on memory."""
    yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if has_few_addresses():
        yield max(2 * _A_THREAD, resource.getrlimit(resource.RLIMIT_AS)[0] - _PROGRAM)
    if (limit := resource.getrlimit(resource.RLIMIT_DATA)[0]) != resource.RLIM_INFINITY:
        yield limit
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            for controller, root, name in _GROUPS:
                if controller in controllers.split(","):
                    yield from _of_group(root, path, name)


def _of_group(root: Path, path: str, name: str) -> Iterator[int]:
    """Yield the limits of a control group, and of those that it is in."""
    group = root / path.lstrip("/")
    for folder in (group, *group.parents):
        if folder.is_relative_to(root):
            with suppress(OSError, ValueError):  # no file, or `max`
                yield int((folder / name).read_text(encoding="ascii"))
