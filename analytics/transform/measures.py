"""Measures: their names, units, meanings and macros, declared once in `queries/measures.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

import duckdb

from analytics.files import folder


@dataclass(frozen=True)
class Measure:
    """A measure of day and month tables.

    An additive one may be summed over lines, days and workspaces, as `rollup` says: see `roll_ups`.
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
        " select * exclude (model) from marts.what_if_by_model() where model = asked"
    )
