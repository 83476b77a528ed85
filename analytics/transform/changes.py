"""Changes since the last build: the sources that changed, and the parts that they touch.

A build copies what it read of the sources (`record_sources`): the loads, and a number for each
source. The next one (`find_changes`) compares them:

- New loads are those of batches after the last one that ended. The records that they brought, and
  those that these replaced, are the changed records. A source whose number of rows is not what it
  was and what loads brought has rows that nobody knows of: UnseenChangeError, all is built anew.
- Touched runs (`_touch_runs`) are those that changed records name, the other runs of their
  sessions, as another one may be the first, and all that these started.
- Touched days (`_touch_days`) are those of these runs and of changed sums, until a change was seen,
  in UTC and in the reporting time zone; and the last days, whose state follows from the time of the
  batch. Weeks and months are those of touched days, sessions those of touched runs.

The tables lie in memory (`SHARED`); `touched(UNIT)` is the SELECT of the touched parts of a unit,
with which `incremental` narrows models. `stretches` bound the time in which touched runs were
created, so that DuckDB skips blocks of a long past.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from analytics.warehouse.sources import SOURCES

STATE = "warehouse.state"
WORKSPACE = "workspace_id"
SHARED = "memory.main"
"""The schema in memory that all connections see.

A transaction that writes to a file cannot write to it.
"""

ROWS = ""
ANYWHERE = frozenset({ROWS, "anywhere"})
"""A change of rows that may lie outside of the touched parts.

