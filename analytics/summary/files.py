"""The morning summary for a terminal, and as the files that lie beside the pages."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, fields, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size

from analytics.format import names, numbers
from analytics.format.days import day_in_words
from analytics.format.days import instant_in_words as moment
from analytics.summary.facts import Measures
from analytics.summary.lines import (
    failed_cost_in_words,
    platform_in_words,
    runs_in_words,
    sentences,
    tokens_or_unknown,
    unfinished_in_words,
    usd_or_unknown,
)

if TYPE_CHECKING:
    from datetime import date

    from analytics.summary.facts import Summary, Workspace

_WIDTH = 80
_LABEL_WIDTH = 11
_NAME_LENGTH = 22
_FULL_NAME_LENGTH = 120
_SHOWN_WORKSPACES = 3
_HEAD = (
    "Workspace",
    "Cost",
    "Runs",
    "Unlisted runs",
    "Failed",
    "Failed cost",
    "Tokens in",
    "Tokens out",
)
# What Markdown reads as more than itself; a dollar sign before a digit stays money.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>|~#&@]|\$(?![0-9])|(?<=www)\.|:(?=//)")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def terminal_lines(summary: Summary) -> list[str]:
    """At most ten lines of at most 80 columns."""
    lines = [_workspace_line(each) for each in _few(summary)]
    for label, text in sentences(summary, name_length=_NAME_LENGTH, length=_WIDTH - _LABEL_WIDTH):
        lines.append(_cut(f"{label:{_LABEL_WIDTH}}{text}", _WIDTH))
    return lines


def _workspace_line(runs: Workspace) -> str:
    text = runs_in_words(runs)
    length = max(_WIDTH - len(text) - len(": "), _LABEL_WIDTH)
    return _cut(f"{_cut(names.display(runs.workspace_name), length)}: {text}", _WIDTH)


def summary_files(summary: Summary) -> dict[str, bytes]:
    """Return `summary.md` and `summary.json`, which stand beside the pages."""
    return {
        "summary.md": markdown(summary).encode(),
        "summary.json": json_document(summary).encode(),
    }


def json_document(summary: Summary) -> str:
    """Every figure, digit for digit: money as text, days and instants in ISO 8601."""
    return json.dumps(asdict(summary), indent=2, ensure_ascii=False, default=_plain) + "\n"


def markdown(summary: Summary) -> str:
    """The same sentences with every workspace, for mail and chat."""
    lines = [
        f"# Morning summary, {day_in_words(summary.month.last_date)}",
        "",
        f"Data to {moment(summary.as_of)}; days and months in {escaped(summary.timezone)}.",
        "",
        *(
            f"- **{label}**: {escaped(text)}"
            for label, text in sentences(summary, name_length=_FULL_NAME_LENGTH, length=sys.maxsize)
        ),
        f"- **Platform**: {platform_in_words(summary)}",
        f"- **Provisional**: {unfinished_in_words(summary)}",
        "",
        "All runs; unlisted ones are counted and metered by the API, and shown in no run list:",
        "",
        f"| {' | '.join(_HEAD)} |",
        f"| --- |{' ---: |' * (len(_HEAD) - 1)}",
        *(f"| {' | '.join(map(escaped, _row(each)))} |" for each in summary.workspaces),
    ]
    return "\n".join(lines) + "\n"


def _row(runs: Workspace) -> list[str]:
    name = names.display(runs.workspace_name)
    if not runs.run_count:
        return [name, "no runs", *[""] * (len(_HEAD) - 2)]
    return [
        name,
        usd_or_unknown(runs.cost_usd),
        numbers.count(runs.run_count),
        numbers.count(runs.unlisted_run_count),
        numbers.failure_rate(runs.failed_count, runs.finished_count)
        if runs.finished_count
        else "none finished",
        failed_cost_in_words(runs),
        tokens_or_unknown(runs.tokens_in),
        tokens_or_unknown(runs.tokens_out),
    ]


def escaped(text: str) -> str:
    """Text that stays itself in Markdown: no markup, link, mention or formula."""
    return _MARKUP.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), text)


def _few(summary: Summary) -> list[Workspace]:
    """The workspaces; where there are many, the most expensive, and all others in one."""
    if len(summary.workspaces) <= _SHOWN_WORKSPACES:
        return summary.workspaces
    by_cost = sorted(summary.workspaces, key=lambda each: -(each.cost_usd or Decimal(0)))
    shown, others = by_cost[: _SHOWN_WORKSPACES - 1], by_cost[_SHOWN_WORKSPACES - 1 :]
    return [*shown, _together(others)]


def _together(parts: list[Workspace]) -> Workspace:
    sums = {
        field.name: _known_sum([getattr(each, field.name) for each in parts])
        for field in fields(Measures)
    }
    return replace(parts[0], workspace_name=f"{len(parts)} others", **sums)


def _known_sum(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _cut(text: str, width: int) -> str:
    """Text of at most so many columns."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"


def _plain(value: Decimal | date) -> str:
    return numbers.usd_exact(value) if isinstance(value, Decimal) else value.isoformat()
