"""How the command can end other than well. Each error is one or two lines for its user.

AnalyticsError          exit 1: failed; what was published before still stands
├── UsageError          exit 2: wrong usage or settings; no data was stored
├── ControlError        exit 3: a control did not hold; nothing was published
└── BusyError           exit 4: another batch holds the data directory
"""

from __future__ import annotations

from typing import ClassVar

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as a shell gives it."""


class AnalyticsError(Exception):
    """Something failed; the message says what, where, and what to do next."""

    exit_code: ClassVar[int] = 1


class UsageError(AnalyticsError):
    """The command line, a setting or a key is wrong."""

    exit_code = 2


class ControlError(AnalyticsError):
    """A control did not hold."""

    exit_code = 3


class BusyError(AnalyticsError):
    """Another batch is at work in the same data directory."""

    exit_code = 4
