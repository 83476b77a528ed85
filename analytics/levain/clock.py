"""The API's clock, by its responses: a wrong local clock must not shift days or finality."""

from __future__ import annotations

import email.utils
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from analytics.levain.errors import LevainError
from analytics.machine_clock import FURTHEST, machine_time

_YEARS = range(2020, 2200)
"""Another year is none of the API's."""


class Clock:
    """Tells the time of responses by their `Date`; where it has none, by the time that was set.

    If it `is_strict`, an answer whose time is too far off is refused.
    """

    def __init__(self) -> None:
        self.is_strict = False
        self._set: tuple[datetime, float] | None = None

    def set(self, now: datetime) -> None:
        """Give responses without a time this one, and what has passed since."""
        self._set = now, time.monotonic()

    def time_of(self, date: str) -> datetime:
        """Return the time that a `Date` tells; that of the clock if it is missing or malformed.

        Before one was set, that is the machine's: nothing else tells the time of the first answer.
        """
        return _time(date) or self._expected() or machine_time()

    def seconds_until(self, retry_after: str, date: str) -> float | None:
        """Return `Retry-After` in seconds, from either of its two forms; None if malformed."""
        if retry_after.isdecimal():
            return float(retry_after)
        moment = _time(retry_after)
        return None if moment is None else max(0.0, (moment - self.time_of(date)).total_seconds())

    def require_right(self, request: str, date: str) -> None:
        """Raise LevainError if an answer is refused for the time that its `Date` tells."""
        told = _told(date)
        if told is None or not self.is_strict:
            return
        said = {"the API's says": told, "this machine's": machine_time()}
        if expected := self._expected():
            said["by the first answer of this batch it is"] = expected
        if all(abs(told - known) <= FURTHEST for known in said.values()):
            return
        clocks = ", ".join(f"{whose} {moment:%Y-%m-%d %H:%M} UTC" for whose, moment in said.items())
        raise LevainError(
            request,
            f"clocks are over a day apart, so that nothing of this answer is kept: {clocks}.\nSet"
            " this machine's clock if it is wrong, and run again. If it is right, tell those who"
            " run the API, or a proxy before it.",
        )

    def _expected(self) -> datetime | None:
        if self._set is None:
            return None
        moment, since = self._set
        return moment + timedelta(seconds=time.monotonic() - since)


def _time(text: str) -> datetime | None:
    """Return the time that an HTTP date tells; None if it tells none, or of another age."""
    told = _told(text)
    return told if told and told.year in _YEARS else None


@lru_cache(maxsize=2)  # many responses come within a second
def _told(text: str) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
