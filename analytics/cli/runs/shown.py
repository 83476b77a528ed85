"""Runs, their costs, artifacts and conversations as text or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analytics.cli import printed
from analytics.cli.runs import files
from analytics.cli.runs.asked import agents_by_id, find_agent_id, records, short_ids
from analytics.errors import AnalyticsError, UsageError
from analytics.format import numbers
from analytics.levain import (
    Agent,
    Artifact,
    Levain,
    LogEvent,
    RefusedError,
    Run,
    RunCost,
    SessionEvent,
)
from analytics.levain.runs import LONGEST_LIST
from analytics.terminal import add_figures, console, escaped, escaped_lines

STYLES = {"succeeded": "green", "failed": "red", "cancelled": "yellow", "running": "cyan"}
_LEVEL_STYLES = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}

_LEFT_OUT_FIRST = ("Tokens in/out", "Created UTC", "Took")
_LEAST_AGENT = 8  # characters of its name
_GAP = 2  # between columns


def print_runs(runs: list[Run], agents: dict[str, Agent]) -> None:
    """Print a line for each run; on a narrow terminal fewer columns, but whole ids and statuses."""
    out = console()
    columns = _columns(runs, agents)
    least = {
        name: max(len(name), *(cell.cell_len for cell in cells)) for name, cells in columns.items()
    }
    least["Agent"] = min(least["Agent"], _LEAST_AGENT)
    for name in _LEFT_OUT_FIRST:
        if sum(least.values()) + _GAP * (len(least) - 1) > out.width:
            del least[name]
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in least:
        table.add_column(
            name,
            justify="right" if name in ("Took", "Cost", "Tokens in/out") else "left",
            no_wrap=name != "Agent",  # the first one to be cut
            min_width=None if name == "Agent" else least[name],
        )
    for cells in zip(*(columns[name] for name in least), strict=True):
        table.add_row(*cells)
    out.print(table)


def _columns(runs: list[Run], agents: dict[str, Agent]) -> dict[str, list[Text]]:
    """Return the cells of each column of runs."""
    shorts = short_ids(runs)
    return {
        "Run": [Text(escaped(shorts[run.id])) for run in runs],
        "Status": [status_text(run) for run in runs],
        "Agent": [
            Text(escaped(agent_name(run, agents)), no_wrap=True, overflow="ellipsis")
            for run in runs
        ],
        "Created UTC": [Text(f"{run.created_at.astimezone(UTC):%m-%d %H:%M}") for run in runs],
        "Took": [
            Text(numbers.duration(seconds_worked(run)) if run.finished_at else "") for run in runs
        ],
        "Cost": [Text(numbers.usd_fine(run.cost_usd)) for run in runs],
        "Tokens in/out": [
            Text(f"{numbers.tokens(run.tokens_in)} / {numbers.tokens(run.tokens_out)}")
            for run in runs
        ],
    }


def print_run(run: Run, agents: dict[str, Agent], costs: Sequence[RunCost]) -> None:
    """Print the fields of a run, and its usage of each model."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _facts(run, agents):
        if value:
            table.add_row(name, Text.assemble(value) if isinstance(value, Text) else Text(value))
    out = console()
    out.print(table)
    if costs:
        out.print()
        out.print(_costs_table(costs))


def _facts(run: Run, agents: dict[str, Agent]) -> Iterable[tuple[str, str | Text]]:
    version = f", version {run.agent_version}" if run.agent_version is not None else ""
    yield "Run", escaped(run.id)
    yield "Status", status_text(run)
    yield "Error", escaped_lines(run.error or "")
    yield "Agent", escaped(agent_name(run, agents)) + version
    yield "Session", escaped(run.session_id or "")
    yield "Called by run", escaped(run.parent_run_id or "")
    yield "Created", _instant(run.created_at)
    yield "Started", _instant(run.started_at)
    yield "Finished", _instant(run.finished_at)
    yield "Took", numbers.duration(seconds_worked(run)) if run.finished_at else ""
    yield "Cost", numbers.usd_fine(run.cost_usd)
    yield "Tokens", tokens_text(run)
    more = " or more" if run.artifact_count_truncated else ""
    yield "Artifacts", f"{numbers.count(run.artifact_count)}{more}" if run.artifact_count else ""
    yield "Prompt", escaped_lines(run.user_prompt or "")


def _costs_table(costs: Sequence[RunCost]) -> Table:
    table = _table(left=("Model", "Provider"))
    rows = [
        (
            Text(escaped(cost.model or "")),
            Text(escaped(cost.provider or "")),
            "" if cost.request_count is None else numbers.count(cost.request_count),
            numbers.usd_fine(cost.cost_usd),
            numbers.tokens(cost.tokens_in),
            numbers.tokens(cost.tokens_out),
        )
        for cost in costs
    ]
    add_figures(table, ("Requests", "Cost", "Tokens in", "Out"), rows)
    for row in rows:
        table.add_row(*row)
    return table


def print_artifacts(artifacts: Sequence[Artifact]) -> None:
    """Print a line for each file."""
    table = _table(left=("File", "Type", "Created (UTC)"))
    table.add_column("Bytes", justify="right", no_wrap=True)
    for artifact in artifacts:
        table.add_row(
            Text(escaped(artifact.filename or artifact.key)),
            Text(escaped(artifact.content_type or "")),
            _instant(artifact.created_at).removesuffix(" UTC"),
            "" if artifact.size_bytes is None else numbers.count(artifact.size_bytes),
        )
    console().print(table)


