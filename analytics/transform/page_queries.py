"""Queries of pages: SELECTs that a batch does not build, made when they are needed.

They are the files of `reports/queries/`, each named `reports.NAME` in the others, as are the
relations of `queries/report/`, which a batch builds beside the warehouse since they read all
runs. Where a connection does not see these, as with the published file alone, they are made too.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

import duckdb

from analytics.files import folder
from analytics.transform.models import SqlModel, read_folder
from analytics.transform.parsing import renamed, tables_read

_SCHEMA = "reports"


@cache
def page_queries() -> dict[str, SqlModel]:
    """Read the queries of `reports/queries/`, by `reports.NAME`."""
    return {each.relation: each for each in read_folder(_SCHEMA, folder("reports") / "queries")}


def create_queries(con: duckdb.DuckDBPyConnection, names: Collection[str] = ()) -> dict[str, str]:
    """Make page queries temporary tables, or views where their header says so.

    All are made, or those of `names`, as `reports.NAME`, and what they read; each can be read by
    `NAME` then. Return the table of each that was made.
    """
    built = {each.relation: each for each in read_folder(_SCHEMA, folder("queries") / "report")}
    rows = con.execute("select table_name from duckdb_tables() where schema_name = ?", [_SCHEMA])
    there = {f"{_SCHEMA}.{name}" for (name,) in rows.fetchall()}
    queries = {**built, **page_queries()}
    made: dict[str, str] = {}

    def make(query: SqlModel) -> None:
        if query.relation in made:
            return
        for name in sorted(query.reads & queries.keys() - there):
            make(queries[name])
        kind = "view" if query.header.is_view else "table"
        con.execute(f"create or replace temp {kind} {query.name} as {renamed(query.sql, made)}")
        made[query.relation] = f"temp.{query.name}"

    for name in names or page_queries():
        if name in there:
            con.execute(f"create or replace temp view {queries[name].name} as from {name}")
        else:
            make(queries[name])
    return made


def over_queries(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return a SELECT as it can be run: the page queries that it reads are made before."""
    names = [f"{schema}.{name}" for schema, name in tables_read(sql) if schema == _SCHEMA]
    return renamed(sql, create_queries(con, names)) if names else sql
