"""The relations that a query reads, so that figures of an earlier time need not be made whole."""

from __future__ import annotations

import json

import duckdb

from analytics.published.sandbox import parsed
from analytics.transform.parsing import nodes

_PURE = frozenset(("unnest", "range", "generate_series", "repeat"))
"""Table functions that read no catalog."""

_CATALOGS = ("information_schema", "pg_catalog")
_OF_CATALOGS = ("duckdb_", "pragma_", "sqlite_", "pg_")


def relations_read(sql: str) -> frozenset[str] | None:
    """Return the names, with schema if given, of tables that a SELECT may read, in lower case.

    None if it may be any: it asks for the catalog itself, or is another statement, such as DESCRIBE
    or EXPLAIN. Names of common table expressions are among them. UsageError as `parsed` has it.
    """
    with duckdb.connect() as con:
        judged = parsed(con, sql)
        ((text,),) = con.execute("select json_serialize_sql(?::varchar)", [judged]).fetchall()
    tree = json.loads(text)
    if tree["error"]:
        return None
    found = set()
    for node in nodes(tree):
        match node:
            case {"type": "SHOW_REF"}:
                return None
            case {"type": "TABLE_FUNCTION", "function": {"function_name": str(name)}}:
                if name.lower() not in _PURE:
                    return None
            case {"type": "BASE_TABLE", "schema_name": schema, "table_name": name}:
                if schema.lower() in _CATALOGS or name.lower().startswith(_OF_CATALOGS):
                    return None
                found.add(".".join(filter(None, (schema, name))).lower())
    return frozenset(found)
