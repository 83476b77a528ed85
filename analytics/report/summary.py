"""The morning summary in words: lines for a terminal, and the files beside the pages."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal
from textwrap import wrap
from typing import TYPE_CHECKING

import msgspec
from rich.cells import cell_len, set_cell_size

from analytics.format import names, numbers
from analytics.format.days import WEEKDAYS, day_in_words, day_on_axis, month_in_words
from analytics.format.days import instant_in_words as moment
from analytics.report.facts import Measures, Summary
from analytics.terminal import linked
from analytics.transform.findings.lines import SHOWN, folded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analytics.report.facts import Days, Workspace
    from analytics.transform.findings.lines import Line

_WIDTH = 80
_LABEL_WIDTH = 11
_LINES_OF_FINDINGS = 7  # with four of figures, and the place of the pages, twelve in all
_ONE_BATCH = timedelta(hours=12)  # between the first and the last workspace of a batch
_UNKNOWN_COST = "cost unknown"
_HEAD = (
    "Workspace", "Cost", "Runs", "Unlisted runs", "Failed", "Failed cost", "Tokens in",
    "Tokens out",
)  # fmt: skip
# What Markdown reads as more than itself; a dollar sign before a digit stays money.
_MARKUP = re.compile(
    r"[\\`*_{}\[\]>|~#@]|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\$(?![0-9])|(?<=www)\.|:(?=//)"
)
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def terminal_lines(summary: Summary, site: str = "") -> list[str]:
    """Return at most eleven lines of at most 80 columns, with links to the pages at `site`."""
    since = f", all runs since {day_in_words(summary.first_date)}" if summary.first_date else ""
    lines = [
        f"Data to {moment(summary.as_of)}{since}",
        f"{'Yesterday':{_LABEL_WIDTH}}{_yesterday(summary)}",
        f"{'28 days':{_LABEL_WIDTH}}{_recent(summary)}",
        f"{'Month':{_LABEL_WIDTH}}{_month(summary)}",
    ]
    return [_cut(line, _WIDTH) for line in lines] + finding_lines(
        summary.findings, summary.news, site
    )


def needs_head(count: int, news: str) -> str:
    """Return the words above so many lines of findings."""
    if not count:
        return "Nothing needs you."
    return f"Needs you ({news}):" if news else "Needs you:"


def finding_lines(findings: Sequence[Line], news: str, site: str) -> list[str]:
    """Return the first sentences, whole, in at most seven lines of at most 80 columns."""
    first = [each for each in findings if not each.fold]
    lines = [needs_head(len(first), news)]
    for shown, each in enumerate(first):
        wrapped = wrap(
            f"{each.urgency.capitalize()}: {names.visible(each.sentence)}",
            _WIDTH,
            initial_indent="- ",
            subsequent_indent="  ",
            max_lines=_LINES_OF_FINDINGS - 2,
            placeholder="…",
        )
        room = _LINES_OF_FINDINGS - len(lines) - bool(_others(findings, shown + 1))
        if shown == SHOWN or len(wrapped) > room:
            return [*lines, _others(findings, shown)]
        page = site and f"{site}/{each.page}"
        lines += [linked(_cut(line, _WIDTH), page) for line in wrapped]
    return [*lines, *filter(None, [_others(findings, len(first))])]


def _others(findings: Sequence[Line], shown: int) -> str:
    """Return how many lines are not among those shown; empty where there are no others."""
    more = sum(not each.fold for each in findings) - shown
    rest = [f"{more} more"] if more else []
    rest += filter(None, [folded(each.fold for each in findings)])
    return f"and {', '.join(rest)}, on the pages" if rest else ""


def summary_files(summary: Summary) -> dict[str, bytes]:
    """Return `summary.md`, and `summary.json` with every figure digit for digit.

    Money is text there, days and instants are in ISO 8601.
    """
    found = json.dumps(asdict(summary), indent=2, ensure_ascii=False, default=_plain)
    return {"summary.md": markdown(summary).encode(), "summary.json": f"{found}\n".encode()}


def read_file(path: Path) -> Summary:
    """Read a summary from its `summary.json`; OSError if there is none."""
    return msgspec.json.decode(path.read_bytes(), type=Summary)


def markdown(summary: Summary) -> str:
    """Return the first findings, the figures, and every workspace, for mail and chat."""
    summary = _labelled(summary)
    yesterday, month = (_usd(each.platform_cost_usd) for each in (summary.yesterday, summary.month))
    still_open = numbers.plural(summary.open_count, "run")
    ended = numbers.count(summary.provisional_count)
    first = [each for each in summary.findings if not each.fold][:SHOWN]
    rest = _others(summary.findings, len(first))
    lines = [
        f"# Morning summary, {day_in_words(summary.month.last_date)}",
        "",
        f"Data to {moment(summary.as_of)}; days and months in {escaped(summary.timezone)}.",
        "",
        needs_head(len(first), summary.news),
        "",
        *(
            f"- **{each.urgency.capitalize()}**: {escaped(names.visible(each.sentence))}"
            f" [→]({each.page})"
            for each in first
        ),
        *([f"- {rest}"] if rest else []),
        *([""] if first or rest else []),
        f"- **Yesterday**: {escaped(_yesterday(summary))}",
        f"- **28 days**: {escaped(_recent(summary))}",
        f"- **Month**: {escaped(_month(summary))}",
        f"- **Checks**: {escaped(_checks(summary))}",
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


def _cells(runs: Workspace) -> list[str]:
    if not runs.run_count:
        return [runs.workspace_name, "no runs", *[""] * (len(_HEAD) - 2)]
    if runs.finished_count is None:
        failed = numbers.UNKNOWN
    elif runs.finished_count:
        failed = numbers.failure_rate(runs.failed_count, runs.finished_count)
    else:
        failed = "none finished"
    return [
        runs.workspace_name,
        _usd(runs.cost_usd),
        numbers.count(runs.run_count),
        numbers.count(runs.unlisted_run_count),
        failed,
        failed_cost_in_words(runs),
        numbers.tokens(runs.tokens_in),
        numbers.tokens(runs.tokens_out),
    ]


def _yesterday(summary: Summary) -> str:
    day, first = summary.yesterday, summary.yesterday.first_date
    weekday = WEEKDAYS[first.weekday()]
    incomplete = "" if summary.is_complete else " (read only in part)"
    text = f"{weekday} {day_on_axis(first)}{incomplete}: {_cost_in_runs(day)}"
    if day.cost_usd is None or summary.usual_cost_usd is None:
        return text
    return f"{text}, {numbers.beside(day.cost_usd, summary.usual_cost_usd)} usual {weekday}s"


def _recent(summary: Summary) -> str:
    now, before = summary.last_28_days, summary.previous_28_days
    text = _cost_in_runs(now)
    if before and now.cost_usd is not None and before.cost_usd is not None:
        text += f", {numbers.change(now.cost_usd, before.cost_usd)}"
    return f"{text}; failed: {failed_cost_in_words(now)}" if now.failed_count else text


def _month(summary: Summary) -> str:
    month = summary.month
    name = month_in_words(month.first_date).split()[0]
    if not summary.is_month_whole:
        return f"{name}, read in part: {_cost_in_runs(month)}"
    return f"{name} so far {_cost_in_runs(month)}, by the day of the run"


def _cost_in_runs(days: Days) -> str:
    text = f"{_usd(days.cost_usd)} in {numbers.plural(days.run_count, 'run')}"
    if not days.unknown_cost_count:
        return text
    return f"{text}, {numbers.count(days.unknown_cost_count)} of unknown cost"


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


def _usd(amount: Decimal | None) -> str:
    return _UNKNOWN_COST if amount is None else numbers.usd_headline(amount)


def _cut(text: str, width: int) -> str:
    """Text of at most so many columns."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"


def _plain(value: Decimal | date) -> str:
    return numbers.usd_exact(value) if isinstance(value, Decimal) else value.isoformat()
