"""Failures: their rate over time and by version, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from analytics.report import axes, numbers, timeline
from analytics.report.blocks import Chart, missing
from analytics.report.daily import DAILY_TABLE
from analytics.report.day_charts import Series, day_columns
from analytics.report.periods import Period, monday_of
from analytics.report.rate_charts import Rate, rate_points, rate_rows
from analytics.report.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.facts import Measures, Subject
    from analytics.report.rows import Version

SHOWN_VERSIONS = 15
RUNS_FOR_DAILY_RATES = 100  # with fewer a day, the intervals are wider than any change

_DOTS = (
    "Dots: share of finished runs that failed; lines: 95% Wilson interval; "
    "hollow: fewer than 20 runs."
)


def failure_rate(subject: Subject, timezone: str) -> Chart:
    """The share of finished runs that failed, by week, or by day where days hold many runs."""
    recent, span = subject.recent, timeline.span(subject)
    known = [day for day in timeline.measures(subject) if day and day.finished_count]
    if not known:
        return missing("failure-rate", "Failure rate over time", f"No finished runs: {span}.")
    is_daily = median(day.finished_count for day in known) >= RUNS_FOR_DAILY_RATES
    unit = "day" if is_daily else "week"
    points = [
        (period, measures)
        for period in (_days(subject) if is_daily else _weeks(subject))
        if (measures := subject.over(period)).finished_count
    ]
    rates = [(period.first, _rate("", measures)) for period, measures in points]
    return Chart(
        "failure-rate",
        f"Failed of finished runs in {timeline.recently(subject)}: "
        f"{numbers.failure_rate(recent.failed_count, recent.finished_count)}",
        f"{_DOTS} By {unit}, without today, {span}, {timezone}.",
        rate_points(rates, axes.rates(rate.high for _, rate in rates), _edges(subject)),
        Table(
            "failure-rates",
            f"Failure rate by {unit}, {span}, {timezone}",
            [Column(unit.capitalize(), "text"), *_RATE_HEADS],
            [
                [period.first.isoformat() if is_daily else str(period), *_rate_cells(measures)]
                for period, measures in reversed(points)
            ],
        ),
    )


def failed_cost(subject: Subject, timezone: str) -> Chart:
    """What the failed runs of each day cost."""
    recent, span = subject.recent, timeline.span(subject)
    if not any(timeline.values(subject, lambda day: day.failed_count)):
        reason = "No failed runs in this period" if timeline.has_runs(subject) else "No runs"
        return missing("failed-cost", "Cost of failed runs by day", f"{reason}: {span}.")
    values = timeline.values(subject, lambda day: day.failed_cost_usd)
    series = Series("Cost of failed runs", "@failure", values, timeline.texts(subject, _cost_text))
    title = (
        f"Failed runs cost {numbers.usd(recent.failed_cost_usd)} in {timeline.recently(subject)}"
    )
    if recent.cost_usd and recent.failed_cost_usd is not None:
        title += f", {numbers.percent(recent.failed_cost_usd, recent.cost_usd)} of all cost"
    return Chart(
        "failed-cost",
        title,
        f"Cost of failed runs by the day of their creation, US dollars, {span}, {timezone}.",
        day_columns(timeline.days(subject), [series], axes.dollars(values)),
        see_table=DAILY_TABLE,
    )


def versions(subject: Subject, parts: Sequence[Version], timezone: str) -> Chart:
    """The failure rate of each version of an agent, the newest first."""
    span = timeline.span(subject)
    finished = [part for part in parts if part.finished_count]
    if not finished:
        return missing("versions", "Failure rate by version", f"No finished runs: {span}.")
    rates = [_rate(_version(part.number), part) for part in finished[:SHOWN_VERSIONS]]
    newest = finished[0]
    return Chart(
        "versions",
        f"Failed of finished runs of the newest version, {_version(newest.number)}: "
        f"{numbers.failure_rate(newest.failed_count, newest.finished_count)}",
        f"{_DOTS} By version, {span}, {timezone}.",
        rate_rows(rates, axes.rates(rate.high for rate in rates)),
        Table(
            "version-rates",
            f"Runs by version, US dollars, {span}, {timezone}",
            [
                Column("Version", "text"),
                *_RATE_HEADS,
                Column("Runs"),
                Column("Cost"),
                Column("Cost per run"),
            ],
            [
                [
                    _version(part.number),
                    *_rate_cells(part),
                    numbers.count(part.run_count),
                    numbers.usd(part.cost_usd),
                    numbers.usd_fine(part.cost_per_run),
                ]
                for part in parts
            ],
        ),
    )


_RATE_HEADS = (
    Column("Failed"),
    Column("Finished"),
    Column("Failure rate"),
    Column("95% interval, %"),
)


def _rate_cells(part: Measures | Version) -> list[str]:
    return [
        numbers.count(part.failed_count),
        numbers.count(part.finished_count),
        numbers.failure_rate(part.failed_count, part.finished_count),
        numbers.interval(part.failed_count, part.finished_count),
    ]


def _rate(label: str, part: Measures | Version) -> Rate:
    failed, finished = part.failed_count, part.finished_count
    low, high = numbers.wilson_interval(failed, finished)
    counts = f"{numbers.count(failed)} of {numbers.count(finished)}"
    hover = f"{numbers.failure_rate(failed, finished)} {numbers.interval(failed, finished)}"
    is_small = finished < numbers.SMALL_SAMPLE
    return Rate(label, failed / finished, low, high, counts, hover, is_small)


def _cost_text(day: Measures) -> str:
    runs = numbers.plural(day.failed_count, "failed run")
    return f"{numbers.usd(day.failed_cost_usd)}, {runs}"


def _version(number: int | None) -> str:
    return "no version" if number is None else f"v{number}"


def _days(subject: Subject) -> list[Period]:
    return [Period(day, day) for day in timeline.past_days(subject)]


def _weeks(subject: Subject) -> list[Period]:
    """The weeks of the past days; the first and the last may be cut."""
    mondays = sorted({monday_of(day) for day in timeline.past_days(subject)})
    first, last = subject.coverage.chart_period.first, subject.coverage.calendar.yesterday
    return [Period(max(monday, first), min(monday + timedelta(6), last)) for monday in mondays]


def _edges(subject: Subject) -> Period:
    """The ends of the time axis: a dot stands in the middle of its day."""
    period = subject.coverage.chart_period
    return Period(period.first - timedelta(1), period.last + timedelta(1))
