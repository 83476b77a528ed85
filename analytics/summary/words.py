"""The morning summary in words: ten lines for a terminal."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size

from analytics.format import names, numbers
from analytics.format.days import WEEKDAYS, day_on_axis, month_in_words
from analytics.summary.facts import Measures

if TYPE_CHECKING:
    from analytics.summary.facts import Days, Summary, Workspace

_WIDTH = 80
_LABEL_WIDTH = 11
_LENGTH = _WIDTH - _LABEL_WIDTH
_NAME_LENGTH = 22
_SHOWN_WORKSPACES = 3
_ONE_BATCH = timedelta(hours=12)  # between the first and the last workspace of a batch
_WEEK_ON_WEEK = ", week on week"
_UNKNOWN_COST = "cost unknown"


def terminal_lines(summary: Summary) -> list[str]:
    """Return at most ten lines of at most 80 columns."""
    lines, summary = [], _labelled(summary)
    for each in _few(summary.workspaces):
        text = _runs(each)
        length = max(_WIDTH - len(text) - len(": "), _LABEL_WIDTH)
        lines.append(f"{_cut(each.workspace_name, length)}: {text}")
    for label, text in _sentences(summary):
        lines.append(f"{label:{_LABEL_WIDTH}}{text}")
    return [_cut(line, _WIDTH) for line in lines]


def failed_cost_in_words(runs: Measures) -> str:
    """Write the failed cost: an amount, or a range where that of some failed runs is unknown."""
    low, high = runs.failed_cost_usd, runs.failed_cost_high_usd
    if low is None or (high is None and not low):
        return _UNKNOWN_COST
    if high is None:
        return f"{_usd(low)} or more"
    return _usd(low) if _usd(low) == _usd(high) else f"{_usd(low)} to {_usd(high)}"


def schedule_in_words(
    agent_name: str, interval_seconds: int | None, required_batches_per_day: int | None
) -> str:
    """Write how often to collect lists to have every run of the agent with the most listed."""
    if interval_seconds is None:
        return f"no schedule lists every run: 200 within 2{numbers.NO_BREAK}s, {agent_name}"
    if required_batches_per_day == 1:
        return "one batch a day lists every run"
    interval = next(
        f"{interval_seconds // size}{numbers.NO_BREAK}{unit}"
        for size, unit in ((3600, "h"), (60, "min"), (1, "s"))
        if interval_seconds >= size
    )
    return f"analytics collect every {interval} lists every run of {agent_name}"


def _sentences(summary: Summary) -> list[tuple[str, str]]:
    """The batch, a line a subject; names, and lists of names, are cut."""
    return [
        ("Yesterday", _yesterday(summary)),
        ("Month", _month(summary)),
        ("Movers", _movers(summary)),
        ("Failures", _failures(summary)),
        ("Detail", _detail(summary.month, summary.yesterday)),
        ("Schedule", _schedule(summary)),
        ("Controls", _controls(summary)),
    ]


def _runs(runs: Measures) -> str:
    """Runs, cost, failure rate, tokens in and out."""
    if not runs.run_count:
        return "no runs"
    count, tokens = numbers.plural(runs.run_count, "run"), (runs.tokens_in, runs.tokens_out)
    return f"{count}, {_usd(runs.cost_usd)}, {_failed(runs)}, {' + '.join(_tokens(tokens))} tokens"


def _failed(runs: Measures) -> str:
    """The share of finished runs that failed; of few the counts."""
    if runs.finished_count is None:
        return f"{numbers.plural(runs.unknown_outcome_count, 'run')} of unknown outcome"
    if not runs.finished_count:
        return "none finished"
    if runs.finished_count < numbers.SMALL_SAMPLE:
        return f"{runs.failed_count} of {runs.finished_count} failed"
    return f"{numbers.percent(runs.failed_count, runs.finished_count)} failed"


def _yesterday(summary: Summary) -> str:
    day, first = summary.yesterday, summary.yesterday.first_date
    incomplete = "" if summary.is_complete else " (incomplete)"
    text = f"{WEEKDAYS[first.weekday()]} {day_on_axis(first)}{incomplete}: {_usd(day.cost_usd)} in "
    text += numbers.plural(day.run_count, "run")
    if day.unknown_cost_count:
        text += f", {numbers.count(day.unknown_cost_count)} of unknown cost"
    return text + _against(day.cost_usd, summary.usual_cost_usd, "; ", " usual")


def _month(summary: Summary) -> str:
    now, before = summary.month_complete_days, summary.same_days_of_last_month
    text = f"{_month_name(summary.month)} so far {_usd(summary.month.cost_usd)}"
    if now is None or before is None:
        return text
    lead = f"; first {numbers.plural(before.last_date.day, 'day')} "
    return text + _against(now.cost_usd, before.cost_usd, lead, f" {_month_name(before)}")


def _against(now: Decimal | None, before: Decimal | None, lead: str, base: str) -> str:
    """A change of cost between its lead and its base; nothing where it is unknown."""
    if now is None or before is None:
        return ""
    change = "the same as" if now == before else f"{numbers.usd_change(now, before)} vs"
    return f"{lead}{change}{base}"


def _movers(summary: Summary) -> str:
    if not summary.movers:
        return "no agent's cost changed, or two complete weeks are not there yet"
    movers = [
        f"{_name(each.agent_name, _NAME_LENGTH)} "
        f"{numbers.usd_signed(each.current_cost_usd - each.previous_cost_usd)}"
        for each in summary.movers
    ]
    while len(movers) > 1 and len(", ".join(movers)) > _LENGTH - len(_WEEK_ON_WEEK):
        movers.pop()
    return f"{', '.join(movers)}{_WEEK_ON_WEEK}"


def _failures(summary: Summary) -> str:
    day, month = summary.yesterday, summary.month
    text = _failed(day)
    if day.failed_count:
        cost = failed_cost_in_words(day)
        if day.finished_count is None:
            text += f", failed ones {cost}"
        else:
            text += f", {'' if cost == _UNKNOWN_COST else 'costing '}{cost}"
    if month.failed_count:
        text += f"; {failed_cost_in_words(month)} this month"
    if summary.most_failing is None:
        return text
    most = f"; most by {_name(summary.most_failing.agent_name, _NAME_LENGTH)}"
    return text + most if len(text + most) <= _LENGTH else text


def _detail(month: Days, yesterday: Days) -> str:
    if not month.run_count + yesterday.run_count:
        return "no runs this month"
    if not (month.is_counted and yesterday.is_counted):
        return "unlisted runs are unknown: the API refuses its counts"
    unlisted = yesterday.unlisted_run_count or 0
    if not (month.unlisted_run_count or unlisted):
        return "run detail for every run this month"
    text = f"{numbers.plural(unlisted, 'run')} unlisted yesterday"
    if not month.run_count:
        return text
    share = numbers.percent(month.listed_run_count, month.run_count)
    return f"run detail for {share} of runs this month; {text}"


def _schedule(summary: Summary) -> str:
    if (it := summary.schedule) is None:
        return "no agent has started a run in 28 days"
    name = _name(it.agent_name, _NAME_LENGTH)
    return schedule_in_words(name, it.collection_interval_seconds, it.required_batches_per_day)


def _controls(summary: Summary) -> str:
    controls, unread = summary.controls, _unread(summary)
    if controls.failed_checks:
        failed = f"{len(controls.failed_checks)} of {controls.check_count} checks failed"
        return f"{failed}: {', '.join(controls.failed_checks)}{unread}"
    if controls.unreconciled_day_count:
        days = numbers.plural(controls.unreconciled_day_count, "day")
        return f"{_usd(controls.unexplained_usd)} of {days} is unexplained{unread}"
    to = f"; data to {day_on_axis(summary.as_of.date())} {summary.as_of:%H:%M} UTC"
    against = f"({controls.api_check_count} against the API)"
    return f"all {controls.check_count} checks passed {against}{unread or to}"


def _unread(summary: Summary) -> str:
    """The workspaces that the last batch did not read."""
    unread = [
        each.workspace_name
        for each in summary.workspaces
        if each.last_batch_at is None or summary.as_of - each.last_batch_at > _ONE_BATCH
    ]
    return f"; not read: {', '.join(unread)}" if unread else ""


def _labelled(summary: Summary) -> Summary:
    """Return the summary with the names of workspaces that people read, each unlike the others."""
    labels = names.told_apart(
        {each.workspace_id: names.display(each.workspace_name) for each in summary.workspaces}
    )
    workspaces = [
        replace(each, workspace_name=labels[each.workspace_id]) for each in summary.workspaces
    ]
    return replace(summary, workspaces=workspaces)


def _few(workspaces: list[Workspace]) -> list[Workspace]:
    """The workspaces; where there are many, the most expensive, and all others in one."""
    if len(workspaces) <= _SHOWN_WORKSPACES:
        return workspaces
    by_cost = sorted(workspaces, key=lambda each: -(each.cost_usd or Decimal(0)))
    shown, others = by_cost[: _SHOWN_WORKSPACES - 1], by_cost[_SHOWN_WORKSPACES - 1 :]
    sums = {
        name: _known_sum([getattr(each, name) for each in others])
        for name in (field.name for field in fields(Measures))
    }
    return [*shown, replace(others[0], workspace_name=f"{len(others)} others", **sums)]


def _known_sum(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _name(name: str, longest: int) -> str:
    return names.shortened(names.display(name), longest)


def _month_name(days: Days) -> str:
    return month_in_words(days.first_date).split()[0]


def _usd(amount: Decimal | None) -> str:
    return _UNKNOWN_COST if amount is None else numbers.usd_headline(amount)


def _tokens(counts: tuple[int | None, ...]) -> list[str]:
    return ["unknown" if each is None else numbers.tokens(each) for each in counts]


def _cut(text: str, width: int) -> str:
    """Text of at most so many columns."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"
