"""Invalid records and fields of a load: they are told in words, kept as they came, and left out.

Only suspect lines are read again, as text: that distinguishes missing from invalid values.
"""

from __future__ import annotations

import json
from pathlib import Path

from analytics.warehouse.database import quoted
from analytics.warehouse.json_records import (
    LONGEST_LINE,
    TOO_LARGE,
    is_before,
    is_outside,
    nested,
    value_of,
    valued,
)
from analytics.warehouse.sources import Field, Kind, Source
from analytics.warehouse.store import Store

_NUMBERS = "('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE', 'VARCHAR')"
_NESTED = "('OBJECT', 'ARRAY')"
_ACCEPTED = {
    Kind.TEXT: "('VARCHAR')",
    Kind.DAY: "('VARCHAR')",
    Kind.INSTANT: "('VARCHAR')",
    Kind.FLAG: "('BOOLEAN')",
}
_EXPECTED = {
    Kind.TEXT: "a text",
    Kind.FLAG: "true or false",
    Kind.NUMBER: "a number from 0 to 10^15",
    Kind.MONEY: "an amount below 100 million dollars",
    Kind.COST: "an amount from 0 to 100 million dollars",
    Kind.COUNT: "a whole number from 0 to 10^15",
    Kind.DAY: "a day",
    Kind.INSTANT: "a time",
    Kind.EPOCH: "a time in seconds",
}


def quarantine(store: Store, load_id: str, source: Source, file: Path) -> tuple[int, int]:
    """Move invalid records and fields to quarantine; return how many, and how many are records.

    The keys of invalid records stay in `quarantined_keys`, so that their stored versions stay
    current; an invalid field becomes null.
    """
    lines = "(select line from quarantined where column_name is null)"
    store.con.execute(
        f"create or replace temp table quarantined as {_diagnose(source, file)};"
        " create or replace temp table quarantined_keys as"
        f" select distinct {', '.join(source.keys)} from incoming where line in {lines};"
        f" delete from incoming where line in {lines}"
    )
    store.run(
        f"insert into ledger.quarantine select $workspace_id, $load_id, '{source.name}',"
        " request, line, field, problem, record from quarantined",
        load_id=load_id,
    )
    found = store.con.execute("select column_name, count(*) from quarantined group by 1").fetchall()
    counts: dict[str | None, int] = dict(found)
    for column in filter(None, counts):
        store.con.execute(
            f"update incoming set {column} = null where line in"
            f" (select line from quarantined where column_name = '{column}')"
        )
    return sum(counts.values()), counts.get(None, 0)


def _diagnose(source: Source, file: Path) -> str:
    """Return a SELECT of what is invalid in the lines suspect or missing in `incoming`.

    Its columns: line, request, field (as the API names it, or `(record)`), column_name (of the
    field), problem (in words), record (the text of the record). A record that is not invalid as a
    whole has a row for each invalid field.
    """
    paths = [path for field in source.fields for path in field.paths]
    structure = json.dumps({"record": nested(source)})
    pointers = ", ".join(["'$.record'", *(f"'$.record.{path}'" for path in paths)])
    essential = "".join(f"{_problem(each, paths)}, " for each in source.fields if each.is_essential)
    others = ", ".join(
        f"{{'field': '{each.paths[0]}', 'column_name': '{each.column}',"
        f" 'problem': {_problem(each, paths)}}}"
        for each in source.fields
        if not each.is_essential
    )
    outside = "".join(
        f"when {condition} then 'outside of the days that were asked for'\n            "
        for condition in is_outside(source)
    )
    return f"""
with numbered as (
    select
        text,
        regexp_extract(text, '"line":(\\d+)', 1)::integer as line,
        regexp_extract(text, '"request":(\\d+)', 1)::integer as request,
        substr(text, position('"record":' in text) + 9) as tail
    from {_text_lines(file)}
),
parsed as (
    select
        line,
        request,
        left(tail, length(tail) - 1) as record,
        try(json_transform(text, '{structure}')) as t,
        try(json_type(text, [{pointers}])) as types
    from numbered
    where line not in (select line from incoming where not is_suspect)
),
diagnosed as (
    select
        line,
        request,
        record,
        case
            when t is null then 'not JSON that can be stored'
            when starts_with(record, '"({TOO_LARGE}') then '{TOO_LARGE}'
            when types[1] <> 'OBJECT' then 'not an object'
            {outside}else coalesce({essential}null)
        end as whole,
        [{others}]::STRUCT(field VARCHAR, column_name VARCHAR, problem VARCHAR)[] as parts
    from {valued(source, "(select *, t.record as r from parsed)")}
    join load_requests as q using (request)
)
select line, request, '(record)' as field, null as column_name, whole as problem, record
from diagnosed
where whole is not null
union all
select line, request, part.field, part.column_name, part.problem, record
from (select *, unnest(parts) as part from diagnosed where whole is null)
where part.problem is not null
"""


def _text_lines(file: Path) -> str:
    return (
        f"read_csv('{quoted(file)}', columns = {{'text': 'VARCHAR'}}, header = false,"
        " auto_detect = false, delim = '\\x01', quote = '', escape = '', compression = 'zstd',"
        f" max_line_size = {LONGEST_LINE}, buffer_size = {2 * LONGEST_LINE})"
    )


def _problem(field: Field, paths: list[str]) -> str:
    """Return SQL for the problem of a field in words; null if it is valid."""
    types = [f"nullif(types[{paths.index(path) + 2}], 'NULL')" for path in field.paths]
    kind, name = f"coalesce({', '.join(types)})", field.paths[0]
    missing = f"when {kind} is null then '{name} is missing'" if field.required else ""
    is_unfit = f"not in {_ACCEPTED.get(field.kind, _NUMBERS)}"
    if field.kind is Kind.TEXT and not field.required:
        is_unfit = f"in {_NESTED}"
    before = "".join(
        f" when {is_before(field, each)} then '{name} is before {each}'" for each in field.earlier
    )
    return (
        f"case {missing} when {kind} {is_unfit}"
        f" or ({kind} is not null and {value_of(field)} is null)"
        f" then '{name} is not {_EXPECTED[field.kind]}'{before} end"
    )
