"""The share of finished runs that failed, over time."""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from analytics.format.days import Period, monday_of
from analytics.report.figures import timeline
from analytics.report.writing import figured, phrases
from analytics.report.writing.blocks import Chart, Spec, missing
from analytics.report.writing.figured import Figure, measure
from analytics.report.writing.tables import Column, Table

if TYPE_CHECKING:
    from analytics.report.figures.facts import Subject
    from analytics.report.writing.phrases import Value

LISTED_PERIODS = 6  # in the page; the script adds the charted ones before
RUNS_FOR_DAILY_RATES = 100  # with fewer a day, the intervals are wider than any change

_LABEL = "Failure rate over time"
_FIGURES = (
    measure("failed_count"),
    Figure("Finished", "finished_count", "count"),
    measure("failure_rate", "rate", "failed_count/finished_count"),
    Figure("95% interval, %", "failed_count/finished_count", "interval"),
)


def failure_rate(subject: Subject, timezone: str) -> Chart:
    """By week, or by day where days hold many runs."""
    span = timeline.span(subject)
    caption = f"Failure rate by week or day, {{span}}, {timezone}"
    spec: Spec = {
        "kind": "rates",
        "label": _LABEL,
        "title": "Failed of finished runs in {period}: {failed_count/finished_count|rate}",
        "subtitle": "Dots: share of finished runs that failed; lines: 95% Wilson interval; hollow: "
        f"fewer than 20 runs. Without today, {{span}}, {timezone}.",
        "table": {
            "key": "failure-rates",
            "kind": "rates",
            "caption": caption,
            "figures": [[each.value, each.unit] for each in _FIGURES],
        },
    }
    known = [day for day in timeline.measures(subject) if day and day.finished_count]
    if not known:
        return missing("failure-rate", _LABEL, f"No finished runs: {span}.", spec)
    is_daily = median(day.finished_count for day in known) >= RUNS_FOR_DAILY_RATES
    points = [
        (period, measures)
        for period in (_days(subject) if is_daily else _weeks(subject))
        if (measures := subject.over(period)).finished_count
    ]
    context: dict[str, Value] = {
        **subject.recent.values(),
        "period": timeline.recently(subject),
        "span": span,
    }
    return Chart(
        "failure-rate",
        phrases.fill(spec["title"], context),
        phrases.fill(spec["subtitle"], context),
        spec,
        Table(
            "failure-rates",
            phrases.fill(caption, context),
            [Column("Week or day", "text"), *(each.column for each in _FIGURES)],
            [
                [str(period), *figured.cells(_FIGURES, measures.values())]
                for period, measures in reversed(points[-LISTED_PERIODS:])
            ],
            is_sortable=True,
        ),
    )


def _days(subject: Subject) -> list[Period]:
    return [Period(day, day) for day in timeline.past_days(subject)]


def _weeks(subject: Subject) -> list[Period]:
    """The weeks of the past days; the first and the last may be cut."""
    mondays = sorted({monday_of(day) for day in timeline.past_days(subject)})
    first, last = subject.coverage.chart_period.first, subject.coverage.calendar.yesterday
    return [Period(max(monday, first), min(monday + timedelta(6), last)) for monday in mondays]
