"""Changes since the last build: the rows that each source, view and table has lost and gained.

Sources of versioned records change by loads: what the new loads brought, and what they replaced.
Other sources are compared with a copy, or a hash, of what the last build read. A view changes by
its own SELECT over the changed rows of its inputs; a table, by its rows before and after.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import duckdb

from analytics.transform.models import Model, SqlModel
from analytics.transform.parsing import renamed
from analytics.warehouse.sources import SOURCES

STATE = "warehouse.state"
WORKSPACE = "workspace_id"
SHARED = "memory.main"
"""The schema in memory that all connections see.

A transaction that writes to a file cannot write to it.
"""

SUPERSEDED = "raw.superseded"
_VERSIONED = tuple(f"raw.{source.name}" for source in SOURCES)
_BY_LOAD = ("ledger.files", "ledger.requests", "ledger.list_snapshots")
_COPIED = {
    "ledger.workspaces": (WORKSPACE,),
    "ledger.loads": (WORKSPACE, "load_id"),
    "ledger.provisional_runs": (WORKSPACE, "run_id"),
}
_IS_NEW = "is_new_row"
_NONE_SUPERSEDED = f"{SHARED}.none_superseded"


@dataclass(frozen=True)
class Change:
    """Rows that a relation lost or gained, in a relation of its columns and `is_new_row`.

    Rows that are of one `key` differ in some columns only. Without `rows`, any may have changed.
    Where only its touched parts are known, the relation has these alone, and is not of rows.
    """

    rows: str = ""
    key: tuple[str, ...] = ()
    is_of_parts: bool = False


ANY = Change()


class Changes:
    """The changes since the last build, by relation; one that is not here did not change.

    `record_count` records of all sources came or went; of a source of unknown rows, all count.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self._by_relation: dict[str, Change] = {}
        self._differing_columns: dict[str, frozenset[str] | None] = {}
        self.record_count = 0
        self._columns: dict[str, tuple[str, ...]] = dict(
            con.execute("""
                select schema_name || '.' || table_name,
                    list(column_name order by column_index)
                from duckdb_columns()
                where database_name in ('warehouse', 'build_file')
                group by all
            """).fetchall()
        )

    def on(self, con: duckdb.DuckDBPyConnection) -> Changes:
        """Return the same changes, and those that either will find, for another connection."""
        other = copy.copy(self)
        other.con = con
        return other

    def __contains__(self, relation: str) -> bool:
        return relation in self._by_relation

    def __getitem__(self, relation: str) -> Change:
        return self._by_relation[relation]

    def columns(self, relation: str) -> Sequence[str]:
        """Return the names of a relation's columns."""
        return self._columns[relation]

    def holding(self, column: str) -> list[str]:
        """Return the relations that have a column, and whose changed rows are known."""
        return [
            name
            for name, each in self._by_relation.items()
            if each.rows and column in self._columns[name]
        ]

    def add(self, relation: str, change: Change = ANY) -> None:
        """Say that a relation changed."""
        self._by_relation[relation] = change

    def read_sources(self) -> None:
        """Find out which sources changed since the last build, and by which rows."""
        con, loads = self.con, f"using ({WORKSPACE}, load_id)"
        counts: dict[str, int] = {}
        con.execute(f"""
            create or replace temp table new_loads as
            select {WORKSPACE}, load_id from ledger.loads anti join {STATE}.loads {loads}
        """)
        con.execute(f"""
            create or replace temp table replaced as
            select version_id from {SUPERSEDED} semi join new_loads {loads}
        """)
        con.execute(f"create or replace table {_NONE_SUPERSEDED} as from {SUPERSEDED} limit 0")
        for source in _VERSIONED:
            counts[source] = self.compare(
                source,
                was=f"from {source} semi join replaced using (version_id)"
                f" anti join new_loads {loads}",
                now=f"from {source} semi join new_loads {loads}"
                f" anti join {SUPERSEDED} using (version_id)",
            )
        for source in _BY_LOAD:
            self.compare(
                source,
                was=f"from {source} limit 0",
                now=f"from {source} semi join new_loads {loads}",
            )
        for source, key in _COPIED.items():
            copy = f'{STATE}."{source}"'
            was, now = (
                f"from {copy} except from {source}",
                f"from {source} except from {copy}",
            )
            self.compare(source, was=was, now=now, key=key)
        known = dict(con.execute(f"select name, fingerprint from {STATE}.sources").fetchall())
        for source, fingerprint in con.execute(_fingerprints(con)).fetchall():
            if known.get(source) != fingerprint:
                self.add(source)
        known = dict(con.execute(f"select name, row_count from {STATE}.source_rows").fetchall())
        new_rows = dict(con.execute(_row_counts(f"semi join new_loads {loads}")).fetchall())
        for source, count in con.execute(_row_counts()).fetchall():
            if count != known.get(source, 0) + new_rows[source]:
                self.add(source)  # rows that no load brought, or took away
                counts[source] = count
        self.record_count = sum(counts.values())

    def compare(self, relation: str, was: str, now: str, key: Sequence[str] = ()) -> int:
        """Add the change of a relation from two SELECTs of its rows; return how many differ."""
        rows = _changed_rows(relation)
        ((count,),) = self.con.execute(f"""
            create or replace table {rows} as
            select *, false as {_IS_NEW} from ({was})
            union all select *, true from ({now})
        """).fetchall()
        if count:
            self.add(relation, Change(rows, tuple(key)))
        return int(count)

    def add_parts(self, relation: str, parts: str) -> None:
        """Add the change of a relation of which any row of some parts, a SELECT, may differ."""
        rows = _changed_rows(relation)
        self.con.execute(f"create or replace table {rows} as {parts}")
        self.add(relation, Change(rows, is_of_parts=True))

    def gained(self, relation: str) -> tuple[int, int]:
        """Return by how many rows, and by which sum of their hashes, a relation grew."""
        columns = ", ".join(f'"{each}"' for each in self.columns(relation))
        changed = self._by_relation[relation].rows
        hashes = " union all ".join(
            f"select {sign} as sign, hash(rows) as row_hash"
            f" from (select {columns} from {changed} where {state}) as rows"
            for sign, state in ((1, _IS_NEW), (-1, f"not {_IS_NEW}"))
        )
        ((count, total),) = self.con.execute(
            f"select sum(sign)::bigint, sum(sign * row_hash::hugeint)::hugeint from ({hashes})"
        ).fetchall()
        return int(count), int(total)

    def _differing(self, relation: str) -> frozenset[str] | None:
        """Return the columns in which rows of the same key differ; None if a key is new or gone."""
        if relation not in self._differing_columns:
            self._differing_columns[relation] = self._find_differing(relation)
        return self._differing_columns[relation]

    def _find_differing(self, relation: str) -> frozenset[str] | None:
        change = self._by_relation[relation]
        if not change.key:
            return None
        columns = [each for each in self.columns(relation) if each not in change.key]
        differ = [f'min(hash("{each}")) <> max(hash("{each}"))' for each in columns]
        names = [f"differs_{number}" for number in range(len(columns) + 1)]
        found = self.con.execute(f"""
            select {", ".join(f"bool_or({name})" for name in names)}
            from (
                select {", ".join(["count(*) <> 2", *differ])}
                from {change.rows} group by {", ".join(change.key)}
            ) as keys ({", ".join(names)})
        """).fetchone()
        if found is None or found[0]:
            return None
        return frozenset(each for each, is_so in zip(columns, found[1:], strict=True) if is_so)

    def follow_view(self, model: SqlModel, changed: Collection[str]) -> None:
        """Add the change of a view, of which these inputs changed.

        Of a join, a row changed if that of either side did.
        """
        if any(self._by_relation[name] == ANY for name in changed):
            self.add(model.relation)
            return
        selects = []
        for name in changed:
            for is_new in ("false", "true"):
                source = self._by_relation[name].rows
                names = {each: f"warehouse.{each}" for each in model.reads}
                names[name] = (
                    f"(select * exclude ({_IS_NEW}) from {source} where {_IS_NEW} = {is_new})"
                )
                if name in _VERSIONED:
                    names[SUPERSEDED] = _NONE_SUPERSEDED
                selects.append(
                    f"select *, {is_new} as {_IS_NEW} from ({renamed(model.sql, names)})"
                )
        rows = _changed_rows(model.relation)
        self.con.execute(f"create or replace view {rows} as {' union all by name '.join(selects)}")
        self.add(model.relation, Change(rows))

    def affects(self, model: Model, relation: str) -> bool:
        """Return True if the change of an input may be in a column that the model reads."""
        read = model.columns_read(relation)
        if read is None or (columns := self._differing(relation)) is None:
            return True
        return not columns.isdisjoint(read)

    def rows_seen_by(self, model: Model, relation: str, columns: Sequence[str]) -> str:
        """Return a SELECT of columns over the rows that an input lost and gained.

        Rows that differ only in columns that the model does not read are left out.
        """
        return self._seen_by(model, relation, columns, columns)

    def parts_seen_by(self, model: Model, relation: str, part: str) -> str:
        """Return a SELECT of workspace and `part`, an expression, over the same rows."""
        named = [each for each in self.columns(relation) if re.search(rf"\b{each}\b", part)]
        return self._seen_by(model, relation, (WORKSPACE, f"{part} as part"), (WORKSPACE, *named))

    def _seen_by(
        self, model: Model, relation: str, expressions: Sequence[str], columns: Sequence[str]
    ) -> str:
        change, read = self._by_relation[relation], model.columns_read(relation)
        if read is None or change.is_of_parts:
            return self.rows(relation, expressions)
        kept = ", ".join(each for each in self.columns(relation) if each in read or each in columns)
        return f"""
            select {", ".join(expressions)} from {change.rows} group by {kept}
            having count(*) filter ({_IS_NEW}) <> count(*) filter (not {_IS_NEW})
        """

    def rows(self, relation: str, expressions: Sequence[str]) -> str:
        """Return a SELECT of these expressions over the rows that a relation lost and gained."""
        return f"select {', '.join(expressions)} from {self._by_relation[relation].rows}"


