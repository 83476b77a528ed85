"""Load a landing folder: new versions into `raw`, the versions they replace into `raw.superseded`.

All of a load happens in the caller's transaction: rows, ledger and working sets together. No row of
`raw` is ever updated, so the state after any earlier load can be queried.
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
from analytics.machine_clock import FURTHEST
from analytics.warehouse.landed import (
    BATCH_ID,
    CLOSING_STEP,
    LIST_SNAPSHOTS,
    REQUESTS,
    SUFFIX,
    landing_files,
    step_of,
)
from analytics.warehouse.pending_details import keep_pending_details
from analytics.warehouse.provisional_runs import update_provisional_runs
from analytics.warehouse.reading import (
    MACROS,
    REQUEST_COLUMNS,
    SNAPSHOT_COLUMNS,
    SNAPSHOT_TIMES,
    as_instant,
    diagnose_lines,
    ndjson,
    parse_lines,
)
from analytics.warehouse.schema import LINEAGE
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

_BY_RECORD = (Scope.LIST, Scope.RECORD)
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
    workspace_id, load_id = folder.parent.name, folder.name
    known = con.execute(
        "select 1 from ledger.loads where workspace_id = ? and load_id = ?", [workspace_id, load_id]
    ).fetchone()
    if known:
        return Loaded()
    return _Load(con, folder, workspace_id, load_id).run()


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
    """One load in progress, in steps over temporary tables.

    `load_requests` holds its requests. For one source at a time, `incoming` holds the parsed lines
    (`incoming_numbered` also a number for equal rows), `current_rows` the stored rows that they may
    replace, and `_new_rows_sql` is the SQL of the lines to store.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, folder: Path, workspace_id: str, load_id: str
    ) -> None:
        self._con = con
        self._folder = folder
        self._workspace = Store(con, workspace_id)
        self._ids = {"workspace_id": workspace_id, "load_id": load_id}
        self._step = step_of(load_id)
        self._counts = Counter[str]()
        self._new_rows_sql = ""
        self._source_quarantined = 0
        self._touched = set[date]()

    def run(self) -> Loaded:
        con = self._con
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
        self._load_list_snapshots()
        if self._step == CLOSING_STEP:
            self._close_batch()
            keep_pending_details(self._workspace)
        self._write_ledger()
        counts = self._counts
        return Loaded(
            counts["record"], counts["version"], counts["quarantined"], frozenset(self._touched)
        )

    def _load_source(self, source: Source) -> None:
        file = self._folder / (source.name + SUFFIX)
        self._con.execute(
            "create or replace temp table incoming as "
            + parse_lines(source, file if file.exists() else None)
        )
        self._quarantine(source, file)
        if source.scope is Scope.DAY:
            self._keep_asked()
        self._keep_latest(source)
        self._find_new_rows(source)
        self._store(source)
        if source.name == AGENT_ROLLUPS:
            gone = "current_rows anti join incoming_numbered using (date, record_hash, copy)"
            self._touch(f"select date from {self._new_rows_sql} union select date from {gone}")
        if source is RUNS:
            self._touch(_DAYS_OF_LIVES.format(self._new_rows_sql))
            update_provisional_runs(self._workspace, self._new_rows_sql)

    def _load_requests(self) -> None:
        """Load the requests; one whose time lies days after that of its batch has that time.

        An answer that told the future was landed by a release that did not refuse it.
        """
        late = f"fetched_at > {_BEGAN_AT} + interval {FURTHEST.days} day"
        self._run(
            "create or replace temp table load_requests as"
            f" select * replace (if({late}, {_BEGAN_AT}, fetched_at) as fetched_at) from "
            + ndjson(self._folder / (REQUESTS + SUFFIX), REQUEST_COLUMNS)
        )
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

    def _quarantine(self, source: Source, file: Path) -> None:
        """Move invalid records and fields to quarantine.

        The stored version of an invalid record stays current; an invalid field becomes null.
        """
        expected = self._one(
            "select coalesce(sum(record_count), 0) from load_requests where source = $source",
            source.name,
        )
        fine, rounded = self._con.execute(
            "select count(*) filter (not is_suspect), count(*) filter (is_rounded) from incoming"
        ).fetchall()[0]
        self._counts.update(record=expected, rounded=rounded)
        self._source_quarantined = 0
        if fine == expected:
            return
        self._con.execute(
            "create or replace temp table quarantined as " + diagnose_lines(source, file)
        )
        self._run(
            f"insert into ledger.quarantine select $workspace_id, $load_id, '{source.name}',"
            " request, line, field, problem, record from quarantined"
        )
        self._counts["quarantined"] += self._one("select count(*) from quarantined")
        self._leave_out(", ".join(source.keys))

    def _leave_out(self, key: str) -> None:
        """Leave out invalid records, whose keys are kept, and let invalid fields be null."""
        lines = "select line from quarantined where column_name is null"
        self._con.execute(
            f"create or replace temp table quarantined_keys as select distinct {key}"
            f" from incoming where line in ({lines}); delete from incoming where line in ({lines})"
        )
        self._source_quarantined = self._one(f"select count(*) from ({lines})")
        columns = self._con.execute(
            "select distinct column_name from quarantined where column_name is not null"
        ).fetchall()
        for (column,) in columns:
            self._con.execute(
                f"update incoming set {column} = null where line in"
                f" (select line from quarantined where column_name = '{column}')"
            )

    def _keep_asked(self) -> None:
        """Leave out days that a request did not ask for: of its end it may have the first hour."""
        self._con.execute("""
            delete from incoming using load_requests as q
            where q.request = incoming.request
                and incoming.date not between q.window_start and q.window_end - 1
        """)

    def _keep_latest(self, source: Source) -> None:
        """If a load read a record twice, keep the later response."""
        key = ", ".join(source.keys)
        if source.scope in _BY_RECORD:
            repeated, order = "count(*) > 1", "request desc, line desc"
        else:
            repeated, order = "min(request) < max(request)", "request desc"
        self._con.execute(f"""
            delete from incoming where line in (
                select line from (
                    select line, rank() over (partition by {key} order by {order}) as place
                    from incoming
                    where ({key}) in (
                        select {key} from incoming group by {key} having {repeated}
                    )
                ) where place > 1
            )
        """)

    def _find_new_rows(self, source: Source) -> None:
        """Select the current rows in the scope of the requests, and the lines that differ.

        `copy` numbers equal rows under one key: if one is stored and two arrive, the second is new.
        """
        key = ", ".join(source.keys)
        copy = "1"  # a record with its own key is unique
        if source.scope not in _BY_RECORD:
            copy = f"row_number() over (partition by {key}, record_hash order by {{}})"
        self._con.execute(
            "create or replace temp view incoming_numbered as"
            f" select *, {copy.format('line')} as copy from incoming"
        )
        self._con.execute(
            "create or replace temp view scope as " + _scope(source, self._source_quarantined)
        )
        self._con.execute(
            f"""
            create or replace temp table current_rows as
            select v.version_id, {key}, v.record_hash, {copy.format("version_id")} as copy
            from raw.{source.name} as v
            semi join scope using ({key})
            anti join raw.superseded as s using (version_id)
            where v.workspace_id = $workspace_id
            """,
            {"workspace_id": self._ids["workspace_id"]},
        )
        if self._source_quarantined and source.parts:
            self._keep_rows_of_quarantined(source)
        if source.scope in _BY_RECORD and not self._one("select count(*) from current_rows"):
            self._new_rows_sql = "incoming"  # as on a first batch
        else:
            self._con.execute(f"""
                create or replace temp table new_rows as
                select line from incoming_numbered
                semi join scope using ({key})
                anti join current_rows using ({key}, record_hash, copy)
            """)
            self._new_rows_sql = "(from incoming semi join new_rows using (line))"
        self._counts["version"] += self._one(f"select count(*) from {self._new_rows_sql}")

    def _keep_rows_of_quarantined(self, source: Source) -> None:
        """Keep stored rows of days and runs with quarantined records that no line replaces."""
        same = " and ".join(
            f"i.{column} is not distinct from v.{column}" for column in source.keys + source.parts
        )
        self._con.execute(f"""
            delete from current_rows where version_id in (
                select v.version_id
                from raw.{source.name} as v
                semi join current_rows using (version_id)
                semi join quarantined_keys using ({", ".join(source.keys)})
                where not exists (select 1 from incoming as i where {same})
            )
        """)

    def _store(self, source: Source) -> None:
        key = ", ".join(source.keys)
        gone = f"from current_rows anti join incoming_numbered using ({key}, record_hash, copy)"
        count = self._one(f"select count(*) {gone}")
        if count:
            self._run(
                f"insert into raw.superseded select version_id, $workspace_id, $load_id {gone}"
            )
        columns = ", ".join(["request", "line", "seen_at", "record_hash", *source.columns])
        self._run(
            f"insert into raw.{source.name} ({', '.join(LINEAGE)}, {', '.join(source.columns)})"
            f" select nextval('raw.version_ids'), $workspace_id, $load_id, {columns}"
            f" from {self._new_rows_sql}"
        )
        self._counts["superseded"] += count

    def _touch(self, days: str) -> None:
        self._touched |= {day for (day,) in self._con.execute(days).fetchall()}

    def _close_batch(self) -> None:
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
        self._con.execute(
            "insert into ledger.files select ?, ?, unnest(?), unnest(?), unnest(?)",
            [*self._ids.values(), *map(list, zip(*fingerprints, strict=True))],
        )
        self._con.execute(
            "insert into ledger.loads values (?, ?, ?, now(), ?, ?, ?, ?, ?, ?, null)",
            [
                *self._ids.values(),
                self._step,
                __version__,
                *(self._counts[each] for each in _COUNTED),
            ],
        )

    def _run(self, sql: str) -> None:
        ids = {name: value for name, value in self._ids.items() if f"${name}" in sql}
        self._con.execute(sql, ids)

    def _one(self, sql: str, source: str | None = None) -> int:
        ((number,),) = self._con.execute(sql, {"source": source} if source else {}).fetchall()
        return int(number)


def _fingerprint(file: Path) -> tuple[str, int, str]:
    content = file.read_bytes()
    return file.name, len(content), hashlib.sha256(content).hexdigest()


def _scope(source: Source, quarantined: int) -> str:
    """Return the keys that a load replaces: by request, because an empty response replaces too.

    A list with a quarantined record replaces only the records that arrived.
    """
    if source.scope in _BY_RECORD:
        key = ", ".join(source.keys)
        known = f" union select {key} from raw.{source.name}"
        return f"select {key} from incoming" + known * (
            source.scope is Scope.LIST and not quarantined
        )
    days = (
        "unnest(generate_series(window_start, window_end - interval 1 day, interval 1 day))::date"
    )
    keys = ", ".join(f"{days} as date" if key == "date" else key for key in source.keys)
    return (
        f"select distinct {keys} from load_requests where source = '{source.name}' and status = 200"
    )
