"""A trace as text and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from textwrap import wrap
from typing import Any
from urllib.parse import urlencode

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analytics.format import names, numbers
from analytics.query.trace import Trace
from analytics.terminal import add_figures, console, escaped

_SHORT_HASH = 16
_WIDTH, _LABEL_WIDTH = 80, 10


def as_json(found: Trace, limit: int) -> str:
    """Return the trace as one JSON object; money is a string, digit for digit."""
    document = {
        "figure": found.figure,
        "runs_sum": found.runs_sum,
        "unlisted": found.unlisted,
        "answers": found.answers,
        "run_count": len(found.runs),
        "runs": found.runs[:limit],
        "findings": found.findings,
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=_plain)


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
    out = console(soft_wrap=True)
    runs = found.runs[:limit]
    versions = [version for run in runs for version in (run, *run["earlier_versions"])]
    landed = dict.fromkeys(each["landing"]["file"] for each in (*versions, *found.answers))
    files = {file: number for number, file in enumerate(landed, 1)}
    if found.figure:
        _print_figure(out, found, found.figure)
    else:
        for run in runs:
            _print_run(out, run)
    if runs:
        out.print()
        _print_runs(out, runs, files)
    if len(runs) < len(found.runs):
        out.print(
            f"The {len(runs)} most expensive of {len(found.runs):,} runs; --limit shows more."
        )
    for file, number in files.items():
        of_file = [each for each in (*versions, *found.answers) if each["landing"]["file"] == file]
        _print_file(out, of_file[0]["landing"], number)
        for request in {each["request"]["request"]: each["request"] for each in of_file}.values():
            _print_request(out, request)


def _print_figure(out: Console, found: Trace, figure: dict[str, Any]) -> None:
    slug = f" ({figure['agent_slug']})" if figure["agent_slug"] else ""
    of = f"{figure['agent_name']}{slug} on {figure['date']}, {figure['workspace_name']}"
    out.print(escaped(of))
    runs = found.runs_sum
    if runs is None:
        out.print(f"Figure    {_amount(figure)}")
        out.print("The API lists no run of the platform's own; it reports sums by UTC day.")
        return
    out.print(f"Figure    {_sum(figure)}")
    out.print(f"Listed    {_sum(runs) if runs['run_count'] else 'no run'}")
    if found.unlisted:
        out.print(f"Unlisted  {_sum(found.unlisted)}")
        out.print("          No run list showed these runs, so that none can be named.")
    verdict = "They add up to the figure." if runs["adds_up"] else "THEY DO NOT ADD UP."
    out.print(f"          {verdict}")


def _sum(measures: dict[str, Any]) -> str:
    runs = numbers.plural(measures["run_count"], "run")
    if unknown := measures["unknown_cost_count"]:
        runs += f" ({unknown:,} of unknown cost)"
    ends = [
        f"{measures[f'{name}_count']:,} {name}"
        for name in ("succeeded", "failed", "cancelled", "open")
        if measures[f"{name}_count"]
    ]
    shown = f": {', '.join(ends)}" if ends else ""
    return f"{_amount(measures)}\n          in {runs}{shown}"


def _amount(measures: dict[str, Any]) -> str:
    tokens = f"{_tokens(measures['tokens_in'])} tokens in, {_tokens(measures['tokens_out'])} out"
    return f"{_usd(measures['cost_usd'])} USD, {tokens}"


def _print_run(out: Console, run: dict[str, Any]) -> None:
    """Print what the page of its agent says of a run, less its events."""
    agent = names.display(run["agent_name"], run["agent_slug"], run["agent_id"])
    version = "" if run["agent_version"] is None else f" v{run['agent_version']}"
    by = f"run {run['parent_run_id']}" if run["parent_run_id"] else run["trigger_type"]
    started = "" if by == "unknown" else f", started by {by}"
    took, waited = (numbers.duration(run[f"{name}_seconds"]) for name in ("duration", "queue"))
    facts = {
        "Run": run["run_id"],
        "Status": ": ".join(filter(None, [run["status"], _error_class(run)])),
        "Error": run["error_message"] or "",
        "Created": f"{_moment(run['created_at'], 'seconds')}{started}",
        "Took": f"{took}, after {waited} in the queue" if run["duration_seconds"] else "",
        "Used": _amount(run),
    }
    out.print(escaped(f"{agent}{version}, {run['workspace_name']}"))
    for name, text in facts.items():
        shown = escaped(text.replace(numbers.NO_BREAK, " "))
        for number, line in enumerate(wrap(shown, _WIDTH - _LABEL_WIDTH)):
            out.print(f"{'' if number else name:{_LABEL_WIDTH}}{line}")
    if not run["models"]:
        out.print(f"{'Models':{_LABEL_WIDTH}}no model costs were read for this run")
        return
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("Model", "Provider"):
        table.add_column(name, overflow="fold")
    for name in ("Cost (USD)", "Tokens in", "Tokens out", "Requests"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in run["models"]:
        counts = (each[name] for name in ("tokens_in", "tokens_out", "request_count"))
        table.add_row(
            *(Text(escaped(each[name])) for name in ("model", "provider")),
            Text(_usd(each["cost_usd"])),
            *map(_tokens, counts),
        )
    out.print()
    out.print(table)


def _error_class(run: dict[str, Any]) -> str:
    """Return what the error of a run is, in words; empty for one without, or of no known class."""
    error_class = run["error_class"] or ""
    return "" if error_class.startswith("(") else error_class.replace("_", " ")


def _print_runs(out: Console, runs: list[dict[str, Any]], files: dict[str, int]) -> None:
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Run", overflow="fold")
    table.add_column("Status", overflow="fold")
    shown = [(each, each is run) for run in runs for each in (run, *run["earlier_versions"])]
    rows = [
        (
            Text(escaped(each["run_id"]) if is_now else f"  was, {_moment(each['seen_at'])}"),
            Text(escaped(each["status"])),
            _usd(each["cost_usd"]),
            str(files[each["landing"]["file"]]),
            str(each["landing"]["line"]),
            str(each["request"]["request"]),
        )
        for each, is_now in shown
    ]
    add_figures(table, ("Cost (USD)", "File", "Line", "Req."), rows)
    for row, (_, is_now) in zip(rows, shown, strict=True):
        table.add_row(*row, style=None if is_now else "dim")
    out.print(table)


def _print_file(out: Console, landing: dict[str, Any], number: int) -> None:
    folder, _, name = landing["file"].rpartition("/")
    size, sha256 = numbers.plural(landing["byte_count"] or 0, "byte"), landing["sha256"] or ""
    out.print(f"\nFile {number}: {name}, {size}, SHA-256 {sha256[:_SHORT_HASH]}…")
    out.print(f"  {escaped(folder)}/")
    verdicts = {None: "not at hand here, so not verified", True: "verified: it has that hash"}
    out.print(f"  {verdicts.get(landing['is_verified'], 'DOES NOT AGREE')}")


def _print_request(out: Console, request: dict[str, Any]) -> None:
    if request["fetched_at"] is None:
        out.print(f"  Request {request['request']}: the ledger knows nothing of it")
        return
    size = numbers.plural(request["byte_count"] or 0, "byte")
    found = numbers.plural(request["record_count"] or 0, "record")
    params = urlencode(request["params"] or {}, safe=":")
    out.print(
        f"  Request {request['request']}: {_moment(request['fetched_at'], 'seconds')},"
        f" HTTP {request['status']}, {size}, {found}"
    )
    out.print("    " + escaped(f"GET {request['path']}" + (f"?{params}" if params else "")))


def _usd(amount: Decimal | None) -> str:
    return "unknown" if amount is None else format(amount, ",f")


def _tokens(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"


def _moment(moment: datetime, precision: str = "minutes") -> str:
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", precision)
    return f"{text} UTC"
