"""SELECT statements, parsed: the tables and the columns that they name, and where."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
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
    """Return the names of the columns that a SELECT reads of a relation; None if `*` has them all.

    Names that stand without that of a table may be of other tables, too.
    """
    parsed = _parsed(sql)
    if relation in parsed.whole:
        return None
    read = set[str]()
    for *qualifiers, column in parsed.columns:
        if not qualifiers or relation in parsed.named.get(qualifiers[-1], ()):
            read.add(column)
        elif qualifiers[-1] not in parsed.named:  # a field of a column
            read.update((*qualifiers, column))
    return frozenset(read)


@dataclass(frozen=True)
class _Parsed:
    """The tables and columns of a SELECT, and the tables of which a `*` has all columns.

    Columns stand with what they are qualified by; `named` has the relations that a qualifier names,
    none for a subquery.
    """

    tables: tuple[TableName, ...]
    columns: frozenset[tuple[str, ...]]
    whole: frozenset[str]
    named: Mapping[str, Collection[str]]


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
    tables, columns = [], set[tuple[str, ...]]()
    expressions, whole, named = set[str](), set[str](), defaultdict[str, set[str]](set)
    for node in nodes(tree):
        if catalog := node.get("catalog_name"):
            raise ValueError(f"{catalog} stands before a schema; a table is SCHEMA.TABLE")
        expressions.update(each["key"] for each in node.get("cte_map", {}).get("map", ()))
        if names := node.get("column_names"):
            columns.add(tuple(names))
        columns.update((each,) for each in node.get("using_columns") or ())
        if node.get("type") == "BASE_TABLE":
            tables.append(node)
            named[node.get("alias") or node["table_name"]].add(_relation_of(node))
        elif node.get("type") == "SUBQUERY" and node.get("alias"):
            named[node["alias"]].update()
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
        named,
    )


def _all_of(select: dict[str, Any]) -> Iterator[str]:
    """Yield the tables of which a SELECT may have all columns: by a `*`, or by `columns(…)`."""
    stars = {
        each.get("relation_name", "")
        for each in nodes(select["select_list"])
        if each.get("class") == "STAR"
    }
    for table in _joined(select["from_table"]):
        if stars & {"", table.get("alias") or table["table_name"]}:
            yield _relation_of(table)


def _relation_of(table: dict[str, Any]) -> str:
    return f"{table.get('schema_name', '')}.{table['table_name']}"


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
            left.extend(branch.values())
        elif isinstance(branch, list):
            left.extend(branch)
