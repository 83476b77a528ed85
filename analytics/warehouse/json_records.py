"""The SQL that reads a landing file once, fast: typed columns, exact money, suspect lines marked.

Money becomes DECIMAL from the digits of the JSON text, since DuckDB's JSON type and DOUBLE would
lose the last ones. All other values are read as text and cast, so that an invalid one becomes null.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from analytics.warehouse.database import quoted
from analytics.warehouse.schema import columns_of
from analytics.warehouse.sources import Field, Kind, Source

MACROS = """
create or replace temp macro nearly(x) as try_cast(x::double as decimal(18, 10));

-- Half-even to ten decimals. Most amounts have no more: casting them through DOUBLE is fast, and
-- correct if it returns the same amount. The cast rounds halves away from zero, so only a tie
-- with an odd last digit is corrected by one.
create or replace temp macro half_even(x) as
    case
        when x = nearly(x)::decimal(38, 28) then nearly(x)::decimal(38, 10)
        when x = try_cast(x::decimal(38, 10) as decimal(38, 28)) then x::decimal(38, 10)
        when abs(x) > 1000000000 then null -- too large to be subtracted, and to be stored
        when abs(x - x::decimal(38, 10)::decimal(38, 28)) = 0.00000000005
            and right(x::decimal(38, 10)::varchar, 1) in ('1', '3', '5', '7', '9')
        then x::decimal(38, 10) - sign(x)::decimal(38, 10) * 0.0000000001
        else x::decimal(38, 10)
    end;
"""

SNAPSHOT_TIMES = ("newest_created_at", "oldest_created_at", "unread_from", "unread_until")
"""Times of a snapshot in the API's own spelling; a malformed one is stored as null."""

_IDS = ("workspace_id", "load_id")  # no file has them
REQUEST_COLUMNS, SNAPSHOT_COLUMNS = (
    {name: kind for name, kind in columns_of(table).items() if name not in _IDS}
    for table in ("ledger.requests", "ledger.list_snapshots")
)
SNAPSHOT_COLUMNS |= dict.fromkeys(SNAPSHOT_TIMES, "VARCHAR")

MOST_COUNT = 10**15
LONGEST_LINE = 16 * 2**20  # bytes
TOO_LARGE = "larger than 16 MiB"
"""Begins the text that lands in place of a record that no line can hold."""

_AMOUNTS = (Kind.MONEY, Kind.COST)

# The cast of each field, read as text (money as DECIMAL), and the value from that cast: null if it
# is invalid. Two steps, so that no expensive cast is done twice.
_CASTS = {
    Kind.TEXT: "{0}",
    Kind.FLAG: "{0}",
    Kind.NUMBER: "try_cast({0} as double)",
    Kind.MONEY: "half_even({0})",
    Kind.COST: "half_even({0})",
    Kind.COUNT: "try_cast({0} as decimal(18, 2))",
    Kind.DAY: "try_cast(left({0}, 10) as date)",
    Kind.INSTANT: "try_cast({0} as timestamptz)",
    Kind.EPOCH: "try_cast({0} as double)",
}
_VALUES = {
    Kind.TEXT: "{0}",
    Kind.FLAG: "case {0} when 'true' then true when 'false' then false end",
    Kind.NUMBER: f"case when {{0}} between 0 and {MOST_COUNT} then {{0}} end",
    Kind.MONEY: "try_cast({0} as decimal(18, 10))",
    Kind.COST: "case when {0} >= 0 then try_cast({0} as decimal(18, 10)) end",
    Kind.COUNT: f"case when {{0}} between 0 and {MOST_COUNT} and {{0}} = trunc({{0}})"
    " then {0}::bigint end",
    Kind.DAY: "{0}",
    Kind.INSTANT: "case when {0} between '2000-01-01 00:00:00+00' and '2100-01-01 00:00:00+00'"
    " then {0} end",
    Kind.EPOCH: "case when {0} between 0 and 99999999999 then to_timestamp({0}) end",
}


def ndjson(file: Path, columns: dict[str, str]) -> str:
    """Return a FROM item over a file that this program wrote, with a type for each column."""
    listed = ", ".join(f"{column}: '{kind}'" for column, kind in columns.items())
    return (
        f"read_json('{quoted(file)}', format = 'newline_delimited', compression = 'zstd',"
        f" columns = {{{listed}}})"
    )


def as_instant(column: str) -> str:
    """Return SQL that parses a text column as an instant; null if it is malformed."""
    return _VALUES[Kind.INSTANT].format(_CASTS[Kind.INSTANT].format(column))


