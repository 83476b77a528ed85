"""A trace as text and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analytics.format.numbers import plural
from analytics.published.trace import Trace
from analytics.published.trace_api import Answer
from analytics.published.trace_query import (
    AgentDay,
    LandingFile,
    Request,
    RunVersion,
    TracedRun,
)
from analytics.published.verify_landing import Findings
from analytics.terminal import escaped

_SHORT_HASH = 16


def as_json(found: Trace, limit: int) -> str:
    """Return the trace as one JSON object; money is a string, digit for digit."""
    day = found.day
    document = {
        "figure": day
        and {
            "workspace_id": day.agent.workspace_id,
            "workspace_name": day.agent.workspace_name,
            "agent_id": day.agent.agent_id,
            "agent_slug": day.agent.slug,
            "agent_name": day.agent.name,
            "line_type": day.agent.line_type,
            "date": day.date,
            **day.figure,
        },
        "runs_sum": day and {**day.runs_sum, "adds_up": day.adds_up},
        "unlisted": day and day.unlisted,
        "reported_by_api": day and day.reported,
        "answers": [_answer(each, found) for each in found.answers],
        "run_count": len(found.runs),
        "runs": [
            _version(run.now, found.findings)
            | {"earlier_versions": [_version(each, found.findings) for each in run.before]}
            for run in found.runs[:limit]
        ],
        "findings": [
            {"file": file.path, "finding": finding}
            for file, findings in found.findings.items()
            for finding in findings
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=_plain)


def _version(version: RunVersion, findings: Findings) -> dict[str, Any]:
    return {
        "workspace_id": version.file.workspace_id,
        "run_id": version.run_id,
        "status": version.status,
        "cost_usd": version.cost_usd,
        "seen_at": version.seen_at,
        "superseded_by_load_id": version.superseded_by_load_id,
        "landing": {"line": version.line} | _file(version.file, findings),
        "request": _request(version.file, version.request),
    }


def _answer(answer: Answer, found: Trace) -> dict[str, Any]:
    return {
        "source": answer.source,
        "landing": {"lines": found.lines.get(answer)} | _file(answer.file, found.findings),
        "request": _request(answer.file, answer.request),
    }


def _file(file: LandingFile, findings: Findings) -> dict[str, Any]:
    return {
        "file": file.path,
        "byte_count": file.byte_count,
        "sha256": file.sha256,
        "is_verified": _is_verified(file, findings),
    }


def _request(file: LandingFile, request: Request) -> dict[str, Any]:
    return {
        "load_id": file.load_id,
        "request": request.number,
        "path": request.path,
        "params": json.loads(request.params or "null"),
        "status": request.status,
        "byte_count": request.byte_count,
        "record_count": request.record_count,
        "fetched_at": request.fetched_at,
    }


def _is_verified(file: LandingFile, findings: Findings) -> bool | None:
    """Return True if a landing file agrees; None if it is not on disk."""
    return not findings[file] if file in findings else None


def _asked(request: Request) -> str:
    """Return a request as a URL with its parameters."""
    params = urlencode(json.loads(request.params or "{}"), safe=":")
    return escaped(f"GET {request.path}" + (f"?{params}" if params else ""))


def _plain(value: Any) -> str:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat()
        case _:
            return str(value)


def print_text(found: Trace, limit: int) -> None:
    """Print the trace as text: the figure, its runs, and the file and request of each."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    runs = found.runs[:limit]
    versions = [version for run in runs for version in (run.now, *run.before)]
    files = dict.fromkeys(version.file for version in versions)
    numbers = {file: number for number, file in enumerate(files, 1)}
    if found.day:
        _print_figure(console, found.day)
    if found.day and found.runs:
        console.print()
    if found.runs:
        _print_runs(console, runs, numbers)
    if len(runs) < len(found.runs):
        console.print(
            f"The {len(runs)} most expensive of {len(found.runs):,} runs; --limit shows more."
        )
    for file, number in numbers.items():
        of_file = [version for version in versions if version.file == file]
        whole = sum(version.file == file for version in found.versions)
        _print_file(console, found, file, number, f"{plural(whole, 'line')} of these runs")
        for request in dict.fromkeys(version.request for version in of_file):
            _print_request(console, request)
    for number, answer in enumerate(found.answers, len(numbers) + 1):
        lines = found.lines.get(answer, [])
        shown = ", ".join(map(str, lines)) or "none"
        _print_file(console, found, answer.file, number, f"its lines of this day: {shown}")
        _print_request(console, answer.request)