A change is a set of columns that changed, of ROWS where rows came or went, and of conditions of
parts outside of which rows changed.
"""

_RUN_SOURCES = tuple(each.name for each in SOURCES if "run_id" in each.columns)
_DAY_SOURCES = tuple(each.name for each in SOURCES if "date" in each.columns)
_VERSIONED = tuple(f"raw.{each.name}" for each in SOURCES)
_BY_LOAD = (
    *_VERSIONED,
    "raw.superseded",
    "ledger.files",
    "ledger.requests",
)
_COPIED = ("ledger.workspaces", "ledger.loads", "ledger.provisional_runs")
# Of these, touched parts hold all that changed; others say what agents and workspaces are.
_OF_PARTS = {
    *(f"raw.{each}" for each in (*_RUN_SOURCES, *_DAY_SOURCES, "schedules")),
    *_BY_LOAD[-2:],
    *_COPIED[1:],
}
_KNOWN_LOADS = f'{STATE}."ledger.loads"'
_BY_LOAD_ID = f"using ({WORKSPACE}, load_id)"
_RECENT = 9  # days whose state follows from the time of the batch

_DAYS = {
    "date": "day",
    "utc_date": "day",
    "week": "date_trunc('week', day)::date",
    "month": "date_trunc('month', day)::date",
}
_SAMPLE = f"""
    select {WORKSPACE}, run_id from raw.runs where rowid >= (
        select floor(random() * greatest(max(rowid) - 98, 1)) from raw.runs
    ) limit 100"""


class UnseenChangeError(Exception):
    """Relations hold other rows than batches have written: all is to be built anew."""

    def __init__(self, relations: Iterable[str]) -> None:
        super().__init__(", ".join(sorted(relations)))


@dataclass
class Changes:
    """Changes by source, one that is not here has none; of `record_count` records in all.

    `stretches` are SQL of the first and last moment at which runs of the touched parts of a unit
    were created: DuckDB reads no block of rows outside of these.
    """

    sources: dict[str, frozenset[str]]
    record_count: int
    stretches: dict[str, str]


def find_changes(con: duckdb.DuckDBPyConnection, timezone: str) -> Changes:
    """Find the sources that changed since the last build, and the touched parts: see `touched`.

    Raises UnseenChangeError for rows that no load brought, or took away.
    """
    # Loads of a batch that had not ended belong to the next one that does.
    con.execute(f"""
        create or replace table {SHARED}.new_loads as
        select {WORKSPACE}, load_id from ledger.loads
        where load_id > (
            select coalesce(max(ended.load_id), '') from {_KNOWN_LOADS} as ended
            where ended.step = 'workspace' and ended.{WORKSPACE} = loads.{WORKSPACE}
        )
        union
        select {WORKSPACE}, load_id from ledger.loads anti join {_KNOWN_LOADS} {_BY_LOAD_ID}
    """)
    con.execute(f"""
        create or replace table {SHARED}.replaced as
        select version_id from raw.superseded semi join {SHARED}.new_loads {_BY_LOAD_ID}
    """)
    return Changes(*_changed_sources(con), touch(con, timezone))


def touched(unit: str) -> str:
    """Return a SELECT of the touched parts of a unit: `workspace_id`, and the part."""
    if unit in _DAYS:
        return f"select {WORKSPACE}, {_DAYS[unit]} from {SHARED}.days"
    return f"select {WORKSPACE}, {unit} from {SHARED}.runs where {unit} is not null"


def _changed(source: str, what: str) -> str:
    """Return a SELECT of the rows that a source gained, and of those that these replaced."""
    rows = f"select {what} from raw.{source} semi join {SHARED}"
    return f"{rows}.new_loads {_BY_LOAD_ID} union all {rows}.replaced using (version_id)"


def _changed_sources(con: duckdb.DuckDBPyConnection) -> tuple[dict[str, frozenset[str]], int]:
    """Find out which sources changed since the last build, by how many records in all."""
    was, now, gained, lost = (
        dict(con.execute(states).fetchall())
        for states in (
            f"from {STATE}.sources",
            _source_states(con),
            _row_counts(f"anti join {_KNOWN_LOADS} {_BY_LOAD_ID}"),
            _row_counts(f"semi join {SHARED}.replaced using (version_id)", _VERSIONED),
        )
    )
    if unseen := [name for name in gained if now[name] != was.get(name, 0) + gained[name]]:
        raise UnseenChangeError(unseen)
    # A version that was replaced is a change of its own source.
    changed = {name for name in now if now[name] != was.get(name)} - {"raw.superseded"}
    changed |= {name for name, count in lost.items() if count}
    found = {name: frozenset({ROWS}) if name in _OF_PARTS else ANYWHERE for name in changed}
    staged = {name.replace("raw.", "staging.", 1): each for name, each in found.items()}
    return found | staged, sum(gained.values()) + sum(lost.values())


def _named_runs() -> str:
    """Return a SELECT of the runs that changed records, and requests, name."""
    run = f"{WORKSPACE}, run_id"
    now = f"select {run} from ledger.provisional_runs"
    was = f'select {run} from {STATE}."ledger.provisional_runs"'
    return " union all ".join(
        (
            *(_changed(each, run) for each in _RUN_SOURCES),
            f"({was} except {now}) union all ({now} except {was})",
            _changed("schedules", f"{WORKSPACE}, last_run_id"),
            f"select {run} from ledger.requests semi join {SHARED}.new_loads {_BY_LOAD_ID}",
        )
    )


def touch(con: duckdb.DuckDBPyConnection, timezone: str, *, sample: bool = False) -> dict[str, str]:
    """Touch the parts that changed, or those of about 100 runs; return their `stretches`."""
    _touch_runs(con, _SAMPLE if sample else _named_runs())
    _touch_days(con, timezone)
    # A day of any time zone begins and ends within a day of that of UTC, a week of a month's days
    # within seven of that month; a sum may be of any year.
    bounds = con.execute(f"""
        select min(created_at)::varchar, max(created_at)::varchar from {SHARED}.runs
        union all
        select min(created_at)::varchar, max(created_at)::varchar
        from (
            from {SHARED}.runs
            union all by name
            select created_at from raw.runs semi join (
                from {SHARED}.runs anti join {SHARED}.sessions using ({WORKSPACE}, session_id)
            ) using ({WORKSPACE}, session_id)
        )
        union all
        select (date_trunc('month', greatest(min(day), '2000-01-01')) - interval 8 day)::varchar,
            (last_day(least(max(day), '2100-01-01')) + interval 9 day)::varchar
        from {SHARED}.days
    """).fetchall()
    of_runs, of_sessions, of_days = (
        f"between '{first}' and '{last}'" if first else "is null" for first, last in bounds
    )
    return {"run_id": of_runs, "session_id": of_sessions, **dict.fromkeys(_DAYS, of_days)}


def _touch_runs(con: duckdb.DuckDBPyConnection, named: str) -> None:
    """Collect all versions of named runs, of runs of their sessions, and of all that they started.

    Another one may be the first of a session now, or started by another one.
    """
    con.execute(f"create or replace table {SHARED}.named as {named}")
    con.execute(f"""
        create or replace table {SHARED}.sessions as
        select distinct {WORKSPACE}, session_id
        from raw.runs semi join {SHARED}.named using ({WORKSPACE}, run_id)
        where session_id is not null
    """)
    con.execute(f"""
        create or replace table {SHARED}.found as
        with recursive
        children as materialized (
            select {WORKSPACE}, run_id, parent_run_id from raw.runs where parent_run_id is not null
        ),
        found as (
            select {WORKSPACE}, run_id from {SHARED}.named
            union
            select {WORKSPACE}, run_id
            from raw.runs semi join {SHARED}.sessions using ({WORKSPACE}, session_id)
            union
            select children.{WORKSPACE}, children.run_id
            from children join found
                on children.{WORKSPACE} = found.{WORKSPACE}
                and children.parent_run_id = found.run_id
        )
        from found
    """)
    # A statement of its own: how many runs a recursion finds is not known beforehand.
    con.execute(f"""
        create or replace table {SHARED}.runs as
        select
            {WORKSPACE}, run_id, session_id, created_at,
            (greatest(finished_at, seen_at) at time zone 'UTC')::date as until_day
        from {SHARED}.found left join raw.runs using ({WORKSPACE}, run_id)
    """)


def _touch_days(con: duckdb.DuckDBPyConnection, timezone: str) -> None:
    """Collect the days of touched runs and of changed sums, and those that time or a load ends."""
    sums = " union all ".join(
        _changed(each, f"{WORKSPACE}, date as day, greatest(seen_at::date, date) as until_day")
        for each in _DAY_SOURCES
    )
    costs = _changed("run_costs", f"{WORKSPACE}, (started_at at time zone 'UTC')::date, null")
    was = f'{STATE}."ledger.workspaces"'
    con.execute(f"""
        create or replace table {SHARED}.days as
        with
        published as (
            select {WORKSPACE}, max(loaded_at) filter (published_at is not null) as last_at
            from {_KNOWN_LOADS} group by all
        ),
        spans as (
            {sums}  -- of a sum that changed, usage may be metered until that was seen
            union all
            {costs}
            union all
            select {WORKSPACE}, least({_day(timezone)}, {_day("UTC")}),
                greatest({_day(timezone)}, until_day)
            from {SHARED}.runs semi join {SHARED}.named using ({WORKSPACE}, run_id)
            union all
            select {WORKSPACE}, unnest([{_day(timezone)}, {_day("UTC")}]) as day, day
            from {SHARED}.runs
            union all
            select {WORKSPACE},
                least(was.last_batch_at, now.last_batch_at, published.last_at)::date - {_RECENT},
                now.last_batch_at::date + 1
            from ledger.workspaces as now
            left join {was} as was using ({WORKSPACE})
            left join published using ({WORKSPACE})
            union all  -- days that were counted, or refused
            select {WORKSPACE}, window_start, window_end - 1
            from ledger.requests semi join {SHARED}.new_loads {_BY_LOAD_ID}
            where window_start is not null and (
                source = 'run_counts' or ({WORKSPACE}, source) in (
                    select {WORKSPACE}, source from ledger.requests where status in (403, 404)
                )
            )
        )
        select distinct {WORKSPACE},  -- of a day, usage may be metered on the next one, too
            unnest(generate_series(day - 1, greatest(day, until_day), interval 1 day))::date as day
        from spans where day is not null
    """)


def _day(timezone: str) -> str:
    return f"(created_at at time zone '{timezone}')::date"


def record_sources(con: duckdb.DuckDBPyConnection) -> None:
    """Keep what a build has read of the sources, so that the next one finds what changed."""
    con.execute(f"create schema if not exists {STATE}")
    for source in _COPIED:
        con.execute(f'create or replace table {STATE}."{source}" as from {source}')
    con.execute(f"create or replace table {STATE}.sources as {_source_states(con)}")


def _source_states(con: duckdb.DuckDBPyConnection) -> str:
    """Return the SQL of a number for each source: of rows if it changes by loads, else a hash."""
    finance = con.execute("""
        select schema_name || '.' || table_name from duckdb_tables()
        where database_name = 'warehouse' and schema_name = 'finance'
    """).fetchall()
    hashes = (
        f" union all select '{name}', coalesce(sum(hash(rows)), 0) from {name} as rows"
        for name in ("ledger.quarantine", *_COPIED, *(name for (name,) in finance))
    )
    return _row_counts() + "".join(hashes)


def _row_counts(rows: str = "", names: Sequence[str] = _BY_LOAD) -> str:
    """Return the SQL of the number of `rows` of sources that change by loads; of all rows."""
    return " union all ".join(
        f"select '{name}' as name, count(*)::hugeint as state from {name} {rows}" for name in names
    )
