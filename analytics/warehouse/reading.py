"""The SQL that reads a landing file: typed columns, exact money, and what is wrong with a line.

A line is parsed once, from its text: DuckDB casts a number to DECIMAL from the very digits that
came, while any way by way of its JSON or DOUBLE types would lose the last ones. A value that does
not fit its field leaves a `problem` in words, and the line goes to quarantine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from analytics.warehouse.sources import Field, Kind, Scope, Source

MACROS = """
-- Half-even to ten decimals. The cast rounds halves away from zero: only a tie that came out odd
-- has to go back by one.
create or replace temp macro half_even(x) as
    case
        when abs(x - x::decimal(38, 10)::decimal(38, 28)) = 0.00000000005
            and right(x::decimal(38, 10)::varchar, 1) in ('1', '3', '5', '7', '9')
        then x::decimal(38, 10) - sign(x)::decimal(38, 10) * 0.0000000001
        else x::decimal(38, 10)
    end;
"""

MOST_COUNT = 10**15
LONGEST_LINE = 16 * 2**20  # bytes

# How a kind is taken from the text of a line. A count is read with decimals, so that one with a
# fraction shows, and in 64 bits, which is fast; what does not fit comes out as null.
_JSON_TYPES = {
    Kind.MONEY: "DECIMAL(38,28)",
    Kind.COUNT: "DECIMAL(18,2)",
    Kind.NUMBER: "DOUBLE",
    Kind.EPOCH: "DECIMAL(38,10)",
    Kind.FLAG: "BOOLEAN",
}
_NUMBERS = "('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE', 'VARCHAR')"
_ACCEPTED = {
    Kind.TEXT: "('VARCHAR')",
    Kind.DAY: "('VARCHAR')",
    Kind.INSTANT: "('VARCHAR')",
    Kind.FLAG: "('BOOLEAN')",
}
_VALUES = {
    Kind.TEXT: "{0}",
    Kind.FLAG: "{0}",
    Kind.NUMBER: "{0}",
    Kind.MONEY: "try_cast(half_even({0}) as decimal(18, 10))",
    Kind.COUNT: f"case when {{0}} between 0 and {MOST_COUNT} and {{0}} = trunc({{0}})"
    " then {0}::bigint end",
    Kind.DAY: "try_cast(left({0}, 10) as date)",
    Kind.INSTANT: "case when isfinite(try_cast({0} as timestamptz))"
    " then try_cast({0} as timestamptz) end",
    Kind.EPOCH: "case when {0} between 0 and 99999999999 then to_timestamp({0}::double) end",
}
_EXPECTED = {
    Kind.TEXT: "a text",
    Kind.FLAG: "true or false",
    Kind.NUMBER: "a number",
    Kind.MONEY: "an amount below 100 million dollars",
    Kind.COUNT: "a whole number from 0 to 10^15",
    Kind.DAY: "a day",
    Kind.INSTANT: "a time",
    Kind.EPOCH: "a time in seconds",
}


def typed_lines(source: Source, files: list[Path]) -> str:
    """A SELECT over the files of a source: one row a line, typed.

    Its columns: request, line, seen_at, record_hash, problem, record (the text of a record with a
    problem, else null), is_rounded, and the source's own. Without files (all answers were empty)
    it gives no row. It reads the temporary table `load_requests`, the requests of the load.
    """
    paths = [path for field in source.fields for path in field.paths]
    values = "".join(
        f",\n        {_value(field)} as {field.column}"
        for field in source.fields
        if field.column != source.key
    )
    return f"""
