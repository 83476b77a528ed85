"""The headline figures of a workspace, of an agent, or of all workspaces.

Beside a figure stand a comparison, what it is of, and what it lacks.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from analytics.format import numbers
from analytics.format.days import Period, day_in_short
from analytics.report.figures.usual import same_weekdays_before, usual_cost_usd
from analytics.report.writing.blocks import Kpi

if TYPE_CHECKING:
    from analytics.report.figures.facts import Measures, Subject
    from analytics.report.marts.rows import RunCosts


def headline(subject: Subject) -> list[Kpi]:
    """Yesterday, month to date, last full month, and the failure rate."""
    return [
        _yesterday(subject),
        _month_to_date(subject),
        _last_month(subject),
        _failure_rate(subject),
    ]


def per_run(costs: RunCosts | None, subject: Subject) -> Kpi:
    """How the costs of an agent's recent ended runs are spread."""
    label, period = "Cost per run", _recently(subject)
    if costs is None:
        return Kpi(label, numbers.UNKNOWN, notes=(f"No run of known cost, {period}",))
    ninetieth, largest = map(numbers.usd_per_run, (costs.ninetieth_usd, costs.largest_usd))
    notes = (
        f"nine in ten up to {ninetieth}, most expensive {largest}",
        f"{numbers.plural(costs.run_count, 'ended run')}, {period}",
        *([] if subject.has_all_details else ["listed runs"]),
    )
    return Kpi(f"{label}, median", numbers.usd_per_run(costs.median_usd), notes=notes)


def per_success(subject: Subject) -> Kpi:
    """The cost of all recent runs, failed ones included, for each run that succeeded."""
    recent, before = subject.recent, subject.over(subject.coverage.calendar.before_recent)
    label, period = "Cost per successful run", _recently(subject)
    if recent.cost_per_success is None:
        return Kpi(label, numbers.UNKNOWN, notes=(f"No successful run, {period}",))
    notes = [
        *_before(numbers.usd_per_run(before.cost_per_success)),
        f"{numbers.plural(recent.succeeded_count, 'successful run')}, {period}",
    ]
    return Kpi(label, numbers.usd_per_run(recent.cost_per_success), notes=tuple(notes))


def change(
    subject: Subject, now: Period | None, before: Period, *, names_both: bool = False
) -> str:
    """How the cost of a period differs from that of an earlier one, or why that is unknown."""
    year = subject.coverage.today.year
    if now is None:
        return "No complete day yet"
    unknown = next((each for each in (now, before) if not subject.covers(each)), None)
    if unknown:
        return f"No comparison: not all cost of {unknown.in_short(year)} is known"
    difference = numbers.usd_change(subject.over(now).cost_usd, subject.over(before).cost_usd)
    text = f"{difference} vs {before.in_short(year)}"
    return f"{now.in_short(year)}: {text}" if names_both else text


def _yesterday(subject: Subject) -> Kpi:
    day, year = subject.coverage.calendar.yesterday, subject.coverage.today.year
    measures = subject.on(day)
    if measures is None:
        return Kpi("Yesterday", numbers.UNKNOWN, notes=(f"No data for {day_in_short(day, year)}",))
    return _amount("Yesterday", subject, Period(day, day), measures, _against_usual(subject, day))


def _against_usual(subject: Subject, day: date) -> str:
    """How a day differs from the usual cost of its weekday, as in the morning summary."""
    whole = {each: subject.whole(each) for each in [day, *same_weekdays_before(day)]}
    costs = {each: None if known is None else known.cost_usd for each, known in whole.items()}
    cost, usual = costs[day], usual_cost_usd(costs, day, date.min)
    if cost is None or usual is None:
        return "No comparison: not all cost of earlier weeks is known"
    return f"{numbers.usd_change(cost, usual)} vs a usual {day:%A}"


def _month_to_date(subject: Subject) -> Kpi:
    calendar, label = subject.coverage.calendar, "Month to date"
    month, before = calendar.month_to_date, calendar.same_days_of_last_month
    if month.starting_at(subject.coverage.first_day) is None:
        return _no_data(label, subject, month)
    compared = change(subject, calendar.month_complete_days, before, names_both=True)
    return _amount(label, subject, month, subject.month(month), compared)


def _last_month(subject: Subject) -> Kpi:
    calendar, label = subject.coverage.calendar, "Last full month"
    covered = calendar.last_month.starting_at(subject.coverage.first_day)
    if covered is None:
        return _no_data(label, subject, calendar.last_month)
    if covered == calendar.last_month:
        compared = change(subject, calendar.last_month, calendar.month_before_last)
    else:
        compared = f"Data begin on {day_in_short(covered.first, subject.coverage.today.year)}"
    return _amount(label, subject, covered, subject.month(covered), compared)


def _no_data(label: str, subject: Subject, period: Period) -> Kpi:
    year = subject.coverage.today.year
    return Kpi(label, numbers.UNKNOWN, notes=(f"No data for {period.in_short(year)}",))


def _failure_rate(subject: Subject) -> Kpi:
    recent, before = subject.recent, subject.over(subject.coverage.calendar.before_recent)
    label, period = "Failure rate", _recently(subject)
    if not recent.finished_count:
        return Kpi(label, numbers.UNKNOWN, notes=(f"No finished runs, {period}",))
    counts = f"{numbers.count(recent.failed_count)} of {numbers.count(recent.finished_count)}"
    is_small = recent.finished_count < numbers.SMALL_SAMPLE
    interval = numbers.interval(recent.failed_count, recent.finished_count)
    rate = numbers.failure_rate(before.failed_count, before.finished_count)
    notes = [
        *_before(rate),
        f"Finished runs, {period}" if is_small else f"{counts} finished runs, {period}",
        f"95% Wilson interval {interval}",
    ]
    value = counts if is_small else numbers.percent(recent.failed_count, recent.finished_count)
    return Kpi(label, value, notes=tuple(notes))


def _recently(subject: Subject) -> str:
    return subject.coverage.calendar.recent.in_short(subject.coverage.today.year)


def _before(value: str) -> list[str]:
    return [] if value == numbers.UNKNOWN else [f"{value} the 30 days before"]


def _amount(label: str, subject: Subject, period: Period, measures: Measures, compared: str) -> Kpi:
    coverage = subject.coverage
    runs = numbers.plural(measures.run_count, "run")
    is_running = coverage.today in period and coverage.resting_since is None
    lacks = []
    if measures.platform_cost_usd:
        lacks.append(f"of which platform {numbers.usd(measures.platform_cost_usd)}")
    if subject.misses(period):
        lacks.append("incomplete: not every day was read whole")
    if measures.unknown_cost_count:
        lacks.append(
            f"without {numbers.plural(measures.unknown_cost_count, 'run')} of unknown cost"
        )
    notes = [
        compared,
        f"{period.in_short(coverage.today.year)}, {runs}{' so far' if is_running else ''}",
        *(["; ".join(lacks)] if lacks else []),
    ]
    cost = measures.cost_usd
    value, exact = numbers.usd_headline(cost), numbers.usd(cost)
    return Kpi(label, value, "" if value == exact else exact, tuple(notes))
