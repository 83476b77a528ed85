"""The published tables and their columns, as the comments in the published file describe them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from analytics.bounded.confined import CUSTOM
from analytics.errors import UsageError
from analytics.files import folder
from analytics.format.names import did_you_mean
from analytics.query.published import open_published
from analytics.terminal import console, escaped
from analytics.warehouse.database import quoted

_SCHEMAS = ("marts", "audit", CUSTOM)
_OWN = "Your own"
_WIDTH = 100
_NAME, _GRAIN = 27, 29  # of these characters


@cache
def overview() -> dict[str, dict[str, str]]:
    """Return the columns to know of each table of marts and audit, in groups."""
    return tomllib.loads((folder("queries") / "tables.toml").read_text(encoding="utf-8"))


def tables_query() -> str:
    """Return the query for all tables: group, of what each has one row, and columns to know."""
    rows = ", ".join(
        f"('{quoted(group)}', '{table}', '{columns}')"
        for group, of_group in overview().items()
        for table, columns in of_group.items()
    )
    return f"""
        with known(place, of_group, name, columns_to_know) as (
            select row_number() over (), * from (values {rows})
        )
        select coalesce(of_group, '{_OWN}') as "group", schema_name as "schema",
            table_name as "table",
            rtrim(regexp_extract("comment", 'Grain: (.*)$', 1), '.') as one_row_per,
            columns_to_know
        from duckdb_tables() left join known on name = schema_name || '.' || table_name
        where database_name = 'analytics' and schema_name in {_SCHEMAS}
        order by place nulls last, table_name
    """


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


def print_tables(published: Path) -> None:
    """Print a line or more of each table, in groups, at most 100 characters wide."""
    from rich.table import Table
    from rich.text import Text

    with open_published(published) as con:
        rows = con.execute(tables_query()).fetchall()
    out = console()
    out.width = min(out.width, _WIDTH)

    def show(lines: Iterable[tuple[str | None, ...]], style: str = "") -> None:
        table = Table.grid(padding=(0, 2, 0, 0))
        for width in (_NAME, _GRAIN, None):
            table.add_column(width=width, overflow="fold")
        for line in lines:
            table.add_row(*(Text(escaped(each or "")) for each in line), style=style)
        out.print(table)

    show([("table", "one row per", "columns to know")], "dim")
    for group, of_group in groupby(rows, itemgetter(0)):
        out.print(Text(group, style="bold"))
        show(
            (f"  {name if schema == 'marts' else f'{schema}.{name}'}", grain, columns)
            for _, schema, name, grain, columns in of_group
        )
