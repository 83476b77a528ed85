"""A subject's charted days: which they are, how they are drawn, and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from analytics.format.days import day_in_words
from analytics.report.figures.facts import DayState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from analytics.report.figures.facts import Measures, Subject

V = TypeVar("V")

NO_RUNS_YET = "No runs in this period"
INCOMPLETE = frozenset({DayState.SO_FAR, DayState.INCOMPLETE})


def span(subject: Subject) -> str:
    """The charted period in words."""
    return str(subject.coverage.chart_period)


def recently(subject: Subject) -> str:
    """The recent days in words."""
    recent = subject.coverage.calendar.recent
    return f"the {recent.day_count} days to {day_in_words(recent.last)}"


def has_runs(subject: Subject) -> bool:
    """Whether any run falls into the charted period."""
    return subject.over(subject.coverage.chart_period).run_count > 0


def measures(subject: Subject) -> list[Measures | None]:
    """The measures of each charted day; None for a day that was not read."""
    return [subject.on(day) for day in subject.coverage.chart_period.days()]


def past_days(subject: Subject) -> list[date]:
    """The charted days that are over and were read."""
    return [
        day
        for day in subject.coverage.chart_period.days()
        if subject.state(day) in {DayState.COMPLETE, DayState.INCOMPLETE}
    ]


def values(subject: Subject, value_of: Callable[[Measures], V]) -> list[V | None]:
    """A measure of each charted day; None for a day that was not read."""
    return [None if day is None else value_of(day) for day in measures(subject)]
