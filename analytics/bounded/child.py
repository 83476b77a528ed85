"""The process that runs SQL of users: a crash in it costs one query.

It reads requests from standard input and answers them on standard output, one JSON object a line.
It ends when its standard input does, also in the middle of a query.
"""

from __future__ import annotations

import errno
import json
import os
import queue
import re
import resource
import shutil
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from analytics.bounded.allowed import selects, without_paths
from analytics.bounded.confined import RESULT, open_confined
from analytics.bounded.limits import Limits
from analytics.errors import AnalyticsError
from analytics.transform.parsing import tables_read
from analytics.warehouse.damage import damage_of
from analytics.warehouse.database import quoted
from analytics.warehouse.memory import bytes_of

_OWN_MEMORY = 1 << 30
"""Bytes beyond the memory limit: this program, and what DuckDB does not count."""
_BATCH = 2_048
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_LINE = re.compile(r"(?<=\n\nLINE )\d+(?=: )")
_OPTIONS = {
    "csv": "format csv, header",
    "json": "format json, array true",
    "parquet": "format parquet, compression zstd",
}
_DECIMAL = re.compile(r"DECIMAL\(\d+,\d+\)")
_HUGE = re.compile(r"\bU?HUGEINT\b")
_NESTED_FLOAT = re.compile(r"\b(FLOAT|DOUBLE)\b")
_NOT_IN_PARQUET = re.compile(r"\b(INTERVAL|UUID|JSON|VARIANT|BLOB|TIME WITH TIME ZONE)\b")


def main() -> None:
    """Answer requests until standard input ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    print("ready", file=out, flush=True)
    while True:
        reply = _reply(requests.get())
        with suppress(BrokenPipeError):  # standard input has ended, too
            print(json.dumps(reply), file=out, flush=True)


def _read(requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Hand on requests; when there are no more, remove what was spilled, and end."""
    folder = ""
    for line in sys.stdin:
        request = json.loads(line)
        folder = request["folder"]
        requests.put(request)
    if folder:
        left = f"{folder}-left"  # where a query that still runs writes no more
        with suppress(OSError):
            Path(folder).rename(left)
        shutil.rmtree(left, ignore_errors=True)
    os._exit(0)


