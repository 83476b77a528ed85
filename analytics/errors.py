"""The errors of the command, each with an exit code and a message of one or two lines.

AnalyticsError          exit 1: failed; what was published before still stands
├── UsageError          exit 2: wrong usage or settings; no data was stored
├── ControlError        exit 3: a check failed; nothing was published
└── BusyError           exit 4: another batch or collection holds the data directory
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

INTERRUPTED = 130
"""The exit code of a command ended by Ctrl-C, as shells set it."""

READER_GONE = 141
"""The exit code of a command whose output nobody reads any more, as shells set it for SIGPIPE."""

QUERY_INTERRUPTED = "Query interrupted"
"""The text of the RuntimeError that DuckDB makes of a Ctrl-C during a query."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""The system's errors for a disk that is full, for all or for one user."""

_ADVICE = {
    errno.ENOSPC: "Make room on its disk, and run again.",
    errno.EDQUOT: "Make room there, or have the quota raised, and run again.",
    errno.EROFS: "Mount that disk for writing, and run again.",
    errno.EACCES: "Another user may have made it, such as root: give it back with chown, or run as"
    " that user.",
}


class AnalyticsError(Exception):
    """Something failed; the message names the cause and the next step."""

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "failed"
    """Its name in events for machines."""


class UsageError(AnalyticsError):
    """The command line, a setting or a key is wrong."""

    exit_code = 2
    kind = "usage"


class ControlError(AnalyticsError):
    """A check or control failed, or figures are not those that were published."""

    exit_code = 3
    kind = "control"


class BusyError(AnalyticsError):
    """Another batch is running in the same data directory."""

    exit_code = 4
    kind = "busy"


def nothing_published(file: Path) -> AnalyticsError:
    """Return the error of a published file that is not there yet."""
    return AnalyticsError(
        f"Nothing has been published at {file}.\n"
        "Run `analytics nightly` first, or name the data with --data-dir."
    )


def advised(text: str, default: str = "") -> str:
    """Return a text with a line of advice for the system's error that it names."""
    known = (advice for number, advice in _ADVICE.items() if os.strerror(number) in text)
    advice = next(known, default)
    return f"{text}\n{advice}" if advice else text


def system_error_in(text: str, numbers: Iterable[int] = _ADVICE) -> str:
    """Return the system's error, one of these numbers, with its file, if DuckDB's text has it."""
    causes = "|".join(map(os.strerror, numbers))
    found = re.search(f'file "([^"\n]+)": ({causes})', text)
    return f"{found[2]}: {found[1]}." if found else ""


def how_to_add(extra: str) -> str:
    """Return how to install an extra beside the package."""
    lock = f"requirements/{extra}.lock"
    return f"In the clone, pip install --require-hashes --no-deps -r {lock}."


@contextmanager
def extra_needed(subject: str, extra: str) -> Iterator[None]:
    """Turn the failed import of what `subject` needs into a UsageError that names the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{subject} needs {error.name}, which is not installed.\n{how_to_add(extra)}"
        ) from error
