"""Days, periods and instants in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """A run of days, both ends included."""

    first: date
    last: date

    @classmethod
    def month_of(cls, day: date) -> Period:
        """The whole month of a day."""
        first = day.replace(day=1)
        return cls(first, (first + 31 * _DAY).replace(day=1) - _DAY)

    @property
    def day_count(self) -> int:
        """The count of its days."""
        return (self.last - self.first).days + 1

    def days(self) -> Iterator[date]:
        """Each of its days, in order."""
        return (self.first + offset * _DAY for offset in range(self.day_count))

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        first, last = self.first, self.last
        if first == last:
            return day_in_words(first)
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}\u2013{day_in_words(last)}"
        if first.year == last.year:
            return f"{first.day} {_MONTHS[first.month - 1]}\u2013{day_in_words(last)}"
        return f"{day_in_words(first)}\u2013{day_in_words(last)}"


def day_in_words(day: date) -> str:
    """A day for prose: `14 March 2026`."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def month_in_words(day: date) -> str:
    """A day's month for prose: `March 2026`."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def month_in_short(day: date) -> str:
    """A day's month for the head of a column: `Mar 2026`, never broken."""
    return f"{_MONTHS[day.month - 1][:3]}\u00a0{day.year}"


def day_on_axis(day: date) -> str:
    """A day for an axis: `14 Mar`."""
    return f"{day.day} {_MONTHS[day.month - 1][:3]}"


def instant_in_words(instant: datetime) -> str:
    """An instant that knows its offset, in UTC to the minute: `2026-03-14 06:00 UTC`."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def moment_in_words(instant: datetime) -> str:
    """An instant of late that knows its offset, in UTC: `14 Mar 06:00 UTC`."""
    utc = instant.astimezone(UTC)
    return f"{day_on_axis(utc)} {utc:%H:%M} UTC"