def _changed_rows(relation: str) -> str:
    """Return the name of what holds the changed rows of a relation."""
    return f"{SHARED}.changed_{relation.replace('.', '_')}"


def record_sources(con: duckdb.DuckDBPyConnection) -> None:
    """Keep what a build has read of the sources, so that the next one finds what changed."""
    con.execute(f"create schema if not exists {STATE}")
    con.execute(
        f"create or replace table {STATE}.loads as select {WORKSPACE}, load_id from ledger.loads"
    )
    for source in _COPIED:
        con.execute(f'create or replace table {STATE}."{source}" as from {source}')
    con.execute(f"create or replace table {STATE}.source_rows as {_row_counts()}")
    con.execute(f"create or replace table {STATE}.sources as {_fingerprints(con)}")


def _row_counts(rows: str = "") -> str:
    """Return the SQL of the number of `rows` of each source that changes by loads; of all rows."""
    return " union all ".join(
        f"select '{name}' as name, count(*) as row_count from {name} {rows}"
        for name in (*_VERSIONED, *_BY_LOAD, SUPERSEDED)
    )


def _fingerprints(con: duckdb.DuckDBPyConnection) -> str:
    """Return the SQL of a hash of all rows of each source that has neither loads nor a copy."""
    names = con.execute("""
        select schema_name || '.' || table_name from duckdb_tables()
        where database_name = 'warehouse'
            and (schema_name = 'finance' or schema_name || '.' || table_name = 'ledger.quarantine')
        order by all
    """).fetchall()
    return " union all ".join(
        f"select '{name}' as name, concat(count(*), ' ', sum(hash(rows))) as fingerprint"
        f" from {name} as rows"
        for (name,) in names
    )