def _reply(request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer, or its error; `is_of_file` if that is one of the published file."""
    limits = Limits(**request["limits"])
    _bound(limits)
    try:
        return _answer(request, limits)
    except AnalyticsError as error:
        return {"error": str(error), "is_of_file": True}
    except (duckdb.Error, MemoryError, ValueError, OSError) as error:
        text = str(error).strip()
        is_full = "Out of Memory Error" in text or os.strerror(errno.EFBIG) in text
        if is_full or isinstance(error, MemoryError):
            return {"error": limits.too_big}
        return {"error": without_paths(text, request["sql"]) or type(error).__name__}
    except RecursionError:
        return {"error": "it is nested too deeply"}


def _bound(limits: Limits) -> None:
    """Let no allocation and no file of this process grow beyond the limits."""
    memory, size = bytes_of(limits.memory), bytes_of(limits.size)
    for kind, wanted in (
        (resource.RLIMIT_DATA, memory + _OWN_MEMORY),
        (resource.RLIMIT_FSIZE, 2 * max(memory, size)),
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            wanted = min(wanted, most)
        with suppress(ValueError, OSError):  # a system without this limit
            resource.setrlimit(kind, (wanted, most))


def _answer(request: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Return the answer; AnalyticsError if the file that the query reads is at fault."""
    if request["task"] == "parse":
        statements = list(selects(_parser(), request["sql"]))
        return {"statements": statements, "reads": [sorted(tables_read(s)) for s in statements]}
    with ExitStack() as stack:
        opening = open_confined(
            Path(request["database"]),
            memory=limits.memory,
            temporary=request["spilled"],
            own=request["own"],
            target=request["target"],
        )
        try:
            con = stack.enter_context(opening)
        except duckdb.Error as error:
            raise AnalyticsError(str(error).splitlines()[0]) from error
        statements = list(selects(con, request["sql"]))
        if len(statements) != 1:
            raise ValueError(f"one SELECT is expected, and it holds {len(statements)}")
        try:
            return _run(con, request, limits, f"(\n{statements[0]}\n)")
        except duckdb.Error as error:
            if cause := damage_of(error):
                raise AnalyticsError(cause) from error
            text = _LINE.sub(lambda line: str(int(line[0]) - 1), str(error))
            raise type(error)(text) from error


def _run(
    con: duckdb.DuckDBPyConnection, request: dict[str, Any], limits: Limits, select: str
) -> dict[str, Any]:
    """Run a SELECT, which stands in brackets from its second line on."""
    columns = [each[:2] for each in con.execute(f"describe from {select}").fetchall()]
    if request["task"] == "bind":
        return {"columns": columns}
    file, form = request["target"], request["target"].rpartition(".")[2]
    at_most = "" if limits.rows is None else f"limit {limits.rows + 1}"
    if form == "duckdb":
        made = con.execute(f"create table target.main.{RESULT} as from {select} {at_most}")
        count = made.fetchall()[0][0]
        con.execute("checkpoint target")
    else:
        found = f"from (select {_cast(columns, form)} from {select} as found ({_keys(columns)}))"
        if not form:
            return {"columns": columns, **_rows(con.execute(f"{found} {at_most}"), limits)}
        # Names stand after the SELECT, as line breaks in them would move it.
        names = ", ".join('"' + name.replace('"', '""') + '"' for name, _ in columns)
        copied = f"copy ({found} as named ({names}) {at_most}) to '{quoted(file)}'"
        options = f"({_OPTIONS[form]}, use_tmp_file false)"
        count = con.execute(f"{copied} {options}").fetchall()[0][0]
        if Path(file).stat().st_size > bytes_of(limits.size):
            raise ValueError(limits.too_large)
    if limits.rows is not None and count > limits.rows:
        raise ValueError(limits.too_long)
    return {"columns": columns, "count": count}


def _cast(columns: Sequence[tuple[str, str]], form: str) -> str:
    """Return columns in types that a format has, without the loss of a digit.

    Rows that are handed over are of whole numbers, floats and texts, which hold every day that
    DuckDB knows, and types of its own.
    """
    kinds = (kind for _, kind in columns)
    return ", ".join(_column(f"c{number}", kind, form) for number, kind in enumerate(kinds))


def _column(key: str, kind: str, form: str) -> str:
    is_float = kind in ("FLOAT", "DOUBLE")
    if form == "parquet":
        exact = _NOT_IN_PARQUET.sub("VARCHAR", _HUGE.sub("DECIMAL(38,0)", kind))
        return key if exact == kind else f"{key}::{exact}"
    if kind.startswith("TIMESTAMP") and kind[-1] != "]":
        return f"replace(replace({key}::varchar, ' ', 'T'), '+00', 'Z')"
    if form == "csv":
        return key
    if not form:
        return key if kind in _WHOLE else f"{key}::{'double' if is_float else 'varchar'}"
    if is_float:
        return f"if(isfinite({key}), {key}, null)"
    exact = _DECIMAL.sub("VARCHAR", kind)  # JSON has floats
    if _NESTED_FLOAT.search(kind):  # of which JSON has no infinite ones
        said = f"to_json({key}::{exact})"
        return f"if(regexp_matches({said}, 'NaN|Infinity'), to_json({key}::varchar), {said})"
    return key if exact == kind else f"{key}::{exact}"


def _keys(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"c{number}" for number in range(len(columns)))


def _rows(found: duckdb.DuckDBPyConnection, limits: Limits) -> dict[str, Any]:
    """Return the rows, and how many there are: one more if it has more than the limit."""
    rows, size = [], 0
    while batch := found.fetchmany(_BATCH):
        rows += batch
        cells = (each for row in batch for each in row)
        size += sum(len(each.encode()) if isinstance(each, str) else 8 for each in cells)
        if size > bytes_of(limits.size):
            raise ValueError(limits.too_large)
    return {"rows": rows[: limits.rows], "count": len(rows)}


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


if __name__ == "__main__":
    main()
