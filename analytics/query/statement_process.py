"""The process of one statement on the published file: it answers in parts, within limits."""

from __future__ import annotations

import csv
import io
import json
from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from analytics.errors import AnalyticsError, UsageError
from analytics.project.serving import bound, serve
from analytics.query.output import SHOWN_ROWS, Format
from analytics.query.sandbox import bounded, open_published, parsed, usage_errors
from analytics.query.values import as_text, plain
from analytics.warehouse.confined import Limits
from analytics.warehouse.machine import bytes_of

_BATCH = 2_048
_PART = 1 << 16
_AS_TEXT = frozenset({"INTERVAL", "BLOB"})


def main() -> None:
    """Answer statements until standard input ends."""
    serve(_answers)


def _answers(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    limits = Limits(**request["limits"])
    bound(limits)
    scratch = Path(request["scratch"]) if "scratch" in request else None
    try:
        with (
            open_published(Path(request["database"]), limits, scratch) as con,
            bounded(con, limits),
            usage_errors(request["sql"]),
        ):
            yield from answer(con, request, limits)
    except AnalyticsError as error:
        yield {"error": str(error), "exit_code": error.exit_code}
    except MemoryError:
        text = f"The query has no answer: {limits.too_big}."
        yield {"error": text, "exit_code": UsageError.exit_code}
    except OSError as error:
        text = f"The answer cannot be written: {error.strerror}."
        yield {"error": text, "exit_code": AnalyticsError.exit_code}
    yield {"done": True}


def answer(
    con: duckdb.DuckDBPyConnection, request: dict[str, Any], limits: Limits
) -> Iterator[dict[str, Any]]:
    """Yield the parts of the answer to a statement; UsageError where it passes a limit."""
    sql = parsed(con, request["sql"])
    match request["form"]:
        case Format.table:
            yield _table(_run(con, sql), limits)
        case Format.parquet:
            yield from _parquet(con, sql, limits)
        case form:
            of = _csv if form == Format.csv else _json
            yield from _parts(of(_run(con, sql), limits), limits)


def _run(con: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
    """Run a statement; intervals and bytes, of which Python shows others, are read as text."""
    found = con.execute(sql)
    kinds = [str(kind) for _, kind, *_ in found.description or ()]
    if not _AS_TEXT.intersection(kinds):
        return found
    names = [name.replace('"', '""') for name, *_ in found.description or ()]
    columns = [
        f'#{place}{"::varchar" if kind in _AS_TEXT else ""} as "{name}"'
        for place, (name, kind) in enumerate(zip(names, kinds, strict=True), start=1)
    ]
    return con.execute(f"select {', '.join(columns)} from ({sql}\n)")


def _table(found: duckdb.DuckDBPyConnection, limits: Limits) -> dict[str, Any]:
    """Return the first rows, of which there may be one more than are shown, as texts."""
    names, rows = _columns(found), found.fetchmany(SHOWN_ROWS + 1)
    texts = [[as_text(value) for value in row] for row in rows]
    _require_size(sum(len(text) for row in texts for text in row), limits)
    is_number = [
        any(isinstance(row[index], int | float | Decimal) for row in rows)
        for index in range(len(names))
    ]
    return {"names": names, "is_number": is_number, "rows": texts}


def _csv(found: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[str]:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_columns(found))
    for row in _rows(found, limits):
        writer.writerow([as_text(value) for value in row])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _json(found: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[str]:
    names = _columns(found)
    separator = "["
    for row in _rows(found, limits):
        record = dict(zip(names, map(plain, row), strict=True))
        yield f"{separator}\n{json.dumps(record, ensure_ascii=False, allow_nan=False)}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def _parquet(con: duckdb.DuckDBPyConnection, sql: str, limits: Limits) -> Iterator[dict[str, Any]]:
    import polars
    from polars.exceptions import PanicException

    from analytics.transform.frames import as_parquet

    try:
        frame = polars.DataFrame(con.sql(sql))
        _require_rows(frame.height, limits)
        _require_size(frame.estimated_size(), limits)
        content = as_parquet(frame)
    except PanicException as error:
        raise UsageError("Parquet has no such type: cast the column to VARCHAR first.") from error
    for start in range(0, len(content), _PART):
        yield {"base64": b64encode(content[start : start + _PART]).decode()}


def _parts(texts: Iterator[str], limits: Limits) -> Iterator[dict[str, Any]]:
    """Join texts to parts that are worth a message."""
    part: list[str] = []
    length = size = 0
    for text in texts:
        part.append(text)
        length += len(text)
        if length >= _PART:
            yield {"text": "".join(part)}
            size += length
            _require_size(size, limits)
            part, length = [], 0
    yield {"text": "".join(part)}


def _columns(found: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the column names; a repeated name gets a number."""
    names: list[str] = []
    for name, *_ in found.description or []:
        same = sum(1 for other in names if other == name or other.startswith(f"{name}_"))
        names.append(f"{name}_{same + 1}" if name in names else name)
    return names


def _rows(found: duckdb.DuckDBPyConnection, limits: Limits) -> Iterator[tuple[Any, ...]]:
    count = 0
    while rows := found.fetchmany(_BATCH):
        count += len(rows)
        _require_rows(count, limits)
        yield from rows


def _require_rows(count: int, limits: Limits) -> None:
    if limits.rows is not None and count > limits.rows:
        raise _cut_off(f"it has more than {limits.rows:,} rows")


def _require_size(size: float, limits: Limits) -> None:
    if limits.size is not None and size > bytes_of(limits.size):
        raise _cut_off(f"it is larger than {limits.size}")


def _cut_off(reason: str) -> UsageError:
    return UsageError(f"The query has no whole answer: {reason}: ask for less.")


if __name__ == "__main__":
    main()
