"""Freshness and completeness of the published figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from analytics.batch.last_batch import read_last_batch
from analytics.published.sandbox import open_published
from analytics.report.summary.lines import schedule_in_words
from analytics.report.writing import numbers
from analytics.terminal import visible
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import is_held

if TYPE_CHECKING:
    import duckdb
    from rich.table import Table

_WORKSPACES = """
    with runs as (
        select
            workspace_id,
            max(created_at) as newest_run_at,
            count(*) filter (not is_terminal) as open_count,
            count(*) filter (is_terminal and not is_final) as provisional_count
        from marts.fct_runs
        group by workspace_id
    ),
    gaps as (
        select
            workspace_id,
            sum(missing_run_count)::bigint as missing_run_count,
            sum(missing_cost_usd) as missing_cost_usd,
            count(*) filter (missing_cost_usd is null) as unknown_gap_count
        from marts.fct_listing_gaps
        group by workspace_id
    ),
    days as (
        select
            workspace_id,
            count(*) filter (status = 'reconciled') as reconciled_day_count,
            count(*) filter (status = 'pending') as pending_day_count,
            count(*) filter (status = 'open') as open_day_count,
            count(*) filter (status = 'unreconciled') as unreconciled_day_count,
            sum(unexplained_usd) filter (status <> 'open') as unexplained_usd
        from audit.reconciliation_days
        group by workspace_id
    ),
    quarantined as (
        select workspace_id, count(*) as quarantined_record_count
        from audit.quarantined_records
        group by workspace_id
    ),
    fastest as (
        select distinct on (workspace_id) *
        from audit.list_coverage
        join marts.dim_agents using (workspace_id, agent_id)
        order by workspace_id, shortest_span_seconds, agent_id
    )
    select
        workspace_name,
        workspace_id,
        last_batch_at,
        newest_run_at,
        coalesce(open_count, 0) as open_run_count,
        coalesce(provisional_count, 0) as provisional_run_count,
        coalesce(quarantined_record_count, 0) as quarantined_record_count,
        coalesce(missing_run_count, 0) as missing_run_count,
        if(gaps.workspace_id is null, 0, missing_cost_usd) as missing_cost_usd,
        coalesce(unknown_gap_count, 0) as unknown_gap_count,
        coalesce(reconciled_day_count, 0) as reconciled_day_count,
        coalesce(pending_day_count, 0) as pending_day_count,
        coalesce(open_day_count, 0) as open_day_count,
        coalesce(unreconciled_day_count, 0) as unreconciled_day_count,
        unexplained_usd,
        fastest.agent_name as fastest_agent_name,
        fastest.shortest_span_seconds,
        fastest.required_batches_per_day
    from marts.dim_workspaces
    left join runs using (workspace_id)
    left join gaps using (workspace_id)
    left join days using (workspace_id)
    left join quarantined using (workspace_id)
    left join fastest using (workspace_id)
    order by workspace_name, workspace_id
"""
# A list's watermark: the newest row of its last snapshot.
_WATERMARKS = """
    select p.workspace_id, coalesce(a.agent_name, 'all runs') as list, p.agent_id, p.pulled_at,
        p.newest_created_at, p.newest_run_id
    from audit.list_snapshots as p
    left join marts.dim_agents as a using (workspace_id, agent_id)
    qualify row_number() over (
        partition by p.workspace_id, p.agent_id order by p.pulled_at desc, p.load_id desc
    ) = 1
    order by p.workspace_id, p.agent_id nulls first
"""
_CHECKS = """
    select check_name, is_ok, violation_count
    from audit.check_results
    order by check_name
