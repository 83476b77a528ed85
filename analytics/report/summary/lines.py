"""The morning summary in sentences: a label and a text a line."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.report.figures.periods import day_on_axis, month_in_words
from analytics.report.writing import names, numbers
from analytics.report.writing.state import moment

if TYPE_CHECKING:
    from analytics.report.summary.facts import Days, Runs, Summary

_ONE_BATCH = timedelta(hours=12)  # between the first and the last workspace of a batch
_WEEK_ON_WEEK = ", week on week"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def sentences(summary: Summary, *, name_length: int, length: int) -> list[tuple[str, str]]:
    """What happened, a line each; names, and lists of names, are cut to so many characters."""
    return [
        ("Yesterday", _yesterday(summary)),
        ("Month", _month(summary)),
        ("Movers", _movers(summary, name_length, length)),
        ("Failures", _failures(summary, name_length)),
        ("Hidden", _hidden(summary)),
        ("Pace", _pace(summary, name_length)),
        ("Controls", _controls(summary)),
    ]


def runs_in_words(runs: Runs) -> str:
    """All that is known of a workspace's runs: how many, cost, failed, tokens in and out."""
    if not runs.run_count + runs.missing_run_count:
        return "no runs"
    listed = (
        f"{_failed(runs)}, {tokens_or_unknown(runs.tokens_in)} + "
        f"{tokens_or_unknown(runs.tokens_out)} tokens"
    )
    count = numbers.plural(runs.run_count + runs.missing_run_count, "run")
    cost = usd_or_unknown(runs.all_runs_cost_usd)
    return f"{count}, {cost}{'; listed: ' if runs.missing_run_count else ', '}{listed}"


def _failed(runs: Runs | Days) -> str:
    """The share of finished runs that failed; of few the counts."""
    if not runs.finished_count:
        return "none finished"
    if runs.finished_count < numbers.SMALL_SAMPLE:
        return f"{runs.failed_count} of {runs.finished_count} failed"
    return f"{numbers.percent(runs.failed_count, runs.finished_count)} failed"


def _yesterday(summary: Summary) -> str:
    day = summary.yesterday
    weekday = _WEEKDAYS[day.first_date.weekday()]
    runs = numbers.plural(day.run_count + day.missing_run_count, "run")
    cost = usd_or_unknown(day.all_runs_cost_usd)
    whole = "" if summary.is_whole else ", not yet whole"
    text = f"{weekday} {day_on_axis(day.first_date)}{whole}: {cost} in {runs}"
    if day.unknown_cost_count:
        text += f", {numbers.count(day.unknown_cost_count)} of unknown cost"
    if summary.usual_usd is None:
        return text
    change = numbers.usd_change(day.all_runs_cost_usd, summary.usual_usd)
    return f"{text}; {change} on the usual"


def _month(summary: Summary) -> str:
    now, before = summary.month_complete_days, summary.same_days_of_last_month
    text = f"{_month_name(summary.month)} so far {usd_or_unknown(summary.month.all_runs_cost_usd)}"
    if now is None or before is None:
        return text
    change = numbers.usd_change(now.all_runs_cost_usd, before.all_runs_cost_usd)
    days = numbers.plural(before.last_date.day, "day")
    return f"{text}; first {days} {change} on {_month_name(before)}'s"


def _movers(summary: Summary, name_length: int, length: int) -> str:
    if not summary.movers:
        return "no agent's week can be told from the week before"
    movers = [
        f"{_name(each.agent_name, name_length)} "
        f"{numbers.usd_signed(each.current_cost_usd - each.previous_cost_usd)}"
        for each in summary.movers
    ]
    while len(movers) > 1 and len(", ".join(movers)) > length - len(_WEEK_ON_WEEK):
        movers.pop()
    return f"{', '.join(movers)}{_WEEK_ON_WEEK}"


def _failures(summary: Summary, name_length: int) -> str:
    day, month = summary.yesterday, summary.month
    text = (
        f"{_failed(day)}, {usd_or_unknown(day.failed_cost_usd)} burned, "
        f"{usd_or_unknown(month.failed_cost_usd)} this month"
    )
    if each := summary.most_failing:
        return f"{text}; most by {_name(each.agent_name, name_length)}"
    return text


def _hidden(summary: Summary) -> str:
    if not summary.month.missing_run_count:
        return "no run of this month"
    yesterday = f"{_hidden_of(summary.yesterday)} yesterday"
    if not summary.is_whole:
        yesterday += ", not all counted"
    return f"{yesterday}; {_hidden_of(summary.month)} this month"


def platform_in_words(summary: Summary) -> str:
    """What the platform's own runs cost, beside the agents' runs."""
    costs = [usd_or_unknown(each.platform_cost_usd) for each in (summary.yesterday, summary.month)]
    return f"{costs[0]} yesterday, {costs[1]} this month, beside all runs"


def _hidden_of(days: Days) -> str:
    if not days.missing_run_count:
        return "none"
    text = f"{numbers.plural(days.missing_run_count, 'run')}, {usd_or_unknown(days.gap_cost_usd)}"
    return f"{text} and more" if days.unknown_gap_count and days.gap_cost_usd is not None else text


def schedule_in_words(
    agent_name: str, span_seconds: float, required_batches_per_day: int | None
) -> str:
    """How often the batch would have to run to see every run of the agent with the most."""
    if required_batches_per_day is None:
        return f"no batch is fast enough: 200 runs at one instant, {agent_name}"
    if required_batches_per_day == 1:
        return "one batch a day misses none"
    batches, span = numbers.count(required_batches_per_day), numbers.duration(span_seconds)
    return f"{batches} batches a day miss none: 200 runs in {span}, {agent_name}"


def _pace(summary: Summary, name_length: int) -> str:
    pace = summary.fastest_list
    if pace is None:
        return "no agent has started a run lately"
    name = _name(pace.agent_name, name_length)
    return schedule_in_words(name, pace.shortest_span_seconds, pace.required_batches_per_day)


def _controls(summary: Summary) -> str:
    controls, unread = summary.controls, _unread(summary)
    if controls.broken_checks:
        broken = f"{len(controls.broken_checks)} of {controls.check_count} checks do not hold"
        return f"{broken}: {', '.join(controls.broken_checks)}{unread}"
    if controls.unreconciled_day_count:
        days = numbers.plural(controls.unreconciled_day_count, "day")
        return f"{usd_or_unknown(controls.unexplained_usd)} of {days} is not explained{unread}"
    return (
        f"all {controls.check_count} hold{unread}; data to {moment(summary.as_of)}; "
        f"{numbers.plural(summary.open_count, 'run')} open, "
        f"{numbers.count(summary.provisional_count)} provisional"
    )


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
    return "cost unknown" if amount is None else numbers.usd_headline(amount)


def tokens_or_unknown(number: int | None) -> str:
    """Tokens in short."""
    return "unknown" if number is None else numbers.tokens(number)


def _month_name(days: Days) -> str:
    return month_in_words(days.first_date).split()[0]
