"""New versions of a source's records, and the stored ones that they replace.

No row of `raw` is ever updated: a version that is replaced, or gone, is named in `raw.superseded`.
Of the load, temporary tables hold its requests (`load_requests`), and of the source its valid lines
(`incoming`) and the keys of its invalid ones (`quarantined_keys`).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from analytics.warehouse.schema import LINEAGE
from analytics.warehouse.sources import Scope, Source
from analytics.warehouse.store import Store

_BY_RECORD = (Scope.LIST, Scope.RECORD)


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions that a load brings, and those that it replaces: FROM items, and their counts."""

    new: str
    replaced: str
    new_count: int
    replaced_count: int


def store_versions(store: Store, load_id: str, source: Source, quarantined: int) -> Versions:
    """Store the lines that differ from the current rows in the scope of the requests.

    `quarantined` is the number of invalid records among the lines.
    """
    con, key = store.con, ", ".join(source.keys)
    if source.scope is Scope.DAY:
        _keep_asked(con)
    _keep_latest(con, source)
    _find_current_rows(store, source, quarantined)
    if source.scope in _BY_RECORD and not con.execute("from current_rows limit 1").fetchone():
        new = "incoming"  # as on a first batch
    else:
        con.execute(f"""
            create or replace temp table new_rows as
            select line from incoming_numbered
            semi join scope using ({key})
            anti join current_rows using ({key}, record_hash, copy)
        """)
        new = "(from incoming semi join new_rows using (line))"
    replaced = f"(from current_rows anti join incoming_numbered using ({key}, record_hash, copy))"
    replaced_count = store.one(
        f"insert into raw.superseded select version_id, $workspace_id, $load_id from {replaced}",
        load_id=load_id,
    )
    columns = ", ".join(["request", "line", "seen_at", "record_hash", *source.columns])
    new_count = store.one(
        f"insert into raw.{source.name} ({', '.join(LINEAGE)}, {', '.join(source.columns)})"
        f" select nextval('raw.version_ids'), $workspace_id, $load_id, {columns} from {new}",
        load_id=load_id,
    )
    return Versions(new, replaced, new_count, replaced_count)


def _keep_asked(con: duckdb.DuckDBPyConnection) -> None:
    """Leave out days that a request did not ask for: of its end it may have the first hour."""
    con.execute("""
        delete from incoming using load_requests as q
        where q.request = incoming.request
            and incoming.date not between q.window_start and q.window_end - 1
    """)


def _keep_latest(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """If a load read a record twice, keep the later response."""
    key = ", ".join(source.keys)
    if source.scope in _BY_RECORD:
        repeated, order = "count(*) > 1", "request desc, line desc"
    else:
        repeated, order = "min(request) < max(request)", "request desc"
    con.execute(f"""
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


def _find_current_rows(store: Store, source: Source, quarantined: int) -> None:
    """Select the current rows that the lines may replace, and number equal rows under one key.

    If one is stored and two arrive, the second `copy` is new.
    """
    con, key = store.con, ", ".join(source.keys)
    copy = "1"  # a record with its own key is unique
    if source.scope not in _BY_RECORD:
        copy = f"row_number() over (partition by {key}, record_hash order by {{}})"
    con.execute(f"""
        create or replace temp view incoming_numbered as
        select *, {copy.format("line")} as copy from incoming
    """)
    con.execute(f"create or replace temp view scope as {_scope(source, quarantined)}")
    store.run(f"""
        create or replace temp table current_rows as
        select v.version_id, {key}, v.record_hash, {copy.format("version_id")} as copy
        from raw.{source.name} as v
        semi join scope using ({key})
        anti join raw.superseded as s using (version_id)
        where v.{{mine}}
    """)
    if quarantined and source.parts:
        _keep_rows_of_quarantined(con, source)


def _keep_rows_of_quarantined(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Keep stored rows of days and runs with quarantined records that no line replaces."""
    same = " and ".join(
        f"i.{column} is not distinct from v.{column}" for column in source.keys + source.parts
    )
    con.execute(f"""
        delete from current_rows where version_id in (
            select v.version_id
            from raw.{source.name} as v
            semi join current_rows using (version_id)
            semi join quarantined_keys using ({", ".join(source.keys)})
            where not exists (select 1 from incoming as i where {same})
        )
    """)


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