"""


def status(layout: Layout) -> dict[str, Any]:
    """Return freshness, watermarks, gaps, open runs, checks, and the result of the last batch."""
    with open_published(layout.published) as con:
        workspaces = _records(con, _WORKSPACES)
        watermarks = _records(con, _WATERMARKS)
        checks = _records(con, _CHECKS)
    batch = read_last_batch(layout)
    return {
        "published_at": datetime.fromtimestamp(layout.published.stat().st_mtime, UTC),
        "batch_is_running": is_held(layout),
        "last_batch": batch and {name: getattr(batch, name) for name in batch.__struct_fields__},
        "workspaces": workspaces,
        "watermarks": watermarks,
        "checks": checks,
    }


def print_json(found: dict[str, Any]) -> None:
    """Print the status as one JSON object."""
    print(json.dumps(found, indent=2, ensure_ascii=False, default=_plain))


def print_text(found: dict[str, Any]) -> None:
    """Print the status as text."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"Published {_instant(found['published_at'])}")
    if found["batch_is_running"]:
        console.print("A batch is at work now.")
    if batch := found["last_batch"]:
        how = "ended well" if batch["exit_code"] == 0 else f"failed (exit {batch['exit_code']})"
        console.print(f"The last batch {how} at {_instant(batch['ended_at'])}")
        for message in batch["messages"]:
            console.print(f"  {visible(message)}")
    workspaces = found["workspaces"]
    console.print()
    console.print(_table(_FRESHNESS, workspaces))
    console.print(_FRESHNESS_IN_WORDS)
    console.print()
    console.print(_table(_COMPLETENESS, workspaces))
    console.print(_COMPLETENESS_IN_WORDS)
    console.print()
    for row in workspaces:
        if schedule := _schedule(row):
            console.print(f"{visible(row['workspace_name'])}: {schedule}")
    broken = [check["check_name"] for check in found["checks"] if not check["is_ok"]]
    console.print(
        f"Checks that do not hold: {', '.join(broken)}"
        if broken
        else f"All {len(found['checks'])} checks held."
    )
    console.print(f"{len(found['watermarks'])} lists are watched; --json tells each watermark.")


_Columns: TypeAlias = "Sequence[tuple[str, Callable[[dict[str, Any]], str]]]"

_FRESHNESS: _Columns = (
    ("Data to (UTC)", lambda row: _instant(row["last_batch_at"]).removesuffix(" UTC")),
    (
        "Newest run (UTC)",
        lambda row: _instant(row["newest_run_at"]).removesuffix(" UTC") or "no runs",
    ),
    ("Open", lambda row: numbers.count(row["open_run_count"])),
    ("Provisional", lambda row: numbers.count(row["provisional_run_count"])),
    ("Broken", lambda row: numbers.count(row["quarantined_record_count"])),
)
_COMPLETENESS: _Columns = (
    ("Unlisted", lambda row: numbers.count(row["missing_run_count"])),
    ("Cost", lambda row: _unlisted_cost(row)),
    ("Days ok", lambda row: numbers.count(row["reconciled_day_count"])),
    ("Pending", lambda row: numbers.count(row["pending_day_count"])),
    ("Open", lambda row: numbers.count(row["open_day_count"])),
    ("Not ok", lambda row: numbers.count(row["unreconciled_day_count"])),
    ("Unexplained", lambda row: numbers.usd(row["unexplained_usd"])),
)
_FRESHNESS_IN_WORDS = """\
Open runs have not ended; provisional ones have, and may still be corrected.
Broken records are quarantined, with the reason, in quarantined_records."""
_COMPLETENESS_IN_WORDS = """\
No batch listed unlisted runs: fct_listing_gaps. Days are open while they
hold open or provisional runs; ok (reconciled) where cost agrees with the API's
sums; pending while the API may still add to them; else not ok (unreconciled).
Unexplained is what remains on such days, in reconciliation_days."""


def _table(columns: _Columns, rows: list[dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("Workspace")
    for head, _ in columns:
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        name = Text(visible(row["workspace_name"]))
        table.add_row(name, *(text(row) for _, text in columns))
    return table


def _unlisted_cost(row: dict[str, Any]) -> str:
    """Return the cost of unlisted runs, with a plus if some of it is unknown."""
    text = numbers.usd(row["missing_cost_usd"])
    return f"{text}+" if row["unknown_gap_count"] and row["missing_cost_usd"] is not None else text


def _schedule(row: dict[str, Any]) -> str:
    """Return the interval of batches at which no run stays unlisted."""
    if row["fastest_agent_name"] is None:
        return ""
    return schedule_in_words(
        visible(row["fastest_agent_name"]),
        row["shortest_span_seconds"],
        row["required_batches_per_day"],
    )


def _records(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    found = con.execute(sql)
    names = [name for name, *_ in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _plain(value: datetime | Decimal) -> str:
    return numbers.usd_exact(value) if isinstance(value, Decimal) else _instant(value)


def _instant(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if moment else ""
