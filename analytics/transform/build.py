"""Build every model of `queries/`: views and tables in the warehouse, marts in their own file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from analytics.resources import folder
from analytics.transform import error_classes, forecasts, month_changes, unusual_days
from analytics.transform.check_results import create_results
from analytics.transform.comments import comment_on
from analytics.transform.measures import create_macros
from analytics.transform.models import (
    CHECK_RESULTS,
    LAYERS,
    PUBLISHED,
    Model,
    ModelError,
    in_order,
    read_models,
)

POLARS_MODELS = (error_classes.MODEL, forecasts.MODEL, month_changes.MODEL, unusual_days.MODEL)

_CATALOGS = {layer: "build_file" if layer in PUBLISHED else "warehouse" for layer in LAYERS}


@dataclass(frozen=True)
class BuiltRelation:
    """A relation that was built: its name, its rows (None for a view), and the seconds it took."""

    name: str
    rows: int | None
    seconds: float


def build(
    con: duckdb.DuckDBPyConnection, *, timezone: str, queries: Path | None = None
) -> list[BuiltRelation]:
    """Build all models anew, in order; days and months are those of `timezone` (an IANA name).

    Raises ModelError, which names the file, for a model that cannot be built. Models built before
    it remain; relations of an earlier build are dropped.
    """
    models = in_order(all_models(con, queries or folder("queries")))
    con.execute("set variable reporting_timezone = ?", [timezone])
    for layer in LAYERS:
        schema = f"{_CATALOGS[layer]}.{layer}"
        con.execute(f"drop schema if exists {schema} cascade; create schema {schema}")
    create_macros(con, "build_file.marts")
    create_results(con)
    return [_build(con, model) for model in models]


def build_on_results(con: duckdb.DuckDBPyConnection, queries: Path) -> None:
    """Build once more what reads the results of checks, which are known only now."""
    changed = set(CHECK_RESULTS)
    for model in in_order(all_models(con, queries)):
        if model.reads & changed:
            changed.add(model.relation)
            con.execute(f"drop table {_CATALOGS[model.layer]}.{model.relation}")
            _build(con, model)


def all_models(con: duckdb.DuckDBPyConnection, queries: Path) -> list[Model]:
    """Return the SQL models of a folder and the Polars models, unordered."""
    return [*read_models(con, queries), *POLARS_MODELS]


def _build(con: duckdb.DuckDBPyConnection, model: Model) -> BuiltRelation:
    """Create a relation and its comments, in one transaction."""
    started = time.perf_counter()
    relation = f"{_CATALOGS[model.layer]}.{model.relation}"
    con.begin()
    try:
        rows = model.make(con, relation)
        if model.layer in PUBLISHED:
            comment_on(con, relation, model.header)
    except (duckdb.Error, pl.exceptions.PolarsError, OSError) as error:
        con.rollback()
        raise ModelError(model.file, str(error)) from error
    con.commit()
    return BuiltRelation(model.relation, rows, time.perf_counter() - started)
