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

_QUERIES = ("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE")

_EXPLAIN = re.compile(
    r"\Aexplain\b(?:\s+analyze\b)?(?:\s*\((?:analyze\b|format\s+\w+|[\s,])+\))?",
    re.IGNORECASE | re.ASCII,
)
"""The words before what is explained; they begin no comment, no text, and no SELECT."""

_PATH = re.compile(r"(?<![\w/.~])~?/(?:[^\s'\"/:,()]+/)*[^\s'\"/:,()]+")


class NotAllowedError(ValueError):
    """A statement asks for more than figures; the message names what is refused."""


def kind_of(statement: duckdb.Statement) -> str:
    """Return the kind of a statement, as SELECT; some have no name in the library."""
    try:
        return statement.type.name
    except ValueError:
        return "This statement"


def judged(statement: duckdb.Statement) -> str:
    """Return the text of a SELECT, or of an EXPLAIN of one, which asks for figures alone.

    This text was judged, so run this: it stands without semicolons and comments after it, so that
    SQL can go around it. NotAllowedError for what asks for more.
    """
    sql = select = trimmed(statement.query)
    if statement.type == duckdb.StatementType.EXPLAIN:
        sql = _from_first_word(sql)
        select = _EXPLAIN.sub("", sql)
    _require_figures(select)
    return sql


def _require_figures(select: str) -> None:
    """Raise NotAllowedError unless a text is one SELECT that asks for figures alone."""
    for node in _nodes(select):
        match node:
            case {"cte_map": _, "type": kind} if kind not in _QUERIES:
                raise NotAllowedError(f"{kind.partition('_')[0]} within a SELECT")
            case {"type": "TABLE_FUNCTION", "function": {"function_name": name}} if (
                name.lower() not in TABLE_FUNCTIONS
            ):
                raise NotAllowedError(f"The function {name}")
            case {"function_name": name} if name.lower() in REFUSED_FUNCTIONS:
                raise NotAllowedError(f"The function {name}")
            case {"type": "BASE_TABLE" | "SHOW_REF", "table_name": name, "schema_name": of} if (
                of.lower() == "pg_catalog" or _is_of_system(name)
            ):
                raise NotAllowedError(f"The table {name}")
            case {"show_type": "SHOW_SPECIAL", "table_name": name} if name not in _SHOWN:
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


def trimmed(sql: str) -> str:
    """Return a statement without the semicolons and comments after it."""
    text = sql.encode()
    end = len(text)
    for offset, kind in reversed(duckdb.tokenize(sql)):
        if kind != duckdb.token_type.comment and text[offset : offset + 1] != b";":
            break
        end = offset
    return text[:end].decode().rstrip()


def _from_first_word(sql: str) -> str:
    """Return a statement without the comments before it."""
    starts = (at for at, kind in duckdb.tokenize(sql) if kind != duckdb.token_type.comment)
    return sql.encode()[next(starts, 0) :].decode()


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def without_paths(message: str, sql: str) -> str:
    """Return an error of DuckDB without the paths in it that the statement did not name."""
    return _PATH.sub(lambda found: found[0] if found[0] in sql else "…", message)


def _is_of_system(table: str) -> bool:
    name = table.lower()
    return name.startswith(SYSTEM_TABLES) and name not in TABLES
