"""Build every model of `queries/`: views and tables in the warehouse, marts in their own file."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path

import duckdb

from analytics.files import folder
from analytics.terminal import Before
from analytics.transform import cents, error_classes, findings, forecasting
from analytics.transform.build_state import (
    AUDITED,
    build_number,
    forget_build,
    is_of_code,
    read_contents,
    record_build,
    recorded_contents,
    row_counts,
)
from analytics.transform.changes import UnseenChangeError, find_changes, touch
from analytics.transform.check_results import create_results
from analytics.transform.incremental import Update
from analytics.transform.measures import create_macros, create_what_if
from analytics.transform.models import (
    CHECK_RESULTS,
    LAYERS,
    PUBLISHED,
    Model,
    comment_on,
    in_order,
    model_errors,
    read_models,
)
from analytics.transform.side_by_side import run_all
from analytics.warehouse.database import BUILD_FILE, attached, transaction

POLARS_MODELS = (
    cents.MODEL,
    error_classes.MODEL,
    findings.FOUND,
    findings.MODEL,
    forecasting.MODEL,
)

_CATALOGS = {layer: BUILD_FILE if layer in PUBLISHED else "warehouse" for layer in LAYERS}


@dataclass(frozen=True)
class BuiltRelation:
    """A relation that was built: its name, its rows (None for a view), and the seconds it took.

    Where others were built beside it, seconds are of both.
    """

    name: str
    rows: int | None
    seconds: float


def build(
    con: duckdb.DuckDBPyConnection,
    *,
    timezone: str,
    queries: Path | None = None,
    earlier: Path | None = None,
    before: Before | None = None,
) -> list[BuiltRelation]:
    """Build all models anew, each after those it reads; days and months are those of `timezone`.

    `timezone` is an IANA name. `earlier` is another build file, whose tables serve as the pattern:
    see `lay_out`. `before` is told of each relation.

    Raises ModelError, which names the file, for a model that cannot be built. The relations of an
    earlier build are dropped first; models built before the error remain.
    """
    queries = queries or folder("queries")
    models = in_order(all_models(queries))
    con.execute("set variable reporting_timezone = ?", [timezone])
    made = {model.relation for model in models}
    laid_out = _prepare(con, queries, made, earlier)
    con.execute("checkpoint warehouse")  # the new relations take the place of the old ones
    create_macros(con, "build_file.marts")
    create_results(con)
    built = run_all(
        con,
        {model.relation: model for model in models},
        lambda connection, model: _build(connection, model, exists=model.relation in laid_out),
        after=attrgetter("reads"),
        before=before,
    )
    create_what_if(con, "build_file.marts")
    record_build(con, queries, timezone, read_contents(con, _guarded(models)))
    return [*built.values()]


def lay_out(con: duckdb.DuckDBPyConnection, earlier: Path | None) -> None:
    """Copy the tables of an earlier build file, with their comments and without rows.

    To comment on columns takes a quarter of a small build. A file that cannot be read is none.
    """
    if earlier and earlier.exists():
        with suppress(duckdb.Error), attached(con, earlier) as file:
            con.execute(f"copy from database {file} to {BUILD_FILE} (schema)")


def _prepare(
    con: duckdb.DuckDBPyConnection, queries: Path, made: set[str], earlier: Path | None
) -> set[str]:
    """Leave tables to be `made` that this code has laid out, empty, and nothing else of a build.

    Return the names of these tables.
    """
    for layer in LAYERS:
        if layer not in PUBLISHED:
            con.execute(f"drop schema if exists warehouse.{layer} cascade")
            con.execute(f"create schema warehouse.{layer}")
    if not is_of_code(con, queries):
        _drop_schemas(con)
        lay_out(con, earlier)
        if not is_of_code(con, queries):
            _drop_schemas(con)
            for schema in PUBLISHED:
                con.execute(f"create schema {BUILD_FILE}.{schema}")
    forget_build(con)
    tables = con.execute(
        "select schema_name || '.' || table_name, estimated_size > 0 from duckdb_tables()"
        " where database_name = ?",
        [BUILD_FILE],
    ).fetchall()
    for table, has_rows in tables:
        if table not in made | CHECK_RESULTS:
            con.execute(f"drop table {BUILD_FILE}.{table}")
        elif has_rows:
            con.execute(f"truncate {BUILD_FILE}.{table}")
    return {table for table, _ in tables}


def _drop_schemas(con: duckdb.DuckDBPyConnection) -> None:
    schemas = con.execute(
        "select schema_name from duckdb_schemas() where database_name = ? and not internal"
        " and schema_name <> 'main'",
        [BUILD_FILE],
    ).fetchall()
    for (schema,) in schemas:
        con.execute(f"drop schema {BUILD_FILE}.{schema} cascade")


def update(
    con: duckdb.DuckDBPyConnection,
    *,
    timezone: str,
    queries: Path | None = None,
    before: Before | None = None,
) -> tuple[list[BuiltRelation], Update] | None:
    """Bring all relations up to date with what changed since the last build.

    Return what was built, and the update, from which `run_checks` knows what changed; None where
    only a full build can: the relations are of other code or settings, or of two builds. `before`
    is told of each relation.

    Raises ModelError as `build` does, and UnseenChangeError; then the next build is a full one.
    """
    queries = queries or folder("queries")
    number = build_number(con, queries, timezone)
    if number is None:
        return None
    con.execute("set variable reporting_timezone = ?", [timezone])
    changes = find_changes(con, timezone)
    models = {model.relation: model for model in in_order(all_models(queries))}
    changed = Update(con, models.values(), recorded_contents(con), changes)
    with transaction(con):
        forget_build(con)
        create_results(con)
    on = cache(changed.on)
    built = run_all(
        con,
        models,
        lambda connection, model: _update(on(connection), model),
        after=attrgetter("reads"),
        before=before,
        records=changes.record_count,
    )
    _require_contents(con, changed, timezone, is_audit=(number + 1) % AUDITED == 0)
    record_build(con, queries, timezone, changed.contents, number=number + 1)
    return [*built.values()], changed


def _require_contents(
    con: duckdb.DuckDBPyConnection, update: Update, timezone: str, *, is_audit: bool
) -> None:
    """Raise UnseenChangeError for relations that changed otherwise than by an update.

    The number of their rows is compared each time, the hash of all rows by an audit alone. That
    also builds relations anew that have no parts, and a sample of the parts of others.
    """
    counts = row_counts(con, update.contents)
    unseen = {name for name, kept in update.contents.items() if counts[name] != kept[0]}
    if is_audit and not unseen:
        now = read_contents(con, update.contents)
        unseen = {name for name, kept in update.contents.items() if now[name] != kept}
    if is_audit and not unseen:
        update.changes.stretches = touch(con, timezone, sample=True)
        unseen = {name for name in update.contents if update.differs(name)}
        update.changes.stretches = touch(con, timezone)  # for the checks
    if unseen:
        raise UnseenChangeError(unseen)


def _guarded(models: list[Model]) -> list[str]:
    """Return the tables whose contents are guarded: all but those that are built after checks."""
    of_results = set(CHECK_RESULTS)
    for model in models:
        if model.reads & of_results:
            of_results.add(model.relation)
    return [
        model.relation for model in models if model.relation not in of_results and not model.is_view
    ]


def _update(changes: Update, model: Model) -> BuiltRelation:
    started = time.perf_counter()
    rows = changes.apply(model, f"{_CATALOGS[model.layer]}.{model.relation}")
    return BuiltRelation(model.relation, rows, time.perf_counter() - started)


def build_on_results(con: duckdb.DuckDBPyConnection, queries: Path) -> None:
    """Build once more what reads the results of checks, which are known only now.

    The caller's transaction also writes these: whatever is killed, all are of one batch.
    """
    changed = set(CHECK_RESULTS)
    for model in in_order(all_models(queries)):
        if model.reads & changed:
            changed.add(model.relation)
            con.execute(f"truncate {_CATALOGS[model.layer]}.{model.relation}")
            _make(con, model, exists=True)


def build_only(con: duckdb.DuckDBPyConnection, relations: Collection[str]) -> None:
    """Build these relations from those that are there, in the build file that is attached."""
    for model in in_order(all_models(folder("queries"))):
        if model.relation in relations:
            _build(con, model)


def all_models(queries: Path) -> list[Model]:
    """Return the SQL models of a folder and the Polars models, unordered."""
    return [*read_models(queries), *POLARS_MODELS]


def _build(con: duckdb.DuckDBPyConnection, model: Model, *, exists: bool = False) -> BuiltRelation:
    """Create a relation and its comments, or fill it, in one transaction."""
    started = time.perf_counter()
    with transaction(con):
        rows = _make(con, model, exists=exists)
    return BuiltRelation(model.relation, rows, time.perf_counter() - started)


def _make(con: duckdb.DuckDBPyConnection, model: Model, *, exists: bool) -> int | None:
    """Create a relation and its comments, or fill it; return its rows, None for a view."""
    relation = f"{_CATALOGS[model.layer]}.{model.relation}"
    with model_errors(model):
        rows = model.make(con, relation, exists=exists)
        if model.layer in PUBLISHED and not exists:
            comment_on(con, relation, model.header)
    return rows
