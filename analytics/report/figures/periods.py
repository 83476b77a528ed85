"""The days and periods that a report speaks of, all derived from one cut-off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAY = timedelta(days=1)

RECENT_DAYS = 30
CHART_DAYS = 92
HISTORY_DAYS = 396  # 13 months: the same month of last year is in it
TREND_WEEKS = 13


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
        """How many days it has."""
        return (self.last - self.first).days + 1

    def days(self) -> Iterator[date]:
        """Each of its days, in order."""
        return (self.first + offset * _DAY for offset in range(self.day_count))

    def starting_at(self, day: date | None) -> Period | None:
        """The part of it from `day` on; None if there is none (or no such day)."""
        if day is None or day > self.last:
            return None
        return Period(max(self.first, day), self.last)

    def in_short(self, year: int) -> str:
        """For a narrow place, with the year only where it is not this one: `23 Nov`, `October`."""
        first, last = self.first, self.last
        if self == Period.month_of(first):
            return _MONTHS[first.month - 1] + _other_year(first, year)
        if first == last:
            return day_in_short(last, year)
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}\u2013{day_in_short(last, year)}"
        start = day_on_axis(first) if first.year == last.year else day_in_short(first, year)
        return f"{start}\u2013{day_in_short(last, year)}"

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


@dataclass(frozen=True)
class Calendar:
    """The periods as seen from the day of the cut-off, which itself is still running."""

    today: date

    @property
    def yesterday(self) -> date:
        """The last complete day."""
        return self.today - _DAY

    @property
    def month_to_date(self) -> Period:
        """The month of the cut-off, today included."""
        return Period(self.today.replace(day=1), self.today)

    @property
    def month_complete_days(self) -> Period | None:
        """The complete days of this month; None on its first day."""
        first = self.today.replace(day=1)
        return None if first == self.today else Period(first, self.yesterday)

    @property
    def same_days_of_last_month(self) -> Period:
        """As many days of the month before as this month has complete ones."""
        first = self.last_month.first
        last = first + max(self.today.day - 2, 0) * _DAY
        return Period(first, min(last, self.last_month.last))

    @property
    def last_month(self) -> Period:
        """The last full month."""
        return Period.month_of(self.today.replace(day=1) - _DAY)

    @property
    def month_before_last(self) -> Period:
        """The month that the last full month is compared with."""
        return Period.month_of(self.last_month.first - _DAY)

    @property
    def recent(self) -> Period:
        """The last 30 complete days."""
        return Period(self.today - RECENT_DAYS * _DAY, self.yesterday)

    @property
    def before_recent(self) -> Period:
        """The 30 days before those."""
        return Period(self.today - 2 * RECENT_DAYS * _DAY, self.recent.first - _DAY)

    @property
    def chart(self) -> Period:
        """The days that charts show, today included."""
        return Period(self.today - (CHART_DAYS - 1) * _DAY, self.today)

    @property
    def history(self) -> Period:
        """The days that a reader may choose from, today included."""
        return Period(self.today - (HISTORY_DAYS - 1) * _DAY, self.today)

    @property
    def last_week(self) -> Period:
        """The last seven complete days."""
        return Period(self.today - 7 * _DAY, self.yesterday)

    @property
    def week_before(self) -> Period:
        """The seven days before those."""
        return Period(self.today - 14 * _DAY, self.today - 8 * _DAY)

    @property
    def trend_weeks(self) -> list[Period]:
        """The blocks of seven complete days that sparklines show."""
        starts = (self.today - 7 * week * _DAY for week in range(TREND_WEEKS, 0, -1))
        return [Period(start, start + 6 * _DAY) for start in starts]

    @property
    def since(self) -> date:
        """The first day that any of the periods needs."""
        return min(self.chart.first, self.month_before_last.first)


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


def day_in_short(day: date, year: int) -> str:
    """A day for a narrow place: `14 Mar`, with the year only where it is not this one."""
    return day_on_axis(day) + _other_year(day, year)


def _other_year(day: date, year: int) -> str:
    return "" if day.year == year else f" {day.year}"


def monday_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - day.weekday() * _DAY
