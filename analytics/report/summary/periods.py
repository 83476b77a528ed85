"""The periods that a report speaks of, all derived from one cut-off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from analytics.format.days import Period

_DAY = timedelta(days=1)

RECENT_DAYS = 30
CHART_DAYS = 92
HISTORY_DAYS = 396  # 13 months: the same month of last year is in it
TREND_WEEKS = 13


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
