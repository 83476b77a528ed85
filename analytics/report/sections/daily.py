"""Cost, outcomes and tokens over time: charts by day, tables by day and by month."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.format.days import Period, day_in_words
from analytics.format.numbers import UNKNOWN, count, usd_exact
from analytics.report.figures import timeline
from analytics.report.figures.facts import DayState
from analytics.report.sections.kpis import change
from analytics.report.writing import axes, figured, phrases, svg
from analytics.report.writing.blocks import Chart, Spec, missing
from analytics.report.writing.figured import measure
from analytics.report.writing.tables import Cell, Column, Table, money

if TYPE_CHECKING:
    from datetime import date

    from analytics.report.figures.facts import Measures, Subject
    from analytics.report.writing.tables import Row

DAILY_TABLE = "daily"
LISTED_DAYS = 31
FIGURES = (
    measure("cost_usd"),
    measure("run_count"),
    measure("failed_count"),
    measure("cancelled_count"),
    measure("open_count"),
    measure("failed_cost_usd", "range"),
    measure("tokens_in"),
    measure("tokens_out"),
)
_CAPTION = "Cost and runs by day of creation, US dollars and tokens, {span}"


def cost(subject: Subject, timezone: str) -> Chart:
    """What the runs of each day cost."""
    calendar = subject.coverage.calendar
    subtitle = (
        "Columns: cost of each day, of runs by the day of their creation, US dollars, {span}, "
        f"{timezone}. Pale: incomplete."
    )
    spec = _spec(
        "Cost: {cost_usd|usd} in {period}",
        subtitle,
        (
            "usd",
            [
                (
                    "Cost",
                    "@cost",
                    "",
                    "cost_usd",
                    "{cost_usd|usd}, {run_count|plural:run}",
                ),
            ],
        ),
    )
    spec["table"] = {
        "key": DAILY_TABLE,
        "kind": "days",
        "caption": f"{_CAPTION}, {timezone}",
        "figures": [[each.value, each.unit] for each in FIGURES],
    }
    chart = _chart("cost", "Cost by day", subject, spec)
    if chart.is_empty:
        return chart
    costs = timeline.values(subject, lambda day: day.cost_usd)
    compared = change(subject, calendar.recent, calendar.before_recent)
    return Chart(
        "cost",
        chart.title,
        f"{compared}. {chart.subtitle}",
        spec,
        daily_table(subject, timezone),
        static=svg.columns(subject, axes.dollars(costs)),
    )


def per_run(subject: Subject, timezone: str) -> Chart:
    """What a run, and what a successful run cost on each day."""
    spec = _spec(
        "A run cost {run_cost_usd/run_count|each}, a successful one "
        "{run_cost_usd/succeeded_count|each} in {period}",
        "Cost divided by all runs, and by those that succeeded, of each day of creation, US "
        f"dollars, each panel on its own scale, {{span}}, {timezone}.",
        (
            "usd_fine",
            [
                (
                    "Cost per run",
                    "@cost",
                    "",
                    "run_cost_usd/run_count",
                    "{run_cost_usd/run_count|each}",
                )
            ],
        ),
        (
            "usd_fine",
            [
                (
                    "Cost per successful run",
                    "@billed",
                    "",
                    "run_cost_usd/succeeded_count",
                    "{run_cost_usd/succeeded_count|each}",
                )
            ],
        ),
    )
    return _chart("cost-per-run", "Cost per run", subject, spec)


def outcomes(subject: Subject, timezone: str) -> Chart:
    """How the runs of each day ended."""
    series = [
        ("Succeeded", "@success", "", "succeeded_count", "{succeeded_count|count}"),
        ("Failed", "@failure", "", "failed_count", "{failed_count|count}"),
        ("Cancelled", "@cancelled", "x", "cancelled_count", "{cancelled_count|count}"),
        ("Open", "@open", "/", "open_count", "{open_count|count}"),
    ]
    spec = _spec(
        "{run_count|plural:run} in {period}, {failed_count|count} failed",
        f"Runs created on each day by their present status, {{span}}, {timezone}.",
        ("count", series),
    )
    return _chart("outcomes", "Runs by outcome", subject, spec)


def tokens(subject: Subject, timezone: str) -> Chart:
    """Tokens in and out of each day, each on its own scale."""
    spec = _spec(
        "{tokens_in|tokens} tokens in and {tokens_out|tokens} out in {period}",
        "Tokens of the runs created on each day, each panel on its own scale, {span}, "
        f"{timezone}.",
        ("tokens", [("Tokens in", "@tokens-in", "", "tokens_in", "{tokens_in|tokens}")]),
        ("tokens", [("Tokens out", "@tokens-out", "", "tokens_out", "{tokens_out|tokens}")]),
    )
    return _chart("tokens", "Tokens by day", subject, spec)


def failed_cost(subject: Subject, timezone: str) -> Chart:
    """What the failed runs of each day cost."""
    text = "{failed_cost_usd|range}, {failed_count|plural:failed run}"
    series = ("Cost of failed runs", "@failure", "", "failed_cost_usd", text)
    spec = _spec(
        "Failed runs cost {failed_cost_usd|range} in {period}, "
        "{failed_cost_usd/run_cost_usd|range_percent} of the cost of runs",
        "Cost of failed runs by the day of their creation (where it is a range, its low end), US "
        f"dollars, {{span}}, {timezone}.",
        ("usd", [series]),
    )
    chart = _chart("failed-cost", "Cost of failed runs by day", subject, spec)
    if chart.is_empty or any(timeline.values(subject, lambda day: day.failed_count)):
        return chart
    reason = f"No failed runs: {timeline.span(subject)}."
    return missing("failed-cost", "Cost of failed runs by day", reason, spec)


def daily_table(subject: Subject, timezone: str) -> Table:
    """Every measure of the last days, the newest first; the script adds the charted ones before."""
    last = subject.coverage.today
    charted = subject.coverage.chart_period.first
    period = Period(max(charted, last - timedelta(days=LISTED_DAYS - 1)), last)
    caption = phrases.fill(f"{_CAPTION}, {timezone}", {"span": str(period)})
    return Table(
        DAILY_TABLE,
        caption,
        [Column("Day", "text"), *(each.column for each in FIGURES), Column("State", "text")],
        [
            _day_row(subject, day)
            for day in reversed(list(period.days()))
            if subject.first_day and day >= subject.first_day
        ],
        is_sortable=True,
    )


def month_table(subject: Subject, timezone: str) -> Table:
    """Every measure of the last 13 months, the newest first."""
    largest = max((each.cost_usd or 0 for each in subject.months.values()), default=0)
    rows: list[Row] = []
    for month, measures in sorted(subject.months.items(), reverse=True):
        cost = measures.cost_usd
        bar = svg.bar((cost or 0) / largest) if largest else None
        rows.append(
            [
                f"{month:%Y-%m}",
                money(cost, measures.unknown_cost_count, bar),
                *_exact(measures),
                _month_state(subject, Period.month_of(month)),
            ]
        )
    return Table(
        "months",
        f"Cost and runs by month of creation, US dollars and tokens, {timezone}",
        [Column("Month", "text"), *(each.column for each in FIGURES), Column("State", "text")],
        rows,
        is_sortable=True,
    )


def _spec(
    title: str,
    subtitle: str,
    *panels: tuple[str, list[tuple[str, str, str, str, str]]],
) -> Spec:
    """Panels of columns: a unit, and series of name, colour, pattern, measure and hover."""
    return {
        "kind": "days",
        "title": title,
        "subtitle": subtitle,
        "panels": [
            {"unit": unit, "series": [list(each) for each in series]} for unit, series in panels
        ],
    }


def _chart(key: str, label: str, subject: Subject, spec: Spec) -> Chart:
    span = timeline.span(subject)
    spec["label"] = label
    if not timeline.has_runs(subject):
        return missing(key, label, f"{timeline.NO_RUNS_YET}: {span}.", spec)
    context = {
        **subject.recent.values(),
        "period": timeline.recently(subject),
        "span": span,
    }
    return Chart(
        key,
        phrases.fill(spec["title"], context),
        phrases.fill(spec["subtitle"], context),
        spec,
        see_table=DAILY_TABLE,
    )


def _day_row(subject: Subject, day: date) -> list[str]:
    state, measures = subject.state(day), subject.on(day)
    label = "" if state is DayState.COMPLETE else state.value
    if measures is None:
        return [day.isoformat(), *[UNKNOWN] * len(FIGURES), label]
    if measures.unknown_cost_count:
        unknown = f"{count(measures.unknown_cost_count)} of unknown cost"
        label = f"{label}, {unknown}" if label else unknown
    return [day.isoformat(), *figured.cells(FIGURES, measures.values()), label]


def _exact(measures: Measures) -> list[Cell]:
    """All but the cost, with what no data file holds: the exact values."""
    values = measures.values()
    figures = FIGURES[1:]
    texts = figured.cells(figures, values)
    return [
        Cell(text, _plain(values[each.value])) for each, text in zip(figures, texts, strict=True)
    ]


def _plain(value: Decimal | int | None) -> str:
    return usd_exact(value) if isinstance(value, Decimal) else "" if value is None else str(value)


def _month_state(subject: Subject, month: Period) -> str:
    states = []
    coverage = subject.coverage
    first_day = coverage.first_day
    if first_day and first_day in month and first_day != month.first:
        states.append(f"from {day_in_words(first_day)}")
    if subject.misses(month):
        states.append(DayState.INCOMPLETE.value)
    if coverage.today in month and coverage.resting_since is None:
        states.append(DayState.SO_FAR.value)
    return ", ".join(states)