with parsed as (
    select
        text,
        try(json_transform(text, '{_structure(source)}')) as t,
        try(json_type(text, {_pointers(paths)})) as types,
        substr(text, position('"record":' in text) + 9) as tail
    from {_lines(files)}
),
numbered as (
    select
        *,
        t.record as r,
        coalesce(t.line, regexp_extract(text, '"line":(\\d+)', 1)::integer) as line,
        coalesce(t.request, regexp_extract(text, '"request":(\\d+)', 1)::integer) as request
    from parsed
),
typed as (
    select
        line,
        request,
        q.fetched_at as seen_at,
        left(tail, length(tail) - 1) as record,
        t is null as is_broken,
        types,
        {_is_rounded(source)} as is_rounded,
        {_key(source)} as {source.key}{values}
    from numbered
    join load_requests as q using (request)
)
select
    * exclude (record, is_broken, types),
    md5_number(record) as record_hash,
    case when problem is not null then record end as record
from (
    select *, case when is_broken or {_any_problem(source, paths)} then coalesce(
        {_problems(source, paths)},
        'not JSON that can be stored'
    ) end as problem
    from typed
)
"""


def _lines(files: list[Path]) -> str:
    if not files:
        return "(select null::varchar as text where false)"
    names = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return (
        f"read_csv([{names}], columns = {{'text': 'VARCHAR'}}, header = false, auto_detect = false,"
        f" delim = '\\x01', quote = '', escape = '', compression = 'zstd',"
        f" max_line_size = {LONGEST_LINE}, buffer_size = {2 * LONGEST_LINE})"
    )


def _structure(source: Source) -> str:
    """What `json_transform` takes out of a line."""
    record: dict[str, Any] = {}
    for field in source.fields:
        for path in field.paths:
            *parents, name = path.split(".")
            inner = record
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[name] = _JSON_TYPES.get(field.kind, "VARCHAR")
    return json.dumps({"line": "INTEGER", "request": "INTEGER", "record": record})


def _pointers(paths: list[str]) -> str:
    return "[" + ", ".join(f"'$.record.{path}'" for path in paths) + "]"


def _raw(field: Field) -> str:
    parts = ["r." + ".".join(f'"{name}"' for name in path.split(".")) for path in field.paths]
    return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"


def _value(field: Field) -> str:
    return _VALUES[field.kind].format(_raw(field))


def _type(field: Field, paths: list[str]) -> str:
    """The JSON type of what came; null where nothing did."""
    types = [f"nullif(types[{paths.index(path) + 1}], 'NULL')" for path in field.paths]
    return types[0] if len(types) == 1 else f"coalesce({', '.join(types)})"


def _is_problem(field: Field, paths: list[str]) -> str:
    """Something came and did not become a value, or came as what it must not be."""
    kind = _type(field, paths)
    wrong = f"({kind} not in {_ACCEPTED.get(field.kind, _NUMBERS)})"
    lost = f"({kind} is not null and {field.column} is null)"
    missing = f" or {kind} is null" if field.required else ""
    return f"coalesce({wrong}, false) or {lost}{missing}"


def _any_problem(source: Source, paths: list[str]) -> str:
    return "\n        or ".join(_is_problem(field, paths) for field in source.fields)


def _problems(source: Source, paths: list[str]) -> str:
    """The first problem in words; only the few lines that have one come this far."""
    return ",\n        ".join(
        f"case when {_type(field, paths)} is null and {str(field.required).lower()}"
        f" then '{field.paths[0]} is missing'"
        f" when {_is_problem(field, paths)}"
        f" then '{field.paths[0]} is not {_EXPECTED[field.kind]}' end"
        for field in source.fields
    )


def _is_rounded(source: Source) -> str:
    """Tell whether a cost has more decimals than are kept."""
    money = [_raw(field) for field in source.fields if field.kind is Kind.MONEY]
    return " or ".join(f"coalesce({raw} <> {raw}::decimal(38, 10), false)" for raw in money) or (
        "false"
    )


def _key(source: Source) -> str:
    for field in source.fields:
        if field.column == source.key:
            return _value(field)
    if source.scope is Scope.RUN:
        return "q.run_id"
    if any(field.column == "hour" for field in source.fields):
        return "(try_cast(r.hour as timestamptz) at time zone 'UTC')::date"
    return "q.window_start"
