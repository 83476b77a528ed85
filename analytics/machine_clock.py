"""The machine's clock, which only refuses: the API's tells the time of a batch.

A machine whose clock is hours wrong must not shift days or finality. One wrong time of the API, let
in, would decide for good what today is, so that a time too far from the machine's is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

FURTHEST = timedelta(days=1)
"""An answer may be so far from the machine's clock, and from the others of its batch."""

_clocks: list[Callable[[], datetime]] = [lambda: datetime.now(UTC)]


def machine_time() -> datetime:
    """Return what the machine's clock says, in UTC."""
    return _clocks[-1]()


@contextmanager
def machine_clock(clock: Callable[[], datetime]) -> Iterator[None]:
    """Let another clock be the machine's within the block, for times that are played.

    It is no setting: whoever could choose it by a file or a variable would choose what today is.
    """
    _clocks.append(clock)
    try:
        yield
    finally:
        _clocks.remove(clock)
