"""The headline figures of a workspace, of an agent, or of all workspaces."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from analytics.report import numbers, phrases
from analytics.report.blocks import Kpi
from analytics.report.periods import Period, day_in_words, month_in_words

if TYPE_CHECKING:
    from analytics.report.facts import Measures, Subject
    from analytics.report.rows import RunCosts

_WEEK = timedelta(days=7)


def headline(subject: Subject) -> list[Kpi]:
    """Yesterday, month to date, last full month, and the failure rate."""
    return [
        _yesterday(subject),
        _month_to_date(subject),
        _last_month(subject),
        _failure_rate(subject),
    ]


def per_run(costs: RunCosts | None, subject: Subject) -> Kpi:
    """How the costs of an agent's recent finished runs are spread."""
    label, period = "Cost per run", str(subject.coverage.calendar.recent)
    if costs is None:
        return Kpi(label, numbers.NOT_APPLICABLE, notes=("No run of known cost", period))
    return Kpi(
        f"{label}, median",
        numbers.usd_per_run(costs.median_usd),
        notes=(
            f"nine in ten up to {numbers.usd_per_run(costs.ninetieth_usd)}",
            f"dearest {numbers.usd_per_run(costs.largest_usd)}",
            _of_listed(
                subject.recent, f"{numbers.plural(costs.run_count, 'finished run')}, {period}"
            ),
        ),
    )


def per_success(subject: Subject) -> Kpi:
    """All recent cost, that of failures included, for each run that succeeded."""
    recent, before = subject.recent, subject.over(subject.coverage.calendar.before_recent)
    label, period = "Cost per successful run", str(subject.coverage.calendar.recent)
    if recent.cost_per_success is None:
        return Kpi(label, numbers.NOT_APPLICABLE, notes=("No successful run", period))
    notes = [
        _of_listed(recent, f"{numbers.plural(recent.succeeded_count, 'successful run')}"),
        period,
    ]
    if before.cost_per_success is not None:
        notes.append(f"30 days before: {numbers.usd_per_run(before.cost_per_success)}")
    return Kpi(label, numbers.usd_per_run(recent.cost_per_success), notes=tuple(notes))


def change(
    subject: Subject, now: Period | None, before: Period, *, names_both: bool = False
) -> str:
    """How the cost of a period differs from that of an earlier one, or why that is unknown."""
    if now is None:
        return "No complete day yet"
    unknown = next((each for each in (now, before) if not subject.covers(each)), None)
    if unknown:
        return f"No comparison, as not all cost of {unknown} is known"
    difference = numbers.usd_change(
        subject.over(now).complete_cost_usd, subject.over(before).complete_cost_usd
    )
    return f"{now}: {difference} vs {before}" if names_both else f"{difference} vs {before}"


def _yesterday(subject: Subject) -> Kpi:
    day = subject.coverage.calendar.yesterday
    measures = subject.on(day)
    if measures is None:
        return Kpi("Yesterday", numbers.NOT_AVAILABLE, notes=(f"No data for {day_in_words(day)}",))
    week_before = Period(day - _WEEK, day - _WEEK)
    notes = (
        f"{day_in_words(day)}, {numbers.plural(measures.run_count, 'run')}",
        change(subject, Period(day, day), week_before),
    )
    return _amount("Yesterday", subject, Period(day, day), measures, notes)


def _month_to_date(subject: Subject) -> Kpi:
    calendar, label = subject.coverage.calendar, "Month to date"
    month, before = calendar.month_to_date, calendar.same_days_of_last_month
    if month.starting_at(subject.coverage.first_day) is None:
        return Kpi(label, numbers.NOT_AVAILABLE, notes=(f"No data for {month}",))
    notes = (
        f"{month}, today so far",
        change(subject, calendar.month_complete_days, before, names_both=True),
    )
    return _amount(label, subject, month, subject.month(month), notes)


def _last_month(subject: Subject) -> Kpi:
    calendar, first_day = subject.coverage.calendar, subject.coverage.first_day
    label, month = "Last full month", month_in_words(calendar.last_month.first)
    covered = calendar.last_month.starting_at(first_day)
    if covered is None:
        return Kpi(label, numbers.NOT_AVAILABLE, notes=(f"No data for {month}",))
    notes = (
        month if covered == calendar.last_month else f"{covered}: data begin then",
        change(subject, calendar.last_month, calendar.month_before_last),
    )
    return _amount(label, subject, covered, subject.month(covered), notes)


def _failure_rate(subject: Subject) -> Kpi:
    calendar = subject.coverage.calendar
    recent, before = subject.recent, subject.over(calendar.before_recent)
    label, period = "Failure rate", str(calendar.recent)
    if not recent.finished_count:
        return Kpi(label, numbers.NOT_APPLICABLE, notes=("No finished runs", period))
    counts = f"{numbers.count(recent.failed_count)} of {numbers.count(recent.finished_count)}"
    is_small = recent.finished_count < numbers.SMALL_SAMPLE
    interval = numbers.interval(recent.failed_count, recent.finished_count)
    notes = [
        _of_listed(recent, period if is_small else f"{counts} finished runs, {period}"),
        f"95% Wilson interval {interval}",
    ]
    if before.finished_count:
        rate = numbers.failure_rate(before.failed_count, before.finished_count)
        notes.append(f"30 days before: {rate}")
    value = counts if is_small else numbers.percent(recent.failed_count, recent.finished_count)
    return Kpi(label, value, notes=tuple(notes))


def _of_listed(measures: Measures, note: str) -> str:
    """The note to a figure that hidden runs are not in."""
    return f"{note}, listed runs only" if measures.missing_run_count else note


def _amount(
    label: str, subject: Subject, period: Period, measures: Measures, notes: tuple[str, ...]
) -> Kpi:
    hidden = phrases.hidden(measures).removeprefix(", ")
    if hidden:
        notes = (hidden, *notes)
    if subject.misses(period):
        notes = (*notes, "Incomplete: runs of unknown cost are missing")
    if measures.unknown_cost_count:
        unknown = numbers.plural(measures.unknown_cost_count, "run")
        notes = (*notes, f"Without {unknown} of unknown cost")
    cost = measures.complete_cost_usd
    value, exact = numbers.usd_headline(cost), numbers.usd(cost)
    return Kpi(label, value, "" if value == exact else exact, notes)
