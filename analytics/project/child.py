"""The process that parses and runs queries of users: a crash in it costs one query."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from polars.exceptions import PolarsError

from analytics.project.allowed import NotAllowedError, judged, kind_of, without_paths
from analytics.project.serving import bound, serve
from analytics.transform.parsing import tables_read
from analytics.warehouse.confined import TARGET, Limits, interrupted_after, open_confined

_SHOWN_BYTES = 20_000_000  # of the rows of a page's chart, which a browser loads as a whole
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")


def main() -> None:
    """Answer requests until standard input ends."""
    serve(lambda request: [_answer(request)])


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    limits = Limits(**request["limits"])
    bound(limits)
    try:
        statements = _statements(request["sql"])
        if request["task"] == "parse":
            return {"statements": statements}
        return _run(request, limits, statements)
    except (duckdb.Error, PolarsError, MemoryError, ValueError, OSError) as error:
        text = without_paths(str(error).strip(), request["sql"])
        return {"error": limits.in_words(error) or text or type(error).__name__}
    except RecursionError:
        return {"error": "it is nested too deeply"}


def _statements(sql: str) -> list[dict[str, Any]]:
    """Return each statement, on the line where it stands, and the tables that it reads.

    ValueError if one is not a SELECT.
    """
    found, lines = [], 0
    for statement in duckdb.extract_statements(sql):
        if (kind := kind_of(statement)) != duckdb.StatementType.SELECT.name:
            raise ValueError(f"{kind} is refused: write one SELECT")
        try:
            text = judged(statement)
        except NotAllowedError as error:
            raise ValueError(f"{error} is refused: write one SELECT of published tables") from None
        found.append({"sql": "\n" * lines + text, "reads": sorted(tables_read(text))})
        lines += statement.query.count("\n")
    return found


def _run(
    request: dict[str, Any], limits: Limits, statements: list[dict[str, Any]]
) -> dict[str, Any]:
    if len(statements) != 1:
        raise ValueError(f"one SELECT is expected, and it holds {len(statements)}")
    own, target = (Path(request[name]) if name in request else None for name in ("own", "target"))
    database = Path(request["database"])
    temporary = Path(request["temporary"]) if "temporary" in request else None
    with (
        open_confined(database, limits, temporary, own=own, target=target) as con,
        interrupted_after(con, limits.seconds),
    ):
        # Within other SQL a query stays on its lines, so that errors name the right one.
        select = statements[0]["sql"]
        columns = con.execute(f"describe {select}").fetchall()
        if request["task"] == "bind":
            return {"columns": {name: kind for name, kind, *_ in columns}}
        if target:
            made = con.execute(f"create table {TARGET} as {select}").fetchall()
            con.execute("checkpoint target")
            return {"rows": made[0][0]}
        limit = "" if limits.rows is None else f"limit {limits.rows + 1}"
        is_shown = request["task"] == "show"
        wanted = _cast(select, columns, _for_pages if is_shown else _for_python)
        frame = _frame(con.sql(f"{wanted} {limit}"))
        if limits.rows is not None and frame.height > limits.rows:
            return {"error": limits.too_long}
        if is_shown and frame.estimated_size() > _SHOWN_BYTES:
            return {"error": f"it has more than {_SHOWN_BYTES // 10**6} MB: select less"}
        frame.write_ipc(request["frame"])
        return {"rows": frame.height, "columns": [(name, kind) for name, kind, *_ in columns]}


def _cast(
    select: str, columns: Sequence[tuple[str, str]], cast: Callable[[str, str, str], str]
) -> str:
    """Return SQL of numbers and texts alone; the columns are named c0, c1, ….

    Texts hold every day that DuckDB knows, and types of its own.
    """
    names = [f"c{number}" for number in range(len(columns))]
    shown = (
        f"{cast(column, name, kind)} as {column}"
        for column, (name, kind, *_) in zip(names, columns, strict=True)
    )
    return f"select {', '.join(shown)} from ({select}\n) as found ({', '.join(names)})"


def _for_pages(column: str, name: str, kind: str) -> str:
    """Cast to whole numbers, floats and texts, which hold every digit of a decimal."""
    if kind in _WHOLE:
        return f"{column}::bigint"
    if kind in ("FLOAT", "DOUBLE"):
        return f"{column}::double"
    if kind.startswith("TIMESTAMP") and name.lower() in ("date", "month"):
        return f"{column}::date::varchar"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"replace(replace({column}::varchar, ' ', 'T'), '+00', 'Z')"
    return f"{column}::varchar"


def _for_python(column: str, _: str, kind: str) -> str:
    """Cast to whole numbers, decimals and texts."""
    if kind in _WHOLE or re.fullmatch(r"DECIMAL\([\d,]+\)", kind):
        return column
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"replace({column}::varchar, '+00', ' UTC')"
    return f"{column}::varchar"


def _frame(relation: duckdb.DuckDBPyRelation) -> pl.DataFrame:
    """Return the rows of a relation; ValueError for a query that fails on the way."""
    try:
        return pl.DataFrame(relation)
    except PolarsError as error:
        raise ValueError(str(error).removeprefix("got external error: ")) from error


if __name__ == "__main__":
    main()
