"""The API's clock, by its responses: a wrong local clock must not shift days or finality."""

from __future__ import annotations

import email.utils
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_YEARS = range(2020, 2200)
"""Another year is none of the API's."""


class Clock:
    """Tells the time of responses by their `Date`; where it has none, by the time that was set."""

    def __init__(self) -> None:
        self._set: tuple[datetime, float] | None = None

    def set(self, now: datetime) -> None:
        """Give responses without a time this one, and what has passed since."""
        self._set = now, time.monotonic()

    def time_of(self, date: str | None) -> datetime:
        """Return the time that a `Date` tells; that of the clock if it is missing or malformed."""
        try:
            return http_date(date or "")
        except ValueError:
            return self._expected() or datetime.now(UTC)

    def _expected(self) -> datetime | None:
        if self._set is None:
            return None
        moment, since = self._set
        return moment + timedelta(seconds=time.monotonic() - since)


@lru_cache(maxsize=2)  # many responses come within a second
def http_date(text: str) -> datetime:
    """Parse an HTTP date; ValueError if it is none."""
    try:
        found = email.utils.parsedate_to_datetime(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error
    if found.year not in _YEARS:
        raise ValueError(f"no time of the API: {text}")
    return found
