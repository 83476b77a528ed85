"""The morning summary in words: eleven lines for a terminal, and the files beside the pages."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size

from analytics.format import names, numbers
from analytics.format.days import WEEKDAYS, day_in_words, day_on_axis, month_in_words
from analytics.format.days import instant_in_words as moment
from analytics.summary.facts import Measures

if TYPE_CHECKING:
    from analytics.summary.facts import Days, Summary, Workspace

_WIDTH = 80
_LABEL_WIDTH = 11
_NAME_LENGTH = 22
_FULL_NAME_LENGTH = 120
_SHOWN_WORKSPACES = 3
_ONE_BATCH = timedelta(hours=12)  # between the first and the last workspace of a batch
_WEEK_ON_WEEK = ", last 7 days vs the 7 before"
_UNKNOWN_COST = "cost unknown"
_HEAD = (
    "Workspace", "Cost", "Runs", "Unlisted runs", "Failed", "Failed cost", "Tokens in",
    "Tokens out",
)  # fmt: skip
# What Markdown reads as more than itself; a dollar sign before a digit stays money.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>|~#&@]|\$(?![0-9])|(?<=www)\.|:(?=//)")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def terminal_lines(summary: Summary) -> list[str]:
    """Return at most eleven lines of at most 80 columns."""
    since = f" since {day_in_words(summary.first_date)}" if summary.first_date else ""
    lines = [f"All runs{since}, data to {moment(summary.as_of)}"]
    summary = _labelled(summary)
    for each in _few(summary.workspaces):
        text = _runs(each)
        length = max(_WIDTH - len(text) - len(": "), _LABEL_WIDTH)
        lines.append(f"{_cut(each.workspace_name, length)}: {text}")
    for label, text in _sentences(summary, _NAME_LENGTH, _WIDTH - _LABEL_WIDTH):
        lines.append(f"{label:{_LABEL_WIDTH}}{text}")
    return [_cut(line, _WIDTH) for line in lines]


def summary_files(summary: Summary) -> dict[str, bytes]:
    """Return `summary.md`, and `summary.json` with every figure digit for digit.

    Money is text there, days and instants are in ISO 8601.
    """
    found = json.dumps(asdict(summary), indent=2, ensure_ascii=False, default=_plain)
    return {"summary.md": markdown(summary).encode(), "summary.json": f"{found}\n".encode()}


def markdown(summary: Summary) -> str:
    """Return the same sentences with every workspace, for mail and chat."""
    summary = _labelled(summary)
    yesterday, month = (_usd(each.platform_cost_usd) for each in (summary.yesterday, summary.month))
    still_open = numbers.plural(summary.open_count, "run")
    ended = numbers.count(summary.provisional_count)
    lines = [
        f"# Morning summary, {day_in_words(summary.month.last_date)}",
        "",
        f"Data to {moment(summary.as_of)}; days and months in {escaped(summary.timezone)}.",
        "",
        *(
            f"- **{label}**: {escaped(text)}"
            for label, text in _sentences(summary, _FULL_NAME_LENGTH, sys.maxsize)
        ),
        f"- **Platform**: {yesterday} yesterday, {month} this month; included in all costs",
        f"- **Provisional**: {still_open} open, {ended} ended that may still be corrected",
        "",
        "All runs; unlisted ones are counted and metered by the API, and shown in no run list:",
        "",
        f"| {' | '.join(_HEAD)} |",
        f"| --- |{' ---: |' * (len(_HEAD) - 1)}",
        *(f"| {' | '.join(map(escaped, _cells(each)))} |" for each in summary.workspaces),
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return text that stays itself in Markdown: no markup, link, mention or formula."""
    return _MARKUP.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), text)


def failed_cost_in_words(runs: Measures) -> str:
    """Write the failed cost: an amount, or a range where that of some failed runs is unknown."""
    low, high = runs.failed_cost_usd, runs.failed_cost_high_usd
    if low is None or (high is None and not low):
        return _UNKNOWN_COST
    if high is None:
        return f"{_usd(low)} or more"
    return _usd(low) if _usd(low) == _usd(high) else f"{_usd(low)} to {_usd(high)}"


def _sentences(summary: Summary, name_length: int, length: int) -> list[tuple[str, str]]:
    """The batch, a line a subject; names, and lists of names, are cut to so many characters."""
    return [
        ("Yesterday", _yesterday(summary)),
        ("Month", _month(summary)),
        ("Compared", _compared(summary)),
        ("Changes", _changes(summary, name_length, length)),
        ("Failures", _failures(summary, name_length, length)),
        ("Unlisted", _unlisted(summary.month, summary.yesterday)),
        ("Checks", _checks(summary)),
    ]


