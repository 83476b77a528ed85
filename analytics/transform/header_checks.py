"""Checks that the headers of models declare: keys, references, values, and sums.

    key: workspace_id, run_id             one row for each
    ref agent_id: dim_agents              each row's workspace and agent_id are in marts.dim_agents
    values line_type: agent, platform     no other value, and no null
    conserves: raw.runs by created_at::date; ifnull(agent_id, '(none)') as agent_id; with rows
    sums: fct_agent_days by agent_id; date_trunc('month', date)::date as month; or zero

The last two compare sums by workspace and by the columns after `by`, to the last digit. Such a
column is an expression on the other relation, `as` the model's own column where that differs. All
counts, money and tokens of the other relation are summed; the model may have more. `or zero` allows
rows of the model that have zeros only and that the other relation lacks; `with rows` counts rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import duckdb

from analytics.transform.models import PUBLISHED, Header, Model
from analytics.warehouse.database import quoted

_MEASURE = re.compile(r"\w+_count|\w+_usd|tokens_\w+|duration_ms")

KEYS = "key"
"""The kind of checks of keys, and of values; that of references is the table of which they are."""


@dataclass(frozen=True)
class HeaderCheck:
    """A check: its name, its SELECT of what contradicts it, and the header that tells its parts.

    `kind` is that of checks which may stand together; empty for sums. `probe` is a SELECT that
    returns a row, and sooner, wherever `sql` does.
    """

    name: str
    kind: str
    reads: frozenset[str]
    sql: str
    header: Header
    probe: str = ""


def header_checks(con: duckdb.DuckDBPyConnection, model: Model) -> Iterator[HeaderCheck]:
    """Yield each check that a header declares; the relations that it reads have been built.

    Of our own tables, no column of a key may be null either.
    """
    header, name, relation = model.header, model.name, model.relation

    def check(claim: str, kind: str, columns: str, contradicts: str, meaning: str) -> HeaderCheck:
        return HeaderCheck(
            f"{name}_{claim}",
            kind,
            frozenset({relation} if kind == KEYS else {relation, f"marts.{kind}"}),
            f"select {columns}, count(*) as row_count from {relation} {contradicts}",
            Header(meaning, narrow=header.narrow),
        )

    if header.key:
        key = _names(header.key)
        nulls = " or ".join(f"{each} is null" for each in key.split(", "))
        is_null = nulls if model.layer in PUBLISHED else "false"
        having = f"group by {key} having row_count > 1 or {is_null}"
        meaning = f"{name} holds one row per {', '.join(header.key)}."
        yield replace(
            check("key_is_unique", KEYS, key, having, meaning),
            # Keys of as many hashes as there are rows are as many.
            probe=f"select 1 from {relation} having count(*) > count(distinct hash({key})) "
            f"or bool_or({is_null})",
            header=Header(meaning, narrow=header.narrow if header.narrow in header.key else None),
        )
    for column, values in header.values.items():
        known = ", ".join(f"'{quoted(value)}'" for value in values)
        where = f"where ({_names([column])} in ({known})) is not true group by all"
        meaning = f"Every {column} of {name} is one of {', '.join(values)}."
        yield check(f"{column}_is_known", KEYS, _names([column]), where, meaning)
    for column, target in header.refs.items():
        key = _names(dict.fromkeys(["workspace_id", column]))
        join = f"anti join marts.{target} using ({key}) group by all"
        meaning = f"Every {column} of {name} is in {target}."
        yield check(f"{column}_is_in_{target}", target, key, join, meaning)
    if header.conserves:
        source, _, by = header.conserves.partition(" by ")
        check_name = f"{name}_conserves_{source.replace('.', '_')}"
        claim = f"{name} holds all counts, money and tokens of {source}, to the last digit."
        yield _compared(con, model, source, by, check_name, claim)
    if header.sums:
        source, _, by = header.sums.partition(" by ")
        check_name = f"{name}_sums_{source.rpartition('.')[2]}"
        claim = f"{name} holds the sums of {source}, to the last digit."
        table = source if "." in source else f"marts.{source}"
        yield _compared(con, model, table, by, check_name, claim)


def _names(columns: Iterable[str]) -> str:
    """Return names of columns as SQL, also where they are words of the language."""
    return ", ".join(f'"{each}"' for each in columns)


def _compared(
    con: duckdb.DuckDBPyConnection, model: Model, source: str, by: str, name: str, claim: str
) -> HeaderCheck:
    """Return a check of the sums of the model and of the source, which finds the keys that differ.

    A key has one row of each. The check is narrowed as the model is where the source has the
    column, or an expression that is it.
    """
    parts = by.split("; ")
    keys = {"workspace_id": "workspace_id"}
    for part in parts:
        if part not in ("with rows", "or zero"):
            expression, _, own = part.partition(" as ")
            keys[expression] = own or expression
    columns, ours = (
        [column for column, *_ in con.execute(f"describe {relation}").fetchall()]
        for relation in (source, model.relation)
    )
    measures = [column for column in columns if _MEASURE.fullmatch(column)]
    names = [own.partition("::")[0] for own in keys.values()]
    is_raw = source.startswith("raw.")
    current = f"{source} anti join raw.superseded using (version_id)" if is_raw else source
    is_not_zero = " or ".join(f"{each} <> 0" for each in measures)
    where = f"where {is_not_zero}" if "or zero" in parts else ""

    narrow = model.header.narrow
    part = next((each for each, own in keys.items() if own == narrow), str(narrow))
    header = Header(claim)
    if narrow and (part != narrow or narrow in columns):
        header = Header(claim, narrow=narrow, narrow_inputs={source.split(".")[1]: (part,)})

    def sums(relation: str, expressions: list[str]) -> str:
        grouped = [f"{each} as {name}" for each, name in zip(expressions, names, strict=True)]
        summed = ["count(*) as row_count"] if "with rows" in parts else []
        for each in measures:
            # The API's meter gives a cost; it is the metered one of our tables.
            column = each if relation == current or each in ours else f"metered_{each}"
            summed.append(f"{_sum(column, is_raw)}::decimal(38, 10) as {each}")
        return f"select {', '.join(grouped + summed)} from {relation} group by all"

    sql = f"""
        with
        theirs as ({sums(current, list(keys))}),
        ours as ({sums(model.relation, list(keys.values()))}),
        differences as (
            (select '{source}' as holds, * from (from theirs except from ours))
            union all
            (select '{model.relation}' as holds, * from (from ours except from theirs) {where})
        )
        from differences order by {", ".join(names)}, holds"""
    reads = {source, model.relation} | ({"raw.superseded"} if is_raw else set())
    return HeaderCheck(name, "", frozenset(reads), sql, header)


def _sum(column: str, is_raw: bool) -> str:
    """Sum a measure; of one that is unknown as soon as a part of it is, the sum is so, too."""
    if is_raw:
        return f"sum({column})"
    if column.endswith("_high_usd") or column == "unlisted_failed_count":
        return f"if(count(*) = count({column}), sum({column}), null)"
    return f"coalesce(sum({column}), 0)"
