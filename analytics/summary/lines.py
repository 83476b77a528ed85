"""The morning summary in sentences: a label and a text a line."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING

from analytics.format import names, numbers
from analytics.format.days import WEEKDAYS, day_on_axis, month_in_words

if TYPE_CHECKING:
    from analytics.summary.facts import Days, Measures, Summary

_ONE_BATCH = timedelta(hours=12)  # between the first and the last workspace of a batch
_WEEK_ON_WEEK = ", week on week"
_UNKNOWN_COST = "cost unknown"
_UNITS = ((3600, "h"), (60, "min"))


def sentences(summary: Summary, *, name_length: int, length: int) -> list[tuple[str, str]]:
    """The batch, a line a subject; names, and lists of names, are cut to so many characters."""
    return [
        ("Yesterday", _yesterday(summary)),
        ("Month", _month(summary)),
        ("Movers", _movers(summary, name_length, length)),
        ("Failures", _failures(summary, name_length, length)),
        ("Detail", _detail(summary)),
        ("Schedule", _schedule(summary, name_length)),
        ("Controls", _controls(summary)),
    ]


def runs_in_words(runs: Measures) -> str:
    """Runs, cost, failure rate, tokens in and out."""
    if not runs.run_count:
        return "no runs"
    tokens = f"{tokens_or_unknown(runs.tokens_in)} + {tokens_or_unknown(runs.tokens_out)} tokens"
    count, cost = numbers.plural(runs.run_count, "run"), usd_or_unknown(runs.cost_usd)
    return f"{count}, {cost}, {_failed(runs)}, {tokens}"


def _failed(runs: Measures) -> str:
    """The share of finished runs that failed; of few the counts."""
    if not runs.finished_count:
        return "none finished"
    if runs.finished_count < numbers.SMALL_SAMPLE:
        return f"{runs.failed_count} of {runs.finished_count} failed"
    return f"{numbers.percent(runs.failed_count, runs.finished_count)} failed"


def failed_cost_in_words(runs: Measures) -> str:
    """The failed cost: an amount, or a range where that of some failed runs is unknown."""
    low, high = runs.failed_cost_usd, runs.failed_cost_high_usd
    if low is None or (high is None and not low):
        return _UNKNOWN_COST
    if high is None:
        return f"{numbers.usd_headline(low)} or more"
    first, last = numbers.usd_headline(low), numbers.usd_headline(high)
    return first if first == last else f"{first} to {last}"


def _yesterday(summary: Summary) -> str:
    day, date = summary.yesterday, summary.yesterday.first_date
    incomplete = "" if summary.is_complete else " (incomplete)"
    text = (
        f"{WEEKDAYS[date.weekday()]} {day_on_axis(date)}{incomplete}: "
        f"{usd_or_unknown(day.cost_usd)} in {numbers.plural(day.run_count, 'run')}"
    )
    if day.unknown_cost_count:
        text += f", {numbers.count(day.unknown_cost_count)} of unknown cost"
    return f"{text}{_against(day.cost_usd, summary.usual_cost_usd, '; ', ' usual')}"


def _month(summary: Summary) -> str:
    now, before = summary.month_complete_days, summary.same_days_of_last_month
    text = f"{_month_name(summary.month)} so far {usd_or_unknown(summary.month.cost_usd)}"
    if now is None or before is None:
        return text
    days = numbers.plural(before.last_date.day, "day")
    return text + _against(
        now.cost_usd, before.cost_usd, f"; first {days} ", f" {_month_name(before)}"
    )


def _against(now: Decimal | None, before: Decimal | None, lead: str, base: str) -> str:
    """A change of cost between its lead and its base; nothing where it is unknown."""
    if now is None or before is None:
        return ""
    change = "the same as" if now == before else f"{numbers.usd_change(now, before)} vs"
    return f"{lead}{change}{base}"


def _movers(summary: Summary, name_length: int, length: int) -> str:
    if not summary.movers:
        return "no agent's cost changed, or two complete weeks are not there yet"
    movers = [
        f"{_name(each.agent_name, name_length)} "
        f"{numbers.usd_signed(each.current_cost_usd - each.previous_cost_usd)}"
        for each in summary.movers
    ]
    while len(movers) > 1 and len(", ".join(movers)) > length - len(_WEEK_ON_WEEK):
        movers.pop()
    return f"{', '.join(movers)}{_WEEK_ON_WEEK}"


def _failures(summary: Summary, name_length: int, length: int) -> str:
    day, month = summary.yesterday, summary.month
    text = _failed(day)
    if day.failed_count:
        cost = failed_cost_in_words(day)
        text += f", {'' if cost == _UNKNOWN_COST else 'costing '}{cost}"
    if month.failed_count:
        text += f"; {failed_cost_in_words(month)} this month"
    if summary.most_failing is None:
        return text
    most = f"; most by {_name(summary.most_failing.agent_name, name_length)}"
    return text + most if len(text + most) <= length else text


def _detail(summary: Summary) -> str:
    month, yesterday = summary.month, summary.yesterday
    if not month.run_count + yesterday.run_count:
        return "no runs this month"
    if not month.unlisted_run_count + yesterday.unlisted_run_count:
        return "run detail for every run this month"
    unlisted = numbers.plural(yesterday.unlisted_run_count, "run")
    text = f"{unlisted} unlisted yesterday"
    if not month.run_count:
        return text
    share = numbers.percent(month.listed_run_count, month.run_count)
    return f"run detail for {share} of runs this month; {text}"


def unfinished_in_words(summary: Summary) -> str:
    """Runs whose figures may still change."""
    return (
        f"{numbers.plural(summary.open_count, 'run')} open, "
        f"{numbers.count(summary.provisional_count)} ended that may still be corrected"
    )


def platform_in_words(summary: Summary) -> str:
    """The cost of the platform's own runs, which is part of every cost of a workspace."""
    costs = [usd_or_unknown(each.platform_cost_usd) for each in (summary.yesterday, summary.month)]
    return f"{costs[0]} yesterday, {costs[1]} this month; included in all costs"


