"""Sizes of memory, and sparing use of addresses: a thread reserves 64 MB that it hardly uses."""

from __future__ import annotations

import ctypes
import re
import resource
from contextlib import suppress

_ARENA_MAX = -8  # of mallopt in the C library of GNU
_UNITS = {"M": 2, "G": 3, "T": 4}


def bytes_of(size: str) -> int:
    """Return a size such as "2GB" or "512MiB" in bytes."""
    number, unit, binary = re.findall(r"([\d.]+) ?(\w)(i?)", size)[0]
    return int(float(number) * (1024 if binary else 1000) ** _UNITS[unit])


def has_few_addresses() -> bool:
    """Return True if the address space of this process is limited (`ulimit -v`)."""
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def share_heap() -> None:
    """Let all threads to come allocate from one heap, where addresses are limited."""
    if has_few_addresses():
        with suppress(AttributeError, OSError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
