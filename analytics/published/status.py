"""How fresh and how whole the published figures are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from analytics.batch.last_night import read_last_night
from analytics.published.sandbox import open_published
from analytics.terminal import visible
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import is_held

_WORKSPACES = """
    select
        w.workspace_name,
        w.workspace_id,
        w.last_night_at,
        (select max(created_at) from marts.fct_runs as r where r.workspace_id = w.workspace_id),
        (select count(*) from marts.fct_runs as r
            where r.workspace_id = w.workspace_id and not is_terminal),
        (select count(*) from marts.fct_runs as r
            where r.workspace_id = w.workspace_id and is_terminal and not is_settled),
        (select count(*) from marts.fct_list_pulls as p
            where p.workspace_id = w.workspace_id and gap_after is not null),
        (select count(*) from marts.fct_quarantined_records as q
            where q.workspace_id = w.workspace_id)
    from marts.dim_workspaces as w
    order by w.workspace_name, w.workspace_id
"""
_WORKSPACE_KEYS = (
    "workspace_name",
    "workspace_id",
    "last_night_at",
    "newest_run_at",
    "open_run_count",
    "unsettled_run_count",
    "gap_count",
    "quarantined_record_count",
)
# A list's watermark: how far its last pull reached.
_WATERMARKS = """
    select p.workspace_id, coalesce(a.agent_name, 'all runs'), p.agent_id, p.pulled_at,
        p.newest_created_at, p.newest_run_id
    from marts.fct_list_pulls as p
    left join marts.dim_agents as a using (workspace_id, agent_id)
    qualify row_number() over (
        partition by p.workspace_id, p.agent_id order by p.pulled_at desc, p.load_id desc
    ) = 1
    order by p.workspace_id, p.agent_id nulls first
"""
_WATERMARK_KEYS = (
    "workspace_id",
    "list",
    "agent_id",
    "pulled_at",
    "newest_created_at",
    "newest_run_id",
)


def status(layout: Layout) -> dict[str, Any]:
    """Freshness, watermarks, gaps, open runs, checks, and how the last night ended."""
    with open_published(layout.published) as con:
        workspaces = [
            dict(zip(_WORKSPACE_KEYS, row, strict=True))
            for row in con.execute(_WORKSPACES).fetchall()
        ]
        watermarks = [
            dict(zip(_WATERMARK_KEYS, row, strict=True))
            for row in con.execute(_WATERMARKS).fetchall()
        ]
        checks = [
            {"check_name": name, "is_ok": is_ok, "violation_count": count}
            for name, is_ok, count in con.execute(
                "select check_name, is_ok, violation_count from marts.fct_check_results order by 1"
            ).fetchall()
        ]
    night = read_last_night(layout)
    return {
        "published_at": datetime.fromtimestamp(layout.published.stat().st_mtime, UTC),
        "batch_is_running": is_held(layout),
        "last_night": night and {name: getattr(night, name) for name in night.__struct_fields__},
        "workspaces": workspaces,
        "watermarks": watermarks,
        "checks": checks,
    }


def print_json(found: dict[str, Any]) -> None:
    """The status as one JSON object."""
    print(json.dumps(found, indent=2, ensure_ascii=False, default=_instant))


def print_text(found: dict[str, Any]) -> None:
    """The status for a person."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(f"Published {_instant(found['published_at'])}")
    if found["batch_is_running"]:
        console.print("A batch is at work now.")
    if night := found["last_night"]:
        how = "ended well" if night["exit_code"] == 0 else f"failed (exit {night['exit_code']})"
        console.print(f"The last night {how} at {_instant(night['ended_at'])}")
        for message in night["messages"]:
            console.print(f"  {visible(message)}")
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("Workspace")
    table.add_column("Data to (UTC)", no_wrap=True)
    table.add_column("Newest run (UTC)", no_wrap=True)
    for name in ("Open", "Settling", "Gaps", "Aside"):
        table.add_column(name, justify="right")
    for row in found["workspaces"]:
        table.add_row(
            Text(visible(row["workspace_name"])),
            _instant(row["last_night_at"]).removesuffix(" UTC"),
            _instant(row["newest_run_at"]).removesuffix(" UTC") or "no runs",
            *(str(row[key]) for key in _WORKSPACE_KEYS[4:]),
        )
    console.print()
    console.print(table)
    broken = [check["check_name"] for check in found["checks"] if not check["is_ok"]]
    console.print()
    console.print(
        f"Checks that do not hold: {', '.join(broken)}"
        if broken
        else f"All {len(found['checks'])} checks held."
    )
    console.print(f"{len(found['watermarks'])} lists are watched; --json tells each watermark.")


def _instant(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if moment else ""
