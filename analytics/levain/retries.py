"""Failed attempts are logged as warnings of the logger `analytics.levain`.

Each warning names the request, its error and the wait before the next attempt. Programs that embed
the client configure that logger like any other. Retries of other libraries keep their own hooks.
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


def _log_retry(details: RetryDetails) -> None:
    if isinstance(details.caused_by, LevainError):
        _logger.warning("%s; trying again in %.1f s", details.caused_by, details.wait_for)
        return
    for hook in _hooks_before:
        hook(details)


@contextmanager
def retry_hooks(*hooks: RetryHook) -> Iterator[None]:
    """Send retry events to these hooks within the block; with no hooks, retries are silent."""
    before = get_on_retry_hooks()
    set_on_retry_hooks(hooks)
    try:
        yield
    finally:
        set_on_retry_hooks(before)


set_on_retry_hooks([_log_retry])
