"""Cost, outcomes and tokens over time: charts by day, tables by day and by month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.report import axes, numbers, svg, timeline
from analytics.report.blocks import Chart, missing
from analytics.report.day_charts import Series, day_columns, day_panels
from analytics.report.facts import DayState
from analytics.report.kpis import change
from analytics.report.periods import Period, day_in_words
from analytics.report.tables import Cell, Column, Table, money

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from analytics.report.facts import Coverage, Measures, Subject

DAILY_TABLE = "daily"
_OUTCOMES: tuple[tuple[str, str, str, Callable[[Measures], int]], ...] = (
    ("Succeeded", "@success", "", lambda day: day.succeeded_count),
    ("Failed", "@failure", "", lambda day: day.failed_count),
    ("Cancelled", "@cancelled", "x", lambda day: day.cancelled_count),
    ("Open", "@open", "/", lambda day: day.open_count),
)


def cost(subject: Subject, timezone: str) -> Chart:
    """What the runs of each day cost."""
    span = timeline.span(subject)
    if not timeline.has_runs(subject):
        return missing("cost", "Cost by day", f"{timeline.NO_RUNS_YET}: {span}.")
    days = timeline.days(subject)
    values = timeline.values(subject, lambda day: day.cost_usd)
    axis = axes.dollars(values)
    series = Series("Cost", "@cost", values, timeline.texts(subject, _cost_text))
    calendar = subject.coverage.calendar
    return Chart(
        "cost",
        f"Runs cost {numbers.usd(subject.recent.cost_usd)} in {timeline.recently(subject)}",
        f"{change(subject, calendar.recent, calendar.before_recent)}. Columns: cost of the runs "
        f"created on each day, US dollars, {span}, {timezone}. Hatched days are incomplete.",
        day_columns(days, [series], axis),
        daily_table(subject, timezone),
        static=svg.columns(days, values, axis),
    )


def outcomes(subject: Subject, timezone: str) -> Chart:
    """How the runs of each day ended."""
    span, recent = timeline.span(subject), subject.recent
    if not timeline.has_runs(subject):
        return missing("outcomes", "Runs by outcome", f"{timeline.NO_RUNS_YET}: {span}.")
    series = [_outcome(subject, *each) for each in _OUTCOMES]
    axis = axes.counts(timeline.values(subject, lambda day: day.run_count))
    return Chart(
        "outcomes",
        f"{numbers.plural(recent.run_count, 'run')} in {timeline.recently(subject)}, "
        f"{numbers.count(recent.failed_count)} failed",
        f"Runs created on each day by their present status, {span}, {timezone}.",
        day_columns(timeline.days(subject), series, axis),
        see_table=DAILY_TABLE,
    )


def tokens(subject: Subject, timezone: str) -> Chart:
    """Tokens in and out of each day, each on its own scale."""
    span, recent = timeline.span(subject), subject.recent
    if not timeline.has_runs(subject):
        return missing("tokens", "Tokens by day", f"{timeline.NO_RUNS_YET}: {span}.")
    into = timeline.values(subject, lambda day: day.tokens_in)
    out = timeline.values(subject, lambda day: day.tokens_out)
    into_texts = timeline.texts(subject, lambda day: numbers.tokens(day.tokens_in))
    out_texts = timeline.texts(subject, lambda day: numbers.tokens(day.tokens_out))
    return Chart(
        "tokens",
        f"{numbers.tokens(recent.tokens_in)} tokens in and {numbers.tokens(recent.tokens_out)} "
        f"out in {timeline.recently(subject)}",
        f"Tokens of the runs created on each day, each panel on its own scale, {span}, {timezone}.",
        day_panels(
            timeline.days(subject),
            (Series("Tokens in", "@tokens-in", into, into_texts), axes.token_counts(into)),
            (Series("Tokens out", "@tokens-out", out, out_texts), axes.token_counts(out)),
        ),
        see_table=DAILY_TABLE,
    )


def daily_table(subject: Subject, timezone: str) -> Table:
    """Every measure of every charted day, the newest first."""
    return Table(
        DAILY_TABLE,
        f"Runs by day of creation, US dollars and tokens, {timeline.span(subject)}, {timezone}",
        [Column("Day", "text"), *_MEASURE_HEADS, Column("State", "text")],
        [
            _day_row(subject, day)
            for day in reversed(list(subject.coverage.chart_period.days()))
            if subject.first_day and day >= subject.first_day
        ],
    )


def month_table(subject: Subject, timezone: str) -> Table:
    """Every measure of the last 13 months, the newest first."""
    largest = max((each.cost_usd or 0 for each in subject.months.values()), default=0)
    rows = []
    for month, measures in sorted(subject.months.items(), reverse=True):
        row: list[Cell | str] = [f"{month:%Y-%m}"]
        bar = svg.bar((measures.cost_usd or 0) / largest) if largest else None
        row.append(money(measures.cost_usd, measures.unknown_cost_count, bar))
        row += _measure_cells(measures)[1:]
        rows.append([*row, _month_state(subject.coverage, Period.month_of(month))])
    return Table(
        "months",
        f"Runs by month of creation, US dollars and tokens, {timezone}",
        [Column("Month", "text"), *_MEASURE_HEADS, Column("State", "text")],
        rows,
    )


_MEASURE_HEADS = [
    Column("Cost"),
    Column("Runs"),
    Column("Failed"),
    Column("Cancelled"),
    Column("Open"),
    Column("Cost of failed"),
    Column("Tokens in"),
    Column("Tokens out"),
]


def _outcome(
    subject: Subject, name: str, role: str, pattern: str, count_of: Callable[[Measures], int]
) -> Series:
    counts = timeline.values(subject, count_of)
    texts = timeline.texts(subject, lambda day: numbers.count(count_of(day)))
    return Series(name, role, counts, texts, pattern)


def _day_row(subject: Subject, day: date) -> list[Cell | str]:
    state, measures = subject.coverage.state(day), subject.on(day)
    label = "" if state is DayState.COMPLETE else state.value
    if measures is None:
        return [day.isoformat(), *[numbers.NOT_AVAILABLE] * len(_MEASURE_HEADS), label]
    if measures.unknown_cost_count:
        unknown = f"{numbers.count(measures.unknown_cost_count)} of unknown cost"
        label = f"{label}, {unknown}" if label else unknown
    return [day.isoformat(), *_measure_cells(measures), label]


def _month_state(coverage: Coverage, month: Period) -> str:
    states = []
    first_day = coverage.first_day
    if first_day and first_day in month and first_day != month.first:
        states.append(f"from {day_in_words(first_day)}")
    if coverage.misses(month):
        states.append(DayState.INCOMPLETE.value)
    if coverage.today in month:
        states.append(DayState.SO_FAR.value)
    return ", ".join(states)


def _measure_cells(measures: Measures) -> list[str]:
    return [
        numbers.usd(measures.cost_usd),
        numbers.count(measures.run_count),
        numbers.count(measures.failed_count),
        numbers.count(measures.cancelled_count),
        numbers.count(measures.open_count),
        numbers.usd(measures.failed_cost_usd),
        numbers.tokens(measures.tokens_in),
        numbers.tokens(measures.tokens_out),
    ]


def _cost_text(measures: Measures) -> str:
    return f"{numbers.usd(measures.cost_usd)}, {numbers.plural(measures.run_count, 'run')}"