def _runs(runs: Measures) -> str:
    """Runs, cost, failure rate, tokens in and out."""
    if not runs.run_count:
        return "no runs"
    count = numbers.plural(runs.run_count, "run")
    tokens_in, tokens_out = _tokens((runs.tokens_in, runs.tokens_out))
    tokens = f"{tokens_in} tokens in, {tokens_out} out"
    return f"{count}, {_usd(runs.cost_usd)}, {_failed(runs)}, {tokens}"


def _cells(runs: Workspace) -> list[str]:
    if not runs.run_count:
        return [runs.workspace_name, "no runs", *[""] * (len(_HEAD) - 2)]
    return [
        runs.workspace_name,
        _usd(runs.cost_usd),
        numbers.count(runs.run_count),
        numbers.count(runs.unlisted_run_count),
        _rate(runs),
        failed_cost_in_words(runs),
        *_tokens((runs.tokens_in, runs.tokens_out)),
    ]


def _rate(runs: Measures) -> str:
    if runs.finished_count is None:
        return numbers.UNKNOWN
    if not runs.finished_count:
        return "none finished"
    return numbers.failure_rate(runs.failed_count, runs.finished_count)


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
    change = _against(day.cost_usd, summary.usual_cost_usd, "usual")
    return f"{text}; {change}" if change else text


def _month(summary: Summary) -> str:
    month = summary.month
    text = f"{_month_name(month)} so far {_usd(month.cost_usd)}"
    if not month.failed_count:
        return text
    return f"{text}; its failed runs: {failed_cost_in_words(month)}"


def _compared(summary: Summary) -> str:
    now, before = summary.month_complete_days, summary.same_days_of_last_month
    if now is None or before is None:
        return "the days to compare were not all read"
    change = _against(now.cost_usd, before.cost_usd, _month_name(before))
    days = f"first {numbers.plural(before.last_date.day, 'day')} of {_month_name(now)}"
    return f"{days} {change or _UNKNOWN_COST}"


def _against(now: Decimal | None, before: Decimal | None, base: str) -> str:
    """A change of cost against its base; nothing where it is unknown."""
    if now is None or before is None:
        return ""
    change = "the same as" if now == before else f"{numbers.usd_change(now, before)} vs"
    return f"{change} {base}"


def _changes(summary: Summary, name_length: int, length: int) -> str:
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
    day = summary.yesterday
    text = f"{_failed(day)} yesterday"
    if day.failed_count:
        cost = failed_cost_in_words(day)
        if day.finished_count is None:
            text += f", failed ones {cost}"
        else:
            text += f", {'' if cost == _UNKNOWN_COST else 'costing '}{cost}"
    if summary.most_failing is None:
        return text
    most = f"; most by {_name(summary.most_failing.agent_name, name_length)}"
    return text + most if len(text + most) <= length else text


def _unlisted(month: Days, yesterday: Days) -> str:
    if not month.run_count + yesterday.run_count:
        return "no runs this month"
    if not (month.is_counted and yesterday.is_counted):
        return "unknown, as the API refuses its counts"
    unlisted = yesterday.unlisted_run_count or 0
    if not (month.unlisted_run_count or unlisted):
        return "none: the API has listed every run this month"
    text = f"{numbers.plural(unlisted, 'run')} yesterday"
    if month.run_count:
        text += f", {numbers.percent(month.unlisted_run_count or 0, month.run_count)} this month"
    is_range = any(each.failed_cost_usd != each.failed_cost_high_usd for each in (month, yesterday))
    return f"{text}: {'hence failed cost as a range' if is_range else 'counted, without detail'}"


def _checks(summary: Summary) -> str:
    controls, unread = summary.controls, _unread(summary)
    if controls.failed_checks:
        failed = f"{len(controls.failed_checks)} of {controls.check_count} failed"
        return f"{failed}: {', '.join(controls.failed_checks)}{unread}"
    if controls.unreconciled_day_count:
        days = numbers.plural(controls.unreconciled_day_count, "day")
        return f"{_usd(controls.unexplained_usd)} of {days} is unexplained{unread}"
    return f"all {controls.check_count} passed{unread}"


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


def _plain(value: Decimal | date) -> str:
    return numbers.usd_exact(value) if isinstance(value, Decimal) else value.isoformat()
