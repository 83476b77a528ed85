"""A subject's days as charts draw them: measures, states, and the texts of hovers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from analytics.report.day_charts import Days
from analytics.report.facts import DayState
from analytics.report.periods import day_in_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from analytics.report.facts import Measures, Subject

V = TypeVar("V")

NO_RUNS_YET = "No runs in this period"
_INCOMPLETE = {DayState.SO_FAR, DayState.INCOMPLETE}


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


def days(subject: Subject) -> Days:
    """The charted days, and how they are to be drawn."""
    charted = list(subject.coverage.chart_period.days())
    return Days(
        charted,
        incomplete=frozenset(day for day in charted if subject.coverage.state(day) in _INCOMPLETE),
        unread=frozenset(day for day in charted if subject.on(day) is None),
    )


def past_days(subject: Subject) -> list[date]:
    """The charted days that are over and were read."""
    return [
        day
        for day in subject.coverage.chart_period.days()
        if subject.coverage.state(day) in {DayState.COMPLETE, DayState.INCOMPLETE}
    ]


def values(subject: Subject, value_of: Callable[[Measures], V]) -> list[V | None]:
    """A measure of each charted day; None for a day that was not read."""
    return [None if day is None else value_of(day) for day in measures(subject)]


def texts(subject: Subject, text_of: Callable[[Measures], str]) -> list[str]:
    """What a hover says of each charted day."""
    return [_text(subject, day, text_of) for day in subject.coverage.chart_period.days()]


def _text(subject: Subject, day: date, text_of: Callable[[Measures], str]) -> str:
    state, known = subject.coverage.state(day), subject.on(day)
    text = "no data" if known is None else text_of(known)
    return f"{text} ({state.value})" if state in _INCOMPLETE else text
