"""The part of DuckDB that a statement of a user may ask: figures, and nothing of the machine.

Paths, settings, secrets, logs and files stand behind functions and tables of the system. A table
function must be known to be harmless; of scalar functions, those that are known not to be are
refused.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import duckdb

from analytics.transform.parsing import nodes

TABLES = frozenset(
    (
        "duckdb_columns",
        "duckdb_constraints",
        "duckdb_functions",
        "duckdb_keywords",
        "duckdb_schemas",
        "duckdb_tables",
        "duckdb_types",
        "duckdb_views",
    )
)
"""Tables, and functions of the same name, that describe the published tables and the language."""

TABLE_FUNCTIONS = TABLES | {
    "generate_series",
    "histogram",
    "histogram_values",
    "json_each",
    "json_tree",
    "pg_timezone_names",
    "range",
    "repeat",
    "repeat_row",
    "unnest",
}

SYSTEM_TABLES = ("duckdb_", "pragma_", "pg_", "sqlite_")
"""The beginnings of names of tables of the system; `information_schema` is harmless."""

REFUSED_FUNCTIONS = frozenset(
    (
        "current_setting",
        "currval",
        "getenv",
        "json_execute_serialized_sql",
        "json_serialize_plan",
        "nextval",
        "setval",
        "write_log",
    )
)
"""Scalar functions that read the machine or its settings, or write."""

_SHOWN = ('"tables"', "__show_tables_expanded")

_EXPLAIN = re.compile(
    r"\A(?:\s|--[^\n]*\n|/\*.*?\*/)*explain\b\s*(?:analyze\b)?\s*(?:\([^()]*\))?",
    re.IGNORECASE | re.DOTALL,
)
_PATH = re.compile(r"(?<![\w/.~])~?/(?:[^\s'\"/:,()]+/)*[^\s'\"/:,()]+")


class NotAllowedError(ValueError):
    """A statement asks for more than figures; the message names what is refused."""


def kind_of(statement: duckdb.Statement) -> str:
    """Return the kind of a statement, as SELECT; some have no name in the library."""
    try:
        return statement.type.name
    except ValueError:
        return "This statement"


def require_allowed(sql: str) -> None:
    """Raise NotAllowedError unless a SELECT, or an EXPLAIN of one, asks for figures alone."""
    for node in _nodes(_EXPLAIN.sub("", sql, count=1)):
        match node:
            case {"type": "TABLE_FUNCTION", "function": {"function_name": str(name)}}:
                if name.lower() not in TABLE_FUNCTIONS:
                    raise NotAllowedError(f"The function {name}")
            case {"function_name": str(name)}:
                if name.lower() in REFUSED_FUNCTIONS:
                    raise NotAllowedError(f"The function {name}")
            case {"type": "BASE_TABLE" | "SHOW_REF", "table_name": str(name), "schema_name": of}:
                if of.lower() == "pg_catalog" or _is_of_system(name):
                    raise NotAllowedError(f"The table {name}")
                if node.get("show_type") == "SHOW_SPECIAL" and name not in _SHOWN:
                    raise NotAllowedError(f"SHOW {name}")


def _nodes(select: str) -> list[dict[str, Any]]:
    """Return the nodes of one SELECT as DuckDB parses it."""
    ((text,),) = _parser().execute("select json_serialize_sql(?::varchar)", [select]).fetchall()
    try:
        tree = json.loads(text)
        found = list(nodes(tree))
    except RecursionError:
        raise NotAllowedError("So deep a nesting") from None
    if tree["error"] or len(tree["statements"]) != 1:
        raise NotAllowedError("A statement that is no plain SELECT")
    return found


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def without_paths(message: str, sql: str) -> str:
    """Return an error of DuckDB without the paths in it that the statement did not name."""
    return _PATH.sub(lambda found: found[0] if found[0] in sql else "…", message)


def _is_of_system(table: str) -> bool:
    name = table.lower()
    return name.startswith(SYSTEM_TABLES) and name not in TABLES
