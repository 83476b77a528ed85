"""An agent's runs: the most expensive, the newest, and the data files behind a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.format import names, numbers
from analytics.report.figures.splits import whole_numbers
from analytics.report.marts.run_reads import (
    LISTED_RUNS,
    MOST_EXPENSIVE_RUNS,
    NEWEST_RUNS,
    TIMELINES,
)
from analytics.report.writing.tables import Cell, Column, Table

if TYPE_CHECKING:
    from analytics.report.figures.facts import AgentSheet
    from analytics.report.marts.rows import Run
    from analytics.report.marts.run_reads import Columns

_HEADS = [
    Column("Run", "text"),
    Column("Created", "text"),
    Column("Status", "text"),
    Column("Started by", "text"),
    Column("Version"),
    Column("Duration"),
    Column("Cost"),
    Column("Tokens in"),
    Column("Tokens out"),
]


def most_expensive(sheet: AgentSheet) -> Table | None:
    """The most expensive of the runs that could be charted, from the first one on."""
    period = sheet.subject.coverage.calendar.chart.starting_at(sheet.subject.first_day)
    if period is None:
        return None
    known = [run for run in sheet.listed if run.cost_usd is not None and run.date in period]
    known.sort(key=lambda run: (-(run.cost_usd or 0), run.run_id))
    chosen = known[:MOST_EXPENSIVE_RUNS]
    if not chosen:
        return None
    caption = f"The {numbers.plural(len(chosen), 'most expensive run')}, {period}; times in UTC"
    return Table(
        "most-expensive-runs", caption, _HEADS, [_row(run) for run in chosen], is_sortable=True
    )


def newest(sheet: AgentSheet) -> Table | None:
    """The newest runs; the script shows more of them."""
    chosen = [run for run in sheet.listed if run.number <= LISTED_RUNS]
    if not chosen:
        return None
    caption = f"The {numbers.plural(len(chosen), 'newest run')}; times in UTC"
    return Table("runs", caption, _HEADS, [_row(run) for run in chosen], is_sortable=True)


def newest_count(sheet: AgentSheet) -> int:
    """How many runs the script can show."""
    return min(len(sheet.runs.get("run_id", ())), NEWEST_RUNS)


def document(sheet: AgentSheet) -> dict[str, object]:
    """The newest runs, each with what it used of each model, as columns for the script."""
    return {
        "first": sheet.subject.coverage.calendar.history.first.isoformat(),
        "newest": newest_count(sheet),
        "timelines": TIMELINES,
        "runs": _run_columns(sheet.runs) if sheet.runs else {"run_id": [], "status": []},
        "models": _named(sheet.run_models, {"model": "(no name)", "provider": "no provider"}),
    }


def events(sheet: AgentSheet) -> dict[str, object]:
    """The log events of the newest and the most expensive runs, as columns for the script."""
    return _named(sheet.events, {"what": "event", "node": ""})


def trigger_type(kind: str | None, parent_run_id: str | None, *, has_session: bool) -> str:
    """What started a run, as far as the API says."""
    if parent_run_id is not None:
        return "another run"
    if kind not in {None, "agent"}:
        return names.display(kind)
    return "a session" if has_session else ""


def _run_columns(runs: Columns) -> dict[str, object]:
    kept = {name: column for name, column in runs.items() if name not in {"kind", "has_session"}}
    starts = zip(runs["kind"], runs["parent_run_id"], runs["has_session"], strict=True)
    return {
        **_named(
            kept, {"run_id": "(no id)", "status": "(none)", "error_class": "", "parent_run_id": ""}
        ),
        "trigger_type": [
            trigger_type(kind, parent, has_session=has_session)
            for kind, parent, has_session in starts
        ],
    }


def _named(columns: Columns, absent: dict[str, str]) -> dict[str, Any]:
    """Columns for the script: those of names are displayed, those of numbers exact."""
    return {
        name: [*map(names.Displayed(absent[name]), column)]
        if name in absent
        else whole_numbers(column)
        for name, column in columns.items()
    }


def _row(run: Run) -> list[Cell | str]:
    error = names.display(run.error_class) if run.error_class else ""
    version = "" if run.agent_version is None else f"v{run.agent_version}"
    return [
        Cell(names.display(run.run_id)),
        f"{run.created_at:%Y-%m-%d %H:%M}",
        Cell(names.display(run.status), note=error),
        trigger_type(run.kind, run.parent_run_id, has_session=run.session_id is not None),
        Cell(version, _sort(run.agent_version)),
        Cell(numbers.duration(run.duration_seconds), _sort(run.duration_seconds)),
        Cell(numbers.usd_fine(run.cost_usd), numbers.usd_exact(run.cost_usd)),
        Cell(numbers.tokens(run.tokens_in), _sort(run.tokens_in)),
        Cell(numbers.tokens(run.tokens_out), _sort(run.tokens_out)),
    ]


def _sort(value: float | None) -> str:
    return "" if value is None else str(value)
