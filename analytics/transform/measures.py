"""Measures: their names, units, meanings and macros, declared once in `queries/measures.toml`.

In a model, `roll_up(TABLE, KEY, ...)` stands for a SELECT of all measures of a table by a key; a
rate is formed by its macro from the sums of its parts. A line without runs of a month (it has a
bill alone) has null of their measures: it is in no sum, and without others the sum is 0.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache

import duckdb

from analytics.files import folder

_CALL = re.compile(r"roll_up\((?:(\w+)\.)?(\w+), ([\w, ]+)\)")

_KNOWN = "if(count({0}) = count(run_count), sum({0}), null)"
_PART = "if(bool_or({1}), sum({0}) filter ({1}), 0)"  # null where nothing of it is known
_LINES = {  # that have the part which a measure is of; it may be unknown of each
    "of_listed": "listed_run_count > 0",
    "of_unlisted": "run_count is not null and unlisted_run_count is distinct from 0",
    "of_a_status": "run_count is not null and {0} is distinct from 0",
    "of_platform": "run_count is not null and agent_id = '(platform)'",
}
_TYPES = {"usd": "decimal(38, 10)", "share": "double"}


@dataclass(frozen=True)
class Measure:
    """A measure of day and month tables.

    An additive one may be summed over lines, days and workspaces, as `rollup` says: see `_sum`.
    Any other one is formed by `macro`, a signature such as `failure_rate(failed, succeeded)`, whose
    SQL is `expression`; tables that have it form it from sums of its `parts`. `finest` is the table
    that has an additive one by owner and month, where days have none. `unit` is runs, days, usd (US
    dollars), tokens, ms (milliseconds) or share (0 to 1).
    """

    name: str
    label: str
    unit: str
    additive: bool
    meaning: str
    macro: str | None = None
    expression: str | None = None
    parts: tuple[str, ...] = ()
    rollup: str = "sum"
    finest: str | None = None


@cache
def measures() -> dict[str, Measure]:
    """Return every measure by its name, in the order of the file."""
    text = (folder("queries") / "measures.toml").read_text(encoding="utf-8")
    return {name: Measure(name, **fields) for name, fields in tomllib.loads(text).items()}


def create_macros(con: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Create the macro of each measure that has one in `schema`, in place of an earlier one."""
    for measure in measures().values():
        if measure.macro:
            con.execute(
                f"create or replace macro {schema}.{measure.macro} as ({measure.expression})"
            )


def create_what_if(con: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Create the table macros of `queries/what_if.sql`, once its tables are there.

    `what_if_by_model()` has all models, `what_if(NAME)` one of them.
    """
    sql = (folder("queries") / "what_if.sql").read_text(encoding="utf-8")
    con.execute(f"create or replace macro {schema}.what_if_by_model() as table {sql}")
    con.execute(
        f"create or replace macro {schema}.what_if(asked) as table"
        " select * exclude (model, cheaper_rank) from marts.what_if_by_model()"
        " where model = lower(asked)"
    )


def with_roll_ups(sql: str) -> str:
    """Return the SQL with a SELECT in place of each `roll_up(TABLE, KEY, ...)`."""
    return _CALL.sub(lambda call: f"({_select(call[1], call[2], call[3])})", sql)


def _select(schema: str | None, table: str, keys: str) -> str:
    columns = ", ".join(
        f"{_sum(each)} as {each.name}"
        for each in measures().values()
        if (each.additive or each.parts)
        and each.finest in (None, table)
        and (each.rollup != "of_platform" or "agent_id" not in keys)
    )
    source = f"{schema}.{table}" if schema else table
    return f"select {keys}, {columns} from {source} group by {keys}"


def _sum(measure: Measure) -> str:
    """Return the SQL of the sum of a measure, or of its macro over the sums of its parts."""
    if measure.parts and measure.macro:
        parts = ", ".join(_sum(measures()[part]) for part in measure.parts)
        return f"{measure.macro.partition('(')[0]}({parts})"
    name = "cost_usd" if measure.rollup == "of_platform" else measure.name
    if lines := _LINES.get(measure.rollup):
        total = _PART.format(name, lines.format(name))
    else:
        total = (_KNOWN if measure.rollup == "all_known" else "sum({0})").format(name)
    if not measure.finest:
        total = f"if(count(run_count) = 0, 0, {total})"
    return f"({total})::{_TYPES.get(measure.unit, 'bigint')}"
