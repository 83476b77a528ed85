"""SELECT statements, parsed: the tables and the columns that they name, and where."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

_NO_OFFSET = 2**64 - 1  # as DuckDB has it


@dataclass(frozen=True)
class TableName:
    """A table as a SELECT names it: schema and alias are empty if not given.

    It stands `offset` bytes after the start; of a table that is named without FROM (`table t`),
    DuckDB does not say where.
    """

    schema: str
    name: str
    alias: str
    offset: int

    @property
    def relation(self) -> str:
        """The name as it is written."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


def tables_read(sql: str) -> frozenset[tuple[str, str]]:
    """Return schema and name of each table that a SELECT reads; the schema is empty if not given.

    Common table expressions are none. ValueError if the text is not one SELECT, or names a table
    of another file than the present one.
    """
    return frozenset((table.schema, table.name) for table in _parsed(sql).tables)


def renamed(sql: str, names: Mapping[str, str]) -> str:
    """Return the SELECT with other names of the tables that `names` has, as `schema.name`.

    Columns are still qualified by the names as they were.
    """
    text = sql.encode()
    for table in sorted(_parsed(sql).tables, key=lambda each: each.offset, reverse=True):
        if table.schema and (name := names.get(table.relation)):
            end = table.offset + len(table.relation.encode())
            name = name if table.alias else f"{name} as {table.name}"
            text = text[: table.offset] + name.encode() + text[end:]
    return text.decode()


def columns_read(sql: str, relation: str) -> frozenset[str] | None:
    """Return the names of all columns that stand in a SELECT; None if a `*` has all of `relation`.

    The names may be of other tables, too.
    """
    parsed = _parsed(sql)
    return None if relation in parsed.whole else parsed.columns


@dataclass(frozen=True)
class _Parsed:
    """The tables and columns of a SELECT, and the tables of which a `*` has all columns."""

    tables: tuple[TableName, ...]
    columns: frozenset[str]
    whole: frozenset[str]


_statements: dict[str, _Parsed | ValueError] = {}
"""Parsed statements, or the reasons why they could not be parsed, by their text."""


def parse(texts: Iterable[str]) -> None:
    """Parse SELECT statements together, for the functions above: one by one takes twice as long.

    One that is not right is told where it is used.
    """
    if new := [sql for sql in dict.fromkeys(texts) if sql not in _statements]:
        # Without what is empty, as most fields are.
        rows = _parser().execute(
            "select json_serialize_sql(sql, skip_empty := true, skip_default := true)"
            " from unnest(?::varchar[]) as texts (sql)",
            [new],
        )
        for sql, (tree,) in zip(new, rows.fetchall(), strict=True):
            try:
                _statements[sql] = _read(json.loads(tree))
            except ValueError as error:
                _statements[sql] = error


def _parsed(sql: str) -> _Parsed:
    parse([sql])
    found = _statements[sql]
    if isinstance(found, _Parsed):
        return found
    raise ValueError(*found.args)


def _read(tree: Any) -> _Parsed:
    if tree["error"]:
        raise ValueError(tree["error_message"])
    if (count := len(tree["statements"])) != 1:
        raise ValueError(f"holds {count} statements; a file holds one SELECT")
    tables, columns = [], set[str]()
    expressions, whole = set[str](), set[str]()
    for node in nodes(tree):
        if catalog := node.get("catalog_name"):
            raise ValueError(f"{catalog} stands before a schema; a table is SCHEMA.TABLE")
        expressions.update(each["key"] for each in node.get("cte_map", {}).get("map", ()))
        columns.update(node.get("column_names", [])[-1:])
        columns.update(node.get("using_columns") or [])
        if node.get("type") == "BASE_TABLE":
            tables.append(node)
        elif node.get("type") == "SELECT_NODE":
            whole.update(_all_of(node))
    return _Parsed(
        tuple(
            TableName(
                each.get("schema_name", ""),
                each["table_name"],
                each.get("alias", ""),
                each.get("query_location", _NO_OFFSET),
            )
            for each in tables
            if "schema_name" in each or each["table_name"] not in expressions
        ),
        frozenset(columns),
        frozenset(whole),
    )


def _all_of(select: dict[str, Any]) -> Iterator[str]:
    """Yield the tables of which a SELECT has all columns by a `*`."""
    stars = {
        each.get("relation_name", "") for each in select["select_list"] if each["class"] == "STAR"
    }
    for table in _joined(select["from_table"]):
        if stars & {"", table.get("alias") or table["table_name"]}:
            yield f"{table.get('schema_name', '')}.{table['table_name']}"


def _joined(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the tables that stand in a FROM clause themselves, not in a subquery of it."""
    if table["type"] == "JOIN":
        yield from _joined(table["left"])
        yield from _joined(table["right"])
    elif table["type"] == "BASE_TABLE":
        yield table


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects of a parsed statement, each before those that it holds."""
    left = [tree]
    while left:
        branch = left.pop()
        if isinstance(branch, dict):
            yield branch
            branch = branch.values()
        left.extend(each for each in branch if isinstance(each, dict | list))
