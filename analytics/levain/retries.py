"""A try that failed is a warning of the logger `analytics.levain`.

It says which request it was, what came, and how long until the next try. Whoever embeds the client
sets that logger as any other; what the rest of a program tries again is told as it was before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from stamina.instrumentation import (
    RetryDetails,
    RetryHook,
    get_on_retry_hooks,
    set_on_retry_hooks,
)

from analytics.levain.errors import LevainError

_logger = logging.getLogger("analytics.levain")
_hooks_before = get_on_retry_hooks()


def _tell(details: RetryDetails) -> None:
    if isinstance(details.caused_by, LevainError):
        _logger.warning("%s; trying again in %.1f s", details.caused_by, details.wait_for)
        return
    for hook in _hooks_before:
        hook(details)


@contextmanager
def retry_hooks(*hooks: RetryHook) -> Iterator[None]:
    """Let these hear of each try instead; none of them, nobody."""
    before = get_on_retry_hooks()
    set_on_retry_hooks(hooks)
    try:
        yield
    finally:
        set_on_retry_hooks(before)


set_on_retry_hooks([_tell])
