"""What is typical for a run, and what is not: medians and 95th percentiles by week."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.format.days import Period, day_in_words
from analytics.report.writing import figured, phrases
from analytics.report.writing.blocks import Chart, Spec, missing
from analytics.report.writing.figured import Figure
from analytics.report.writing.tables import Column, Table

if TYPE_CHECKING:
    from datetime import date

    from analytics.report.figures.facts import Subject
    from analytics.report.figures.splits import Split
    from analytics.report.writing.phrases import Value

_DAY = timedelta(days=1)
LISTED_WEEKS = 5  # in the page; the script adds the charted ones before
_LEVELS = (("median", "median"), ("p95", "95th percentile"))


def tokens(subject: Subject, split: Split) -> Chart:
    """Tokens in and out of a run."""
    return _chart(
        "tokens-per-run",
        "Tokens per run",
        "Half of the runs took up to {tokens_in_median|tokens} tokens in, 19 of 20 up to "
        "{tokens_in_p95|tokens}, in the week of {week}",
        [
            ("Tokens in", "tokens_in", "tokens", "@tokens-in"),
            ("Tokens out", "tokens_out", "tokens", "@tokens-out"),
        ],
        subject,
        split,
    )


def durations(subject: Subject, split: Split) -> Chart:
    """How long a run took, and how long it waited before it began."""
    return _chart(
        "durations",
        "Duration and queue time of runs",
        "Half of the runs took up to {duration_median|seconds}, 19 of 20 up to "
        "{duration_p95|seconds}, in the week of {week}",
        [
            ("Duration", "duration", "seconds", "@hue-1"),
            ("Time in the queue", "queue", "seconds", "@hue-6"),
        ],
        subject,
        split,
    )


def _chart(
    key: str,
    label: str,
    title: str,
    panels: list[tuple[str, str, str, str]],
    subject: Subject,
    split: Split,
) -> Chart:
    period = subject.coverage.chart_period
    subtitle = (
        "Median and 95th percentile of the finished runs created in each week, each panel on its "
        "own scale, {span}. A week begins on Monday and counts whole.{detail}"
    )
    figures = [
        Figure(f"{name}, {words}", f"{measure}_{level}", unit)
        for name, measure, unit, _ in panels
        for level, words in _LEVELS
    ]
    caption = f"{label}: median and 95th percentile by week, {{span}}"
    spec: Spec = {
        "kind": "spreads",
        "label": label,
        "title": title,
        "none": f"{label}: nothing to show",
        "subtitle": subtitle,
        "panels": [list(each) for each in panels],
        "table": {
            "key": f"{key}-table",
            "kind": "spreads",
            "caption": caption,
            "figures": [[each.value, each.unit] for each in figures],
        },
    }
    weeks = [
        (monday, {name: column[row] for name, column in split.columns.items()})
        for row, day in enumerate(split.days)
        if (monday := split.first + timedelta(days=day)) > period.first - 7 * _DAY
        and subject.over(_within(period, monday)).listed_run_count
    ]
    if not any(value is not None for _, values in weeks for value in values.values()):
        return missing(key, label, f"No finished listed runs: {period}.", spec)
    medians = [f"{measure}_median" for _, measure, _, _ in panels]
    known = [each for each in weeks if all(each[1][name] is not None for name in medians)]
    whole = [each for each in known if _is_whole(each[0], subject)]
    week, values = (whole or known or weeks)[-1]
    context: dict[str, Value] = {
        **values,
        "week": day_in_words(week),
        "span": str(period),
        "detail": phrases.detail(subject),
    }
    return Chart(
        key,
        phrases.fill(title, context),
        phrases.fill(subtitle, context),
        spec,
        Table(
            f"{key}-table",
            phrases.fill(caption, context),
            [Column("Week of", "text"), *(each.column for each in figures)],
            [
                [monday.isoformat(), *figured.cells(figures, values)]
                for monday, values in reversed(weeks[-LISTED_WEEKS:])
            ],
            is_sortable=True,
        ),
    )


def _within(period: Period, monday: date) -> Period:
    """The days of a week that lie within a period."""
    return Period(max(monday, period.first), min(monday + 6 * _DAY, period.last))


def _is_whole(monday: date, subject: Subject) -> bool:
    """Whether all days of a week are charted, and over."""
    coverage = subject.coverage
    last = min(coverage.chart_period.last, coverage.calendar.yesterday)
    return coverage.chart_period.first <= monday and monday + 6 * _DAY <= last
