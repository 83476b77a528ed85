"""Build every model of `queries/`: views and tables in the warehouse, marts in their own file."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from analytics.resources import folder
from analytics.transform import (
    allocations,
    budgets,
    error_classes,
    forecasts,
    month_bridge,
    month_changes,
    unusual_days,
)
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
    with_ancestors,
)

POLARS_MODELS = (
    allocations.MODEL,
    budgets.MODEL,
    error_classes.MODEL,
    forecasts.MODEL,
    month_bridge.MODEL,
    month_changes.MODEL,
    unusual_days.MODEL,
)

_CATALOGS = {layer: "build_file" if layer in PUBLISHED else "warehouse" for layer in LAYERS}
# A schema without tables: its presence tells that relations of the file may be of two builds.
_PARTIAL = "build_file.partial"


@dataclass(frozen=True)
class BuiltRelation:
    """A relation that was built: its name, its rows (None for a view), and the seconds it took."""

    name: str
    rows: int | None
    seconds: float


def build(
    con: duckdb.DuckDBPyConnection,
    *,
    timezone: str,
    queries: Path | None = None,
    only: Collection[str] | None = None,
) -> list[BuiltRelation]:
    """Build all models anew, in order; days and months are those of `timezone` (an IANA name).

    `only` names the relations to build, with or without their schema; they and all relations that
    they read are replaced, the others remain as they are, and `is_whole` is false until a build of
    all models. UsageError if a name is unknown.

    Raises ModelError, which names the file, for a model that cannot be built. Models built before
    it remain; a build of all models drops the relations of an earlier build first.
    """
    models = all_models(queries or folder("queries"))
    models = in_order(models if only is None else with_ancestors(models, only))
    con.execute("set variable reporting_timezone = ?", [timezone])
    if only is None:
        con.execute(f"drop schema if exists {_PARTIAL}")
    else:
        con.execute(f"create schema if not exists {_PARTIAL}")
        _drop(con, models)
    for layer in LAYERS:
        schema = f"{_CATALOGS[layer]}.{layer}"
        if only is None:
            con.execute(f"drop schema if exists {schema} cascade")
        con.execute(f"create schema if not exists {schema}")
    create_macros(con, "build_file.marts")
    create_results(con)
    return [_build(con, model) for model in models]


def is_whole(con: duckdb.DuckDBPyConnection) -> bool:
    """Return True if all relations of the attached build file are of one build."""
    catalog, schema = _PARTIAL.split(".")
    return not con.execute(
        "select 1 from duckdb_schemas() where database_name = ? and schema_name = ?",
        [catalog, schema],
    ).fetchone()


def build_on_results(con: duckdb.DuckDBPyConnection, queries: Path) -> None:
    """Build once more what reads the results of checks, which are known only now."""
    changed = set(CHECK_RESULTS)
    for model in in_order(all_models(queries)):
        if model.reads & changed:
            changed.add(model.relation)
            _drop(con, [model])
            _build(con, model)


def all_models(queries: Path) -> list[Model]:
    """Return the SQL models of a folder and the Polars models, unordered."""
    return [*read_models(queries), *POLARS_MODELS]


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


def _drop(con: duckdb.DuckDBPyConnection, models: list[Model]) -> None:
    """Drop the relations of an earlier build that these models replace."""
    relations = {f"{_CATALOGS[model.layer]}.{model.relation}" for model in models}
    earlier = con.execute("""
        select 'table', concat_ws('.', database_name, schema_name, table_name) from duckdb_tables()
        union all
        select 'view', concat_ws('.', database_name, schema_name, view_name) from duckdb_views()
    """).fetchall()
    for kind, relation in earlier:
        if relation in relations:
            con.execute(f"drop {kind} {relation}")
