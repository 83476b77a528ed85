"""A process that runs queries of users: the loop of requests, and the bounds of the process.

It reads requests from standard input and answers them on standard output, one JSON object a line.
It ends when its standard input does, also in the middle of a query.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import shutil
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from analytics.warehouse.confined import Limits

_OWN_MEMORY = 1 << 30
"""Bytes beyond the memory limit: this program, and what DuckDB does not count."""


def serve(answers: Callable[[dict[str, Any]], Iterable[dict[str, Any]]]) -> None:
    """Answer requests until standard input ends; then remove the folders named `scratch`."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    print("ready", file=out, flush=True)
    while True:
        for answer in answers(requests.get()):
            with suppress(BrokenPipeError):  # standard input has ended, too
                print(json.dumps(answer), file=out, flush=True)


def bound(limits: Limits) -> None:
    """Let no allocation and no file of this process grow beyond the limits."""
    for kind, wanted in (
        (resource.RLIMIT_DATA, limits.memory_bytes + _OWN_MEMORY),
        (resource.RLIMIT_FSIZE, 2 * limits.memory_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            wanted = min(wanted, most)
        with suppress(ValueError, OSError):  # a system without this limit
            resource.setrlimit(kind, (wanted, most))


def _read(requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    folders = set()
    for line in sys.stdin:
        request = json.loads(line)
        folders.add(request.get("scratch"))
        requests.put(request)
    for folder in filter(None, folders):
        left = f"{folder}-left"  # where a query that still runs writes no more
        with suppress(OSError):
            Path(folder).rename(left)
        shutil.rmtree(left, ignore_errors=True)
    os._exit(0)