def schedule_in_words(
    agent_name: str, span_seconds: float, required_batches_per_day: int | None
) -> str:
    """How often the batch has to run to list every run of the agent with the most."""
    if required_batches_per_day is None:
        return f"no schedule lists every run: 200 at one instant, {agent_name}"
    if required_batches_per_day == 1:
        return "one batch a day lists every run"
    return f"run at least every {_below(span_seconds)} to list every run of {agent_name}"


def _below(seconds: float) -> str:
    """The most whole hours, minutes or seconds that are less than so many seconds."""
    for size, unit in _UNITS:
        if (number := ceil(seconds / size) - 1) > 0:
            return f"{number}{numbers.NO_BREAK}{unit}"
    return f"{max(ceil(seconds) - 1, 1)}{numbers.NO_BREAK}s"


def _schedule(summary: Summary, name_length: int) -> str:
    schedule = summary.schedule
    if schedule is None:
        return "no agent has started a run in 28 days"
    name = _name(schedule.agent_name, name_length)
    return schedule_in_words(
        name, schedule.shortest_span_seconds, schedule.required_batches_per_day
    )


def _controls(summary: Summary) -> str:
    controls, unread = summary.controls, _unread(summary)
    if controls.failed_checks:
        failed = f"{len(controls.failed_checks)} of {controls.check_count} checks failed"
        return f"{failed}: {', '.join(controls.failed_checks)}{unread}"
    against = f"({controls.api_check_count} against the API)"
    passed = f"all {controls.check_count} checks passed {against}"
    if controls.unreconciled_day_count:
        days = numbers.plural(controls.unreconciled_day_count, "day")
        return f"{usd_or_unknown(controls.unexplained_usd)} of {days} is unexplained{unread}"
    if unread:
        return f"{passed}{unread}"
    return f"{passed}; data to {day_on_axis(summary.as_of.date())} {summary.as_of:%H:%M} UTC"


def _unread(summary: Summary) -> str:
    """The workspaces that the last batch did not read."""
    unread = [
        names.display(each.workspace_name)
        for each in summary.workspaces
        if each.last_batch_at is None or summary.as_of - each.last_batch_at > _ONE_BATCH
    ]
    return f"; not read: {', '.join(unread)}" if unread else ""


def _name(name: str, longest: int) -> str:
    return names.shortened(names.display(name), longest)


def usd_or_unknown(amount: Decimal | None) -> str:
    """An amount in short."""
    return _UNKNOWN_COST if amount is None else numbers.usd_headline(amount)


def tokens_or_unknown(number: int | None) -> str:
    """Tokens in short."""
    return "unknown" if number is None else numbers.tokens(number)


def _month_name(days: Days) -> str:
    return month_in_words(days.first_date).split()[0]
