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

from analytics.published.trace import Trace
from analytics.published.trace_query import AgentDay, LandingFile, Request, RunVersion, TracedRun
from analytics.published.verify_landing import Findings
from analytics.terminal import visible

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
            "date": day.date,
            **day.figure,
        },
        "runs_sum": day and {**day.runs_sum, "adds_up": day.adds_up},
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
    request = version.request
    return {
        "workspace_id": version.file.workspace_id,
        "run_id": version.run_id,
        "status": version.status,
        "cost_usd": version.cost_usd,
        "seen_at": version.seen_at,
        "superseded_by_load_id": version.superseded_by_load_id,
        "landing": {
            "file": version.file.path,
            "line": version.line,
            "byte_count": version.file.byte_count,
            "sha256": version.file.sha256,
            "is_verified": _is_verified(version.file, findings),
        },
        "request": {
            "load_id": version.file.load_id,
            "request": request.number,
            "path": request.path,
            "params": json.loads(request.params or "null"),
            "status": request.status,
            "byte_count": request.byte_count,
            "record_count": request.record_count,
            "fetched_at": request.fetched_at,
        },
    }


def _is_verified(file: LandingFile, findings: Findings) -> bool | None:
    """Return True if a landing file agrees; None if it is not on disk."""
    return not findings[file] if file in findings else None


def _asked(request: Request) -> str:
    """Return a request as a URL with its parameters."""
    params = urlencode(json.loads(request.params or "{}"), safe=":")
    return visible(f"GET {request.path}" + (f"?{params}" if params else ""))


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
        console.print()
    _print_runs(console, runs, numbers)
    if len(runs) < len(found.runs):
        console.print(
            f"The {len(runs)} most expensive of {len(found.runs):,} runs; --limit shows more."
        )
    for file, number in numbers.items():
        of_file = [version for version in versions if version.file == file]
        _print_file(console, found, file, number, of_file)


def _print_figure(console: Console, day: AgentDay) -> None:
    figure, runs, agent = day.figure, day.runs_sum, day.agent
    slug = f" ({visible(agent.slug)})" if agent.slug else ""
    console.print(f"{visible(agent.name)}{slug} on {day.date}, {visible(agent.workspace_name)}")
    ends = [
        f"{figure[f'{name}_count']:,} {name}"
        for name in ("succeeded", "failed", "cancelled", "open")
        if figure[f"{name}_count"]
    ]
    console.print(f"Figure    {_sum(figure)}: {', '.join(ends)}")
    verdict = "they add up to the figure" if day.adds_up else "THEY DO NOT ADD UP TO THE FIGURE"
    console.print(f"Its runs  {_sum(runs)}: {verdict}")


def _sum(measures: dict[str, Any]) -> str:
    runs = _count(measures["run_count"], "run")
    if unknown := measures["unknown_cost_count"]:
        runs += f" ({unknown:,} of unknown cost)"
    tokens = f"{_tokens(measures['tokens_in'])} tokens in, {_tokens(measures['tokens_out'])} out"
    return f"{_usd(measures['cost_usd'])} USD, {tokens}\n          in {runs}"


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
                Text(visible(version.run_id) if is_now else f"  was, {_moment(version.seen_at)}"),
                Text(visible(version.status)),
                Text(_usd(version.cost_usd)),
                str(numbers[version.file]),
                str(version.line),
                str(version.request.number),
                style=None if is_now else "dim",
            )
    console.print(table)


def _print_file(
    console: Console, found: Trace, file: LandingFile, number: int, versions: list[RunVersion]
) -> None:
    of_file = sum(version.file == file for version in found.versions)
    folder, _, name = file.path.rpartition("/")
    size = _count(file.byte_count or 0, "byte")
    console.print(f"\nFile {number}: {name}, {size}, SHA-256 {(file.sha256 or '')[:_SHORT_HASH]}…")
    console.print(f"  {visible(folder)}/")
    match found.findings.get(file):
        case None:
            console.print("  not at hand here, so not verified")
        case []:
            console.print(f"  verified: its hash, and {_count(of_file, 'line')} of these runs")
        case findings:
            console.print(f"  DOES NOT AGREE: {visible(findings[0])}")
    for request in dict.fromkeys(version.request for version in versions):
        console.print(f"  Request {request.number}: {_answered(request)}")
        console.print(f"    {_asked(request)}")


def _answered(request: Request) -> str:
    if request.fetched_at is None:
        return "the ledger knows nothing of it"
    return (
        f"{_moment(request.fetched_at, 'seconds')}, HTTP {request.status},"
        f" {_count(request.byte_count or 0, 'byte')}, {_count(request.record_count or 0, 'record')}"
    )


def _usd(amount: Decimal | None) -> str:
    return "unknown" if amount is None else format(amount, ",f")


def _tokens(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _moment(moment: datetime, precision: str = "minutes") -> str:
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", precision)
    return f"{text} UTC"
