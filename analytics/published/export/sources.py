"""The published tables as sources of dbt: YAML, from the comments of the file itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SCHEMAS = {
    "marts": "Tables to rely on: runs, days, months, bills, and what describes them.",
    "audit": "Tables about the batch itself: loads, requests, checks, reconciliation.",
    "reports": "Tables that pages show, one a section.",
    "custom": "Relations of the user's own.",
}
"""A sentence on each published schema."""

_COLUMNS = """
    select schema_name, table_name, tables.comment, column_name, data_type, columns.comment
    from duckdb_tables() as tables
    join duckdb_columns() as columns using (schema_name, table_name)
    where not tables.internal
    order by list_position($schemas, schema_name) nulls last, schema_name, table_name, column_index
"""


def sources(con: duckdb.DuckDBPyConnection) -> str:
    """Return `sources` of dbt: each published table with its columns, types and meanings."""
    rows = con.execute(_COLUMNS, {"schemas": list(SCHEMAS)}).fetchall()
    return "\n".join(["version: 2", "sources:", *_lines(rows)]) + "\n"


def _lines(rows: list[tuple[str, ...]]) -> Iterator[str]:
    for schema, of_schema in groupby(rows, itemgetter(0)):
        yield f"  - name: {_quoted(schema)}"
        if meaning := SCHEMAS.get(schema):
            yield f"    description: {_quoted(meaning)}"
        yield "    database: analytics"
        yield "    tables:"
        for (table, comment), columns in groupby(of_schema, itemgetter(1, 2)):
            yield f"      - name: {_quoted(table)}"
            yield f"        description: {_quoted(comment)}"
            yield "        columns:"
            for *_, column, kind, meaning in columns:
                yield f"          - name: {_quoted(column)}"
                yield f"            data_type: {_quoted(kind)}"
                yield f"            description: {_quoted(meaning)}"


def _quoted(text: str | None) -> str:
    """Return a text as a YAML string, in which dbt finds no expression to evaluate."""
    literal = (text or "").replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #")
    return json.dumps(literal, ensure_ascii=False)
