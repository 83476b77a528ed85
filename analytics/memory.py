"""Sparing use of addresses: a thread reserves 64 MB of them that it will hardly use."""

from __future__ import annotations

import ctypes
import resource
from contextlib import suppress

_ARENA_MAX = -8  # of mallopt in the C library of GNU


def has_few_addresses() -> bool:
    """Return True if the address space of this process is limited (`ulimit -v`)."""
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def share_heap() -> None:
    """Let all threads to come allocate from one heap, where addresses are limited."""
    if has_few_addresses():
        with suppress(AttributeError, OSError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