def print_conversation(events: Iterable[SessionEvent]) -> None:
    """Print the events of a session in order."""
    out = console()
    for event in events:
        what = (event.type or "event").removesuffix("_message").replace("_", " ")
        if event.step is not None:
            what += f" {event.step}"
        head = Text(f"{_instant(event.created_at)}  ", style="dim")
        head.append(escaped(what), style="bold")
        if event.status:
            head.append(f" {escaped(event.status)}")
        out.print(head, soft_wrap=True)
        if event.text:
            text = Text(escaped_lines(event.text))
            out.print(Padding(text, (0, 0, 0, 2), expand=False))


def event_text(event: LogEvent) -> Text:
    """Return a log event as one line, without the line breaks of its text."""
    moment = datetime.fromtimestamp(event.ts, UTC).strftime("%H:%M:%S") if event.ts else ""
    level = event.level or ""
    line = Text(f"{moment:8}  ", style="dim")
    line.append(f"{escaped(level):7}  ", style=_LEVEL_STYLES.get(level, ""))
    line.append(escaped(event.msg or ""))
    return line


def status_text(run: Run) -> Text:
    """Return a run's status in its colour."""
    return Text(escaped(run.status), style=STYLES.get(run.status, ""))


def tokens_text(run: Run) -> str:
    """Return a run's tokens in and out."""
    return f"{numbers.tokens(run.tokens_in)} in, {numbers.tokens(run.tokens_out)} out"


def agent_name(run: Run, agents: dict[str, Agent]) -> str:
    """Return the slug of a run's agent; its id if the list lacks it."""
    agent = agents.get(run.agent_id or "")
    return (agent and agent.slug) or run.agent_id or "no agent"


def seconds_worked(run: Run) -> float | None:
    """Return the seconds from start to end; None if either is unknown."""
    if run.started_at is None or run.finished_at is None:
        return None
    return (run.finished_at - run.started_at).total_seconds()


def _table(left: Sequence[str]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in left:
        table.add_column(name, overflow="fold")
    return table


def _instant(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""


STATUSES = ("pending", "running", "succeeded", "failed", "cancelled")


def show_runs(
    levain: Levain, agent: str | None, status: str | None, limit: int, *, as_json: bool
) -> None:
    """Print the newest runs; a status is selected among all runs that the API lists."""
    if status is not None and status not in STATUSES:
        raise UsageError(f"There is no status {status}: {', '.join(STATUSES)}.")
    agent_id = find_agent_id(levain, agent) if agent is not None else None
    pages = levain.runs.pages(agent_id, limit=LONGEST_LIST if status else limit)
    found = list(islice((run for run in records(pages) if status in (None, run.status)), limit))
    if as_json:
        printed.print_json(found)
        return
    if found:
        print_runs(found, agents_by_id(levain))
    else:
        printed.say(f"No {status} run among the newest {LONGEST_LIST}." if status else "No runs.")


def show_run(levain: Levain, run: Run, *, as_json: bool) -> None:
    """Print a run and its costs by model."""
    costs = _costs(levain, run)
    if as_json:
        printed.print_json({"run": run, "costs": costs})
    else:
        print_run(run, agents_by_id(levain), costs or [])


def _costs(levain: Levain, run: Run) -> list[RunCost] | None:
    """Return costs by model; None if the API refuses them, for lack of data or of permission."""
    try:
        return list(records([levain.analytics.run_costs(run.id)]))
    except RefusedError as error:
        printed.say(f"What each model cost is not available ({error.cause}).")
        return None


def show_artifacts(levain: Levain, run: Run, folder: Path | None, *, as_json: bool) -> None:
    """List a run's files, or save them in a folder.

    AnalyticsError if some could not be downloaded.
    """
    listed = levain.runs.artifacts(run.id)
    if listed.truncated:
        printed.say(
            f"The API lists {len(listed.artifacts):,} files at most; this run has more, "
            "which sort after these by name."
        )
    if folder is not None:
        saved = files.save_artifacts(levain, run, listed.artifacts, folder)
        if as_json:
            printed.print_json(saved)
        _print_saved(saved, folder)
    elif as_json:
        printed.print_json(listed.artifacts)
    elif listed.artifacts:
        print_artifacts(listed.artifacts)
    else:
        printed.say("It has published no files" + ("." if run.has_ended else " yet."))


def _print_saved(saved: list[files.Saved], folder: Path) -> None:
    new, failed = [s for s in saved if s.is_new], [s for s in saved if s.error]
    kept = len(saved) - len(new) - len(failed)
    line = f"{numbers.plural(len(new), 'file')} saved in {folder}"
    printed.say(
        line + (f"; {numbers.plural(kept, 'file')} there before, kept as is" if kept else "")
    )
    if failed:
        raise AnalyticsError(
            f"{len(failed)} of {numbers.plural(len(saved), 'file')} could not be had: "
            f"{failed[0].filename or failed[0].key}: {failed[0].error}."
        )
