"""The part of DuckDB that a SELECT of a user may ask: figures, and nothing of the machine.

DuckDB itself opens no other file, and writes nothing (see `bounded.confined`). What it would tell
all the same is judged here: paths, settings, secrets and logs stand behind functions and tables of
the system. A table function must be known to be harmless; of scalar functions, those that are known
not to be are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

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
    "what_if",
    "what_if_by_model",
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
_REMEDIES = {
    "EXPLAIN": "ask it of the published file with any DuckDB client",
    "MULTI": "if it is a PIVOT, list its values: PIVOT t ON x IN ('a', 'b') USING sum(y)",
}
_PATH = re.compile(r"(?<![\w/.~])~?/(?:[^\s'\"/:,()]+/)*[^\s'\"/:,()]+")


def selects(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[str]:
    """Yield each SELECT of a text, on the line where it stands, without what follows it.

    It was judged as it is yielded, and other SQL can stand around it. ValueError if a statement is
    no SELECT, or asks for more than figures.
    """
    lines = 0
    for statement in con.extract_statements(sql):
        if statement.type != duckdb.StatementType.SELECT:
            kind = str(statement.type).partition(".")[2] or "This statement"
            name = "A statement of several parts" if kind == "MULTI" else kind
            remedy = _REMEDIES.get(kind, "write one SELECT")
            raise ValueError(f"{name} is refused: {remedy}")
        select = _trimmed(statement.query)
        _require_figures(con, select)
        yield "\n" * lines + select
        lines += statement.query.count("\n")


def without_paths(message: str, sql: str) -> str:
    """Return an error of DuckDB without the paths in it that the statement did not name."""
    return _PATH.sub(lambda found: found[0] if found[0] in sql else "…", message)


def _require_figures(con: duckdb.DuckDBPyConnection, select: str) -> None:
    ((text,),) = con.execute("select json_serialize_sql(?::varchar)", [select]).fetchall()
    tree = json.loads(text)
    found = list(nodes(tree))
    if tree["error"] or len(tree["statements"]) != 1:
        raise _refused("A statement that is no plain SELECT")
    for node in found:
        match node:
            case {"cte_map": _, "type": kind} if kind not in _QUERIES:
                raise _refused(f"{kind.partition('_')[0]} within a SELECT")
            case {"type": "TABLE_FUNCTION", "function": {"function_name": name}} if (
                name.lower() not in TABLE_FUNCTIONS
            ):
                raise _refused(f"The function {name}")
            case {"function_name": name} if name.lower() in REFUSED_FUNCTIONS:
                raise _refused(f"The function {name}")
            case {"type": "BASE_TABLE" | "SHOW_REF", "table_name": name, "schema_name": of} if (
                of.lower() == "pg_catalog" or _is_of_system(name)
            ):
                raise _refused(f"The table {name}")
            case {"show_type": "SHOW_SPECIAL", "table_name": name} if name not in _SHOWN:
                raise _refused(f"SHOW {name}")


def _refused(what: str) -> ValueError:
    return ValueError(
        f"{what} is refused: a query sees the published tables, and nothing of the machine"
    )


def _trimmed(sql: str) -> str:
    """Return a statement without the semicolons and comments after it."""
    text = sql.encode()
    end = len(text)
    for offset, kind in reversed(duckdb.tokenize(sql)):
        if kind != duckdb.token_type.comment and text[offset : offset + 1] != b";":
            break
        end = offset
    return text[:end].decode().rstrip()


def _is_of_system(table: str) -> bool:
    name = table.lower()
    return name.startswith(SYSTEM_TABLES) and name not in TABLES
