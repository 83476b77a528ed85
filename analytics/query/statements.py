"""Ask the published file one statement, in a process of its own that is bounded, and can die."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from analytics.errors import AnalyticsError, UsageError, nothing_published
from analytics.project.process import Process
from analytics.warehouse.confined import Limits
from analytics.warehouse.scratch import scratch_folder

MOST_ROWS = 10_000_000
"""Rows of an answer: ten times what a spreadsheet holds, and a query by mistake ends there."""

MOST_BYTES = "2GB"
"""Size of an answer, so that one by mistake does not fill a disk."""

_CHILD = "analytics.query.statement_process"
_GRACE_SECONDS = 2.0
"""Time for a statement to stop after it was interrupted."""


@dataclass(frozen=True)
class Query:
    """A statement, and the form of its answer: table, csv, json or parquet."""

    sql: str
    form: str


Answers: TypeAlias = Callable[[Query], Iterator[dict[str, Any]]]
"""Yields the parts of an answer: texts, bytes as base64, or the rows of a table."""


def answers(file: Path, root: Path, limits: Limits, query: Query) -> Iterator[dict[str, Any]]:
    """Yield the parts of the answer to a statement on a published file.

    What does not fit in memory lies in the data directory `root`. UsageError for a statement that
    is wrong, not allowed, or reaches a limit; AnalyticsError for a file that cannot be read.
    """
    if not file.exists():
        raise nothing_published(file)
    with (
        scratch_folder(root) as scratch,
        closing(Process(_CHILD, "runs a statement", folder=file.parent)) as child,
    ):
        request = {
            "database": file.name,
            "limits": asdict(limits),
            "sql": query.sql,
            "form": query.form,
        }
        if scratch:
            request["scratch"] = os.path.relpath(scratch, file.parent.resolve())
        child.ask(request)
        while "done" not in (answer := _answer(child, limits)):
            yield answer


def _answer(child: Process, limits: Limits) -> dict[str, Any]:
    line = child.answer(limits.seconds + _GRACE_SECONDS)
    if line is None:
        raise UsageError(f"The query has no answer: {limits.too_slow}.")
    if not line:
        child.wait()
        code = child.exit_code or 0
        if -code in (signal.SIGKILL, signal.SIGABRT):  # no memory: the kernel's way, and C++'s
            raise UsageError(f"The query has no answer: {limits.too_big}.")
        raise UsageError(
            "The query has no answer: it ended the process that ran it; write it in a simpler way."
        )
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        kind = UsageError if answer["exit_code"] == UsageError.exit_code else AnalyticsError
        raise kind(answer["error"])
    return answer
