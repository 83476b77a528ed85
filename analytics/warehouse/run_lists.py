"""Lists of runs: the end of what was read of each, and the runs that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analytics.warehouse.json_records import SNAPSHOT_COLUMNS, ndjson
from analytics.warehouse.landed import LIST_SNAPSHOTS, SUFFIX
from analytics.warehouse.sources import RUNS
from analytics.warehouse.store import IS_GONE, Store

_AS_TEXT = "strftime({} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%f+00:00')"


@dataclass(frozen=True, slots=True)
class Watermark:
    """The newest row of a list's last snapshot; `run_id` is None if the list was empty."""

    run_id: str | None
    created_at: str | None


def any_read(store: Store) -> bool:
    """Return True if any run list was ever read."""
    return bool(store.run("select 1 from ledger.list_snapshots where {mine} limit 1"))


def watermarks(store: Store) -> dict[str | None, Watermark]:
    """Return the end of each list's last snapshot; None is the key of the unfiltered list."""
    rows = store.run(f"""
        select agent_id, arg_max(newest_run_id, rowid),
            {_AS_TEXT.format("arg_max(newest_created_at, rowid)")}
        from ledger.list_snapshots where {{mine}} group by agent_id
    """)
    return {agent_id: Watermark(run_id, created_at) for agent_id, run_id, created_at in rows}


def refused_lists(store: Store) -> dict[str, Watermark]:
    """Return the agents whose list was last refused, and the end of what is known of each.

    Snapshots that an unfiltered one implied since prove nothing about what was not read.
    """
    rows = store.run(f"""
        select agent_id, newest_run_id, {_AS_TEXT.format("newest_created_at")}
        from ledger.list_snapshots
        where {{mine}} and row_count = 0 and not is_contiguous and agent_id in (
            select agent_id from ledger.requests
            where {{mine}} and source = 'runs' and agent_id is not null
            group by agent_id
            having arg_max(status <> 200 and not (status = 404 and {IS_GONE}), rowid)
        )
        qualify row_number() over (partition by agent_id order by rowid desc) = 1
    """)
    return {agent_id: Watermark(run_id, created_at) for agent_id, run_id, created_at in rows}


def known_runs(store: Store, run_ids: Sequence[str]) -> set[str]:
    """Return those of these runs that are stored."""
    known = "select run_id from raw.runs where {mine} and run_id in (select unnest($run_ids))"
    return {*store.column(known, run_ids=list(run_ids))}


def lists_in(store: Store, load: Path) -> tuple[Watermark | None, set[str]]:
    """Return the end of the unfiltered list in a load that is not loaded, and its runs."""
    ends, run_ids = [], set[str]()
    if (file := load / (LIST_SNAPSHOTS + SUFFIX)).exists():
        lists = ndjson(file, SNAPSHOT_COLUMNS)
        ends = store.con.execute(
            f"select newest_run_id, newest_created_at from {lists} where agent_id is null"
        ).fetchall()
    if (file := load / (RUNS.name + SUFFIX)).exists():
        runs = ndjson(file, {"record": "STRUCT(id VARCHAR)"})
        found = store.con.execute(f"select distinct record.id from {runs}").fetchall()
        run_ids = {run_id for (run_id,) in found}
    return Watermark(*ends[-1]) if ends else None, run_ids