def _print_figure(console: Console, day: AgentDay) -> None:
    figure, agent, unlisted = day.figure, day.agent, day.unlisted
    slug = f" ({escaped(agent.slug)})" if agent.slug else ""
    console.print(f"{escaped(agent.name)}{slug} on {day.date}, {escaped(agent.workspace_name)}")
    verdict = "they add up to the figure" if day.adds_up else "THEY DO NOT ADD UP TO THE FIGURE"
    if day.is_platform:
        console.print(f"Figure    {_amount(figure)}")
        console.print(f"Parts     {_amount(day.runs_sum)}\n          {verdict}")
        console.print("The API lists no run of the platform's own; it reports sums by UTC day.")
        return
    console.print(f"Figure    {_sum(figure)}{_ends(figure)}")
    if unlisted is None:
        console.print(f"Its runs  {_sum(day.runs_sum)}: {verdict}")
        return
    if day.runs_sum["run_count"]:
        console.print(f"Listed    {_sum(day.runs_sum)}{_ends(day.runs_sum)}")
    else:
        console.print("Listed    no run")
    console.print(f"Unlisted  {_sum(unlisted)}{_ends(unlisted)}")
    console.print("          No run list showed these runs, so that none can be named.")
    console.print(f"          {verdict.capitalize() if day.adds_up else verdict}.")
    if day.reported is not None:
        console.print(f"API       {_sum(day.reported)}{_ends(day.reported)}")
        console.print(f"          as it counts and meters the whole UTC day {day.date}")


def _ends(measures: dict[str, Any]) -> str:
    ends = [
        f"{measures[f'{name}_count']:,} {name}"
        for name in ("succeeded", "failed", "cancelled", "open")
        if measures[f"{name}_count"]
    ]
    return f": {', '.join(ends)}" if ends else ""


def _sum(measures: dict[str, Any]) -> str:
    runs = plural(measures["run_count"], "run")
    if unknown := measures["unknown_cost_count"]:
        runs += f" ({unknown:,} of unknown cost)"
    return f"{_amount(measures)}\n          in {runs}"


def _amount(measures: dict[str, Any]) -> str:
    tokens = f"{_tokens(measures['tokens_in'])} tokens in, {_tokens(measures['tokens_out'])} out"
    return f"{_usd(measures['cost_usd'])} USD, {tokens}"


def _print_runs(console: Console, runs: list[TracedRun], numbers: dict[LandingFile, int]) -> None:
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Run", no_wrap=True)
    table.add_column("Status", overflow="fold")
    for name in ("Cost (USD)", "File", "Line", "Req."):
        table.add_column(name, justify="right", no_wrap=True)
    for run in runs:
        for version in (run.now, *run.before):
            is_now = version is run.now
            table.add_row(
                Text(escaped(version.run_id) if is_now else f"  was, {_moment(version.seen_at)}"),
                Text(escaped(version.status)),
                Text(_usd(version.cost_usd)),
                str(numbers[version.file]),
                str(version.line),
                str(version.request.number),
                style=None if is_now else "dim",
            )
    console.print(table)


def _print_file(console: Console, found: Trace, file: LandingFile, number: int, lines: str) -> None:
    folder, _, name = file.path.rpartition("/")
    size = plural(file.byte_count or 0, "byte")
    console.print(f"\nFile {number}: {name}, {size}, SHA-256 {(file.sha256 or '')[:_SHORT_HASH]}…")
    console.print(f"  {escaped(folder)}/")
    match found.findings.get(file):
        case None:
            console.print("  not at hand here, so not verified")
        case []:
            console.print(f"  verified: its hash, and {lines}")
        case findings:
            console.print(f"  DOES NOT AGREE: {escaped(findings[0])}")


def _print_request(console: Console, request: Request) -> None:
    console.print(f"  Request {request.number}: {_answered(request)}")
    console.print(f"    {_asked(request)}")


def _answered(request: Request) -> str:
    if request.fetched_at is None:
        return "the ledger knows nothing of it"
    return (
        f"{_moment(request.fetched_at, 'seconds')}, HTTP {request.status},"
        f" {plural(request.byte_count or 0, 'byte')}, {plural(request.record_count or 0, 'record')}"
    )


def _usd(amount: Decimal | None) -> str:
    return "unknown" if amount is None else format(amount, ",f")


def _tokens(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"


def _moment(moment: datetime, precision: str = "minutes") -> str:
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", precision)
    return f"{text} UTC"