def parse_lines(source: Source, file: Path | None) -> str:
    """Return a SELECT over the file of a source: one typed row for each line.

    Its columns: line, request, seen_at, record_hash, is_rounded (a cost had more decimals than are
    kept), is_suspect (`quarantine` must check the line), and the source's own. Without a file
    (all responses were empty) it returns no row. It reads the temporary table `load_requests`, the
    requests of the load. A line that DuckDB does not accept as JSON is left out.
    """
    values = "".join(f",\n    {value_of(field)} as {field.column}" for field in source.fields)
    asked = "".join(f",\n    {_asked(source, key)} as {key}" for key in source.asked)
    suspect = _any([*map(_is_suspect, source.fields), *is_outside(source), _is_empty(source)])
    return f"""
select
    line,
    request,
    q.fetched_at as seen_at,
    record_hash,
    {_any(_is_rounded(field) for field in source.fields if field.kind in _AMOUNTS)} as is_rounded,
    {suspect} as is_suspect{asked}{values}
from {valued(source, _json_lines(source, file))}
join load_requests as q using (request)
"""


def _json_lines(source: Source, file: Path | None) -> str:
    record = _struct(nested(source))
    if file is None:
        empty = "null::integer as line, null::integer as request, null::ubigint as record_hash"
        return f"(select {empty}, null::{record} as r where false)"
    fields = f"line: 'INTEGER', request: 'INTEGER', hash: 'UBIGINT', record: '{record}'"
    return (
        f"(select line, request, hash as record_hash, record as r from read_json('{quoted(file)}',"
        f" columns = {{{fields}}}, format = 'newline_delimited', compression = 'zstd',"
        f" maximum_object_size = {LONGEST_LINE}, ignore_errors = true))"
    )


def nested(source: Source) -> dict[str, Any]:
    """Return the fields as nested in a record, with the type that each is read as."""
    record: dict[str, Any] = {}
    for field in source.fields:
        for path in field.paths:
            *parents, name = path.split(".")
            inner = record
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[name] = "DECIMAL(38,28)" if field.kind in _AMOUNTS else "VARCHAR"
    return record


def _struct(record: dict[str, Any]) -> str:
    fields = (
        f'"{name}" {_struct(kind) if isinstance(kind, dict) else kind}'
        for name, kind in record.items()
    )
    return f"STRUCT({', '.join(fields)})"


def _raw(field: Field) -> str:
    parts = ["r." + ".".join(f'"{name}"' for name in path.split(".")) for path in field.paths]
    return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"


def valued(source: Source, lines: str) -> str:
    """Return a FROM item over lines with a record `r`, with each field's cast and value."""
    casts = (f", {_CASTS[f.kind].format(_raw(f))} as {_cast(f)}" for f in source.fields)
    values = (f", {_VALUES[f.kind].format(_cast(f))} as {value_of(f)}" for f in source.fields)
    return f"(select *{''.join(values)} from (select *{''.join(casts)} from {lines}))"


def _cast(field: Field) -> str:
    return f"cast_{field.column}"


def value_of(field: Field) -> str:
    """Return the column of a field's value: null if it is missing or invalid."""
    return f"value_{field.column}"


def _is_rounded(field: Field) -> str:
    return f"coalesce({_raw(field)} <> {_cast(field)}, false)"


def is_before(field: Field, earlier: str) -> str:
    """Return SQL that is true for a time before that of a column which must be earlier."""
    return f"coalesce({value_of(field)} < value_{earlier}, false)"


def _is_suspect(field: Field) -> str:
    """Return SQL that is true for a possibly invalid field.

    Money may be missing, or be read from `true` or `false`; a text may be read from an object. An
    optional text that is a number in JSON is accepted.
    """
    raw, value = _raw(field), value_of(field)
    missing = f" or {raw} is null" if field.required else ""
    nested = f"starts_with({raw}, '{{') or starts_with({raw}, '[')"
    match field.kind:
        case Kind.MONEY | Kind.COST:
            return f"coalesce({raw} in (0, 1), true) or {value} is null"
        case Kind.TEXT if field.required:
            bare = f"{raw} in ('true', 'false') or try_cast({raw} as double) is not null"
            return f"coalesce({bare} or {nested}, true)"
        case Kind.TEXT:
            return f"coalesce({nested}, false)"
        case _:
            before = "".join(f" or {is_before(field, each)}" for each in field.earlier)
            return f"({raw} is not null and {value} is null){missing}{before}"


def _is_empty(source: Source) -> str:
    """Return SQL that is true for a record without any value: it may not be an object."""
    return f"({' and '.join(f'{_raw(field)} is null' for field in source.fields)})"


def is_outside(source: Source) -> list[str]:
    """Return SQL that is true for a record of a day that its request is not of, if it has a day.

    A day before or after is no error: whether a window includes its end is not documented.
    """
    days = {
        "date": value_of(Field("date", Kind.DAY)),
        "hour": f"({value_of(Field('hour', Kind.INSTANT))} at time zone 'UTC')::date",
    }
    return [
        f"coalesce({days[field.column]} not between q.window_start - 1 and q.window_end, false)"
        for field in source.fields
        if field.column in days
    ]


def _asked(source: Source, key: str) -> str:
    """Return SQL for a key that the request holds, or for the day of the record's hour."""
    if key != "date":
        return f"q.{key}"
    if any(field.column == "hour" for field in source.fields):
        return "(try_cast(r.hour as timestamptz) at time zone 'UTC')::date"
    return "q.window_start"


def _any(conditions: Iterable[str]) -> str:
    return "\n        or ".join(conditions) or "false"
