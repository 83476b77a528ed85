from __future__ import annotations

from datetime import date

import pytest
from analytics.report.figures.periods import Calendar

from analytics.format.days import Period

DASH = "\u2013"


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 3, 14), date(2026, 3, 14), "14 March 2026"),
        (date(2026, 3, 1), date(2026, 3, 31), f"1{DASH}31 March 2026"),
        (date(2026, 2, 12), date(2026, 3, 13), f"12 February{DASH}13 March 2026"),
        (date(2025, 12, 13), date(2026, 3, 14), f"13 December 2025{DASH}14 March 2026"),
    ],
)
def test_a_period_says_no_more_than_it_must(first: date, last: date, words: str) -> None:
    """A period in words names month and year once where both ends share them."""
    assert words == str(Period(first, last))


def test_today_is_in_no_period_that_is_compared() -> None:
    """Comparisons end with yesterday; month to date and charts show today as well."""
    calendar = Calendar(date(2026, 3, 14))

    assert calendar.recent == Period(date(2026, 2, 12), date(2026, 3, 13))
    assert calendar.before_recent == Period(date(2026, 1, 13), date(2026, 2, 11))
    assert calendar.month_complete_days == Period(date(2026, 3, 1), date(2026, 3, 13))
    assert calendar.same_days_of_last_month == Period(date(2026, 2, 1), date(2026, 2, 13))
    assert calendar.month_to_date.last == calendar.chart.last == date(2026, 3, 14)
    assert calendar.trend_weeks[-1].last == date(2026, 3, 13)
    assert calendar.trend_weeks[0].first == calendar.trend_weeks[1].first - (
        date(2026, 1, 8) - date(2026, 1, 1)
    )


def test_a_month_ends_with_its_last_day() -> None:
    """A month is whole, also in a leap year and at the end of a year."""
    assert Period.month_of(date(2028, 2, 10)) == Period(date(2028, 2, 1), date(2028, 2, 29))
    assert Calendar(date(2026, 1, 5)).last_month == Period(date(2025, 12, 1), date(2025, 12, 31))


def test_the_first_of_a_month_has_no_complete_day() -> None:
    """On the first of a month there is nothing to compare yet."""
    assert Calendar(date(2026, 3, 1)).month_complete_days is None


def test_a_long_month_is_compared_with_the_whole_of_a_short_one() -> None:
    """The same days of a shorter month end with its last day."""
    calendar = Calendar(date(2026, 3, 31))

    assert calendar.same_days_of_last_month == Period(date(2026, 2, 1), date(2026, 2, 28))


@pytest.mark.parametrize("today", [date(2026, 3, 31), date(2026, 1, 1), date(2028, 2, 29)])
def test_no_period_begins_before_the_first_day_that_is_read(today: date) -> None:
    """Every period lies within the days that are read."""
    calendar = Calendar(today)
    starts = [
        calendar.chart.first,
        calendar.before_recent.first,
        calendar.month_before_last.first,
        calendar.same_days_of_last_month.first,
        calendar.trend_weeks[0].first,
    ]

    assert calendar.since == min(starts)
