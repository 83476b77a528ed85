"""The published tables and their columns, as the comments in the published file describe them."""

from __future__ import annotations

from pathlib import Path

from analytics.errors import UsageError
from analytics.format.suggestions import did_you_mean
from analytics.published.sandbox import open_published
from analytics.warehouse.confined import CUSTOM
from analytics.warehouse.database import quoted

_SCHEMAS = ("marts", "audit", CUSTOM)

TABLES = f"""
    select schema_name as "schema", table_name as "table",
        rtrim(regexp_extract("comment", 'Grain: (.*)$', 1), '.') as one_row_per,
        column_count as columns
    from duckdb_tables()
    where database_name = 'analytics' and schema_name in {_SCHEMAS}
    order by list_position({[*_SCHEMAS]}, schema_name), table_name
"""
"""The query for all tables to ask: of what each has one row, and its number of columns."""

_COLUMNS = """
    select column_name as "column", data_type as type, "comment"
    from duckdb_columns()
    where database_name = 'analytics' and schema_name = '{}' and table_name = '{}'
    order by column_index
"""


def columns_query(published: Path, wanted: str) -> tuple[str, str]:
    """Return the comment of a table, with its schema or without, and the query for its columns.

    UsageError, with similar names, if there is none.
    """
    with open_published(published) as con:
        found = con.execute(
            "select schema_name, table_name, comment from duckdb_tables()"
            " where database_name = 'analytics' order by all"
        ).fetchall()
    for schema, table, comment in found:
        if wanted.lower() in (table.lower(), f"{schema}.{table}".lower()):
            return comment or "", _COLUMNS.format(quoted(schema), quoted(table))
    hint = did_you_mean(wanted.rpartition(".")[2], {table: table for _, table, _ in found})
    raise UsageError(f"There is no table {wanted}: `analytics sql --tables` shows all.\n{hint}")
