"""Times at which a cron expression fires.

Five fields: minute, hour, day of month, month, day of week (0 or 7 is Sunday); each takes `*`,
numbers, names of months and days, lists, ranges and steps. If both kinds of day are given, one
match is enough. A local time that the clock skips in spring does not fire, and one that occurs
twice in autumn fires the first time only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, tzinfo

FIELDS = 5
SEARCHED_DAYS = 8 * 366 + 1  # between two leap days lie eight years at most
_PART = re.compile(r"(\*|(?P<first>\w{1,9})(-(?P<last>\w{1,9}))?)(/(?P<step>\d{1,9}))?", re.ASCII)


class CronError(ValueError):
    """The text is not a cron expression, or never fires."""


class _Field(NamedTuple):
    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()


_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of month", 1, 31)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat"))


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed cron expression."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    one_day_is_enough: bool

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Parse an expression; raises `CronError`."""
        parts = text.split()
        if len(parts) != FIELDS:
            raise CronError(f"a cron expression has {FIELDS} fields, not {len(parts)}")
        minute, hour, day, month, weekday = parts
        return cls(
            _values(minute, _MINUTE),
            _values(hour, _HOUR),
            _values(day, _DAY),
            _values(month, _MONTH),
            frozenset(value % 7 for value in _values(weekday, _WEEKDAY)),
            not day.startswith("*") and not weekday.startswith("*"),
        )

    def next_after(self, moment: datetime, zone: tzinfo) -> datetime:
        """Return the first instant after a moment at which it fires, in UTC; or `CronError`."""
        local = moment.astimezone(zone)
        for days in range(SEARCHED_DAYS):
            day = local.date() + timedelta(days=days)
            if self._fires_on(day):
                instants = self._instants(day, 0 if days else local.hour, zone)
                if found := next((instant for instant in instants if instant > moment), None):
                    return found
        raise CronError("it never fires")

    def _fires_on(self, day: date) -> bool:
        in_days, in_weekdays = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        is_day = in_days or in_weekdays if self.one_day_is_enough else in_days and in_weekdays
        return is_day and day.month in self.months

    def _instants(self, day: date, first_hour: int, zone: tzinfo) -> Iterator[datetime]:
        """Yield the instants of a local day at which it fires, from an hour on."""
        for hour in sorted(hour for hour in self.hours if hour >= first_hour):
            for minute in sorted(self.minutes):
                wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                instant = wall.astimezone(UTC)
                if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
                    yield instant


def _values(text: str, field: _Field) -> frozenset[int]:
    return frozenset(value for part in text.split(",") for value in _range(part, field))


def _range(text: str, field: _Field) -> range:
    """Return the values of one part of a list."""
    part = _PART.fullmatch(text)
    if not part:
        raise CronError(f"{text!r} is no {field.name}")
    step = int(part["step"] or 1)
    if part["first"] is None:
        first, last = field.lowest, field.highest
    else:
        first = _value(part["first"], field)
        ends_open = part["last"] is None and part["step"]
        last = field.highest if ends_open else _value(part["last"] or part["first"], field)
    if first > last or step < 1:
        raise CronError(f"{text!r} holds no {field.name}")
    return range(first, last + 1, step)


def _value(text: str, field: _Field) -> int:
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.lowest
    if not text.isdecimal() or not field.lowest <= int(text) <= field.highest:
        raise CronError(f"{text!r} is no {field.name}")
    return int(text)
