"""Load a landing folder: requests and lists into the `ledger`, records of each source into `raw`.

All of a load happens in the caller's transaction: rows, ledger and working sets together, so the
state after any earlier load can be queried.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from analytics import __version__
from analytics.errors import AnalyticsError
from analytics.warehouse.json_records import (
    MACROS,
    REQUEST_COLUMNS,
    SNAPSHOT_COLUMNS,
    SNAPSHOT_TIMES,
    as_instant,
    ndjson,
    parse_lines,
)
from analytics.warehouse.landed import (
    BATCH_ID,
    LAST_STEP,
    LIST_SNAPSHOTS,
    REQUESTS,
    SUFFIX,
    landing_files,
    step_of,
)
from analytics.warehouse.moved_runs import MOVED_STEP, take_away
from analytics.warehouse.pending_details import keep_pending_details
from analytics.warehouse.provisional_runs import update_provisional_runs
from analytics.warehouse.quarantine import quarantine
from analytics.warehouse.record_versions import store_versions
from analytics.warehouse.sources import AGENT_ROLLUPS, RUNS, SOURCES, Scope, Source
from analytics.warehouse.store import Store

_DAY = 86_400_000  # milliseconds

# The UTC days from creation to end of runs; in days since 1970, which is faster than with dates.
_DAYS_OF_LIVES = f"""
    select distinct date '1970-01-01' + unnest(range(first, last + 1))::integer
    from (
        select distinct
            epoch_ms(created_at) // {_DAY} as first,
            least(epoch_ms(greatest(created_at, finished_at)) // {_DAY}, first + 60) as last
        from {{}}
    )
"""

_BEGAN_AT = f"try_strptime(split_part($load_id, '-', 1), '{BATCH_ID}') at time zone 'UTC'"

_COUNTED = ("record", "version", "superseded", "quarantined", "rounded")
"""Counts of a load, in the order of `ledger.loads`."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The counts of a load: records read, stored as new versions; records and fields quarantined.

    `touched_days` are the UTC days of new or changed runs.
    """

    record_count: int = 0
    new_version_count: int = 0
    quarantined_count: int = 0
    touched_days: frozenset[date] = field(default_factory=frozenset)


def load_folder(con: duckdb.DuckDBPyConnection, folder: Path) -> Loaded:
    """Load a landing folder; a folder in the ledger is skipped."""
    known = con.execute(
        "select 1 from ledger.loads where workspace_id = ? and load_id = ?",
        [folder.parent.name, folder.name],
    ).fetchone()
    return Loaded() if known else _Load(con, folder).run()


@contextmanager
def load_errors(folder: Path, advice: str) -> Iterator[None]:
    """Turn an error of loading into an AnalyticsError that names the landing folder."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        cause = str(error).splitlines()[0]
        raise AnalyticsError(
            f"The landing folder {folder} cannot be loaded: {cause}\n{advice}"
        ) from error


class _Load:
    """One load in progress: `load_requests` holds its requests, `incoming` a source's lines."""

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._folder = folder
        self._id = folder.name
        self._step = step_of(self._id)
        self._store = Store(con, folder.parent.name)
        self._counts = Counter[str]()
        self._touched = set[date]()

    def run(self) -> Loaded:
        con = self._store.con
        con.execute(MACROS)
        self._load_requests()
        answered = dict(
            con.execute(
                "select source, coalesce(bool_or(status = 200), false)"
                " from load_requests group by source"
            ).fetchall()
        )
        for source in SOURCES:
            # A list that was refused is not an empty one.
            if source.name in answered and (
                answered[source.name] or source.scope is not Scope.LIST
            ):
                self._load_source(source)
        if self._step == MOVED_STEP:
            count, days = take_away(self._store, self._id)
            self._counts["superseded"] += count
            self._touched |= days
        self._load_list_snapshots()
        if self._step == LAST_STEP:
            self._end_batch()
            keep_pending_details(self._store)
        self._write_ledger()
        counts = self._counts
        return Loaded(
            counts["record"], counts["version"], counts["quarantined"], frozenset(self._touched)
        )

    def _load_source(self, source: Source) -> None:
        con, file = self._store.con, self._folder / (source.name + SUFFIX)
        lines = parse_lines(source, file if file.exists() else None)
        con.execute(f"create or replace temp table incoming as {lines}")
        ((expected,),) = con.execute(
            "select coalesce(sum(record_count), 0)::bigint from load_requests where source = ?",
            [source.name],
        ).fetchall()
        ((fine, rounded),) = con.execute(
            "select count(*) filter (not is_suspect), count(*) filter (is_rounded) from incoming"
        ).fetchall()
        invalid = invalid_records = 0
        if fine != expected:
            invalid, invalid_records = quarantine(self._store, self._id, source, file)
        found = store_versions(self._store, self._id, source, invalid_records)
        self._counts.update(
            record=expected,
            version=found.new_count,
            superseded=found.replaced_count,
            quarantined=invalid,
            rounded=rounded,
        )
        if source.name == AGENT_ROLLUPS:
            self._touch(f"select date from {found.new} union select date from {found.replaced}")
        if source is RUNS:
            self._touch(_DAYS_OF_LIVES.format(found.new))
            update_provisional_runs(self._store, found.new)

    def _load_requests(self) -> None:
        file = ndjson(self._folder / (REQUESTS + SUFFIX), REQUEST_COLUMNS)
        self._store.con.execute(f"create or replace temp table load_requests as from {file}")
        self._run(
            "insert into ledger.requests"
            f" select $workspace_id, $load_id, {', '.join(REQUEST_COLUMNS)} from load_requests"
        )

    def _load_list_snapshots(self) -> None:
        file = self._folder / (LIST_SNAPSHOTS + SUFFIX)
        if file.exists():
            times = ", ".join(f"{as_instant(column)} as {column}" for column in SNAPSHOT_TIMES)
            self._run(
                "insert into ledger.list_snapshots by name select $workspace_id as workspace_id,"
                f" $load_id as load_id, * replace ({times}) from {ndjson(file, SNAPSHOT_COLUMNS)}"
            )

    def _touch(self, days: str) -> None:
        self._touched |= {day for (day,) in self._store.con.execute(days).fetchall()}

    def _end_batch(self) -> None:
        """Record the workspace's name and the time of its latest complete batch."""
        self._run(f"""
            update ledger.workspaces set
                workspace_name = (
                    select any_value(w.workspace_name)
                    from raw.workspaces as w anti join raw.superseded using (version_id)
                    where w.workspace_id = $workspace_id
                ),
                first_batch_at = coalesce(first_batch_at, batch.began_at),
                last_batch_at = batch.began_at
            from (
                select {_BEGAN_AT} as began_at
            ) as batch
            where workspace_id = $workspace_id
        """)

    def _write_ledger(self) -> None:
        fingerprints = [_fingerprint(file) for file in landing_files(self._folder)]
        names, sizes, hashes = map(list, zip(*fingerprints, strict=True))
        self._run(
            "insert into ledger.files"
            " select $workspace_id, $load_id, unnest($names), unnest($sizes), unnest($hashes)",
            names=names,
            sizes=sizes,
            hashes=hashes,
        )
        counts = ", ".join(str(self._counts[each]) for each in _COUNTED)
        self._run(
            "insert into ledger.loads"
            f" values ($workspace_id, $load_id, $step, now(), $code_version, {counts}, null)",
            step=self._step,
            code_version=__version__,
        )

    def _run(self, sql: str, **values: object) -> None:
        self._store.run(sql, load_id=self._id, **values)


def _fingerprint(file: Path) -> tuple[str, int, str]:
    content = file.read_bytes()
    return file.name, len(content), hashlib.sha256(content).hexdigest()
