"""A real warehouse and build file for a test, and rows for its raw tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import polars as pl
import pytest

from analytics.files import folder
from analytics.transform.build import _CATALOGS, all_models, build, build_only
from analytics.transform.build_state import forget_build
from analytics.transform.check_results import create_results
from analytics.transform.frames import write_table
from analytics.transform.measures import create_macros
from analytics.transform.models import Model, SqlModel, references
from analytics.transform.page_queries import over_queries, page_queries
from analytics.warehouse.database import attached_marts, open_warehouse, records
from analytics.warehouse.landed import BATCH_ID
from analytics.warehouse.layout import Layout
from analytics.warehouse.schema import finance_statements

MODELS = {model.relation: model for model in all_models(folder("queries"))}
WORKSPACE = "w-1"
SEEN = datetime(2026, 11, 20, 5, tzinfo=UTC)

# What a row is where a test does not say: the columns that the API always sends.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "runs": {
        "run_id": "r-1",
        "agent_id": "a-1",
        "status": "succeeded",
        "created_at": datetime(2026, 11, 19, 12, tzinfo=UTC),
    },
    "agents": {"agent_id": "a-1", "status": "active"},
    "agent_versions": {
        "agent_id": "a-1",
        "agent_version_id": "v-1",
        "agent_version": 1,
        "status": "active",
    },
    "provider_keys": {"key_id": "k-1", "provider": "anthropic"},
    "schedules": {"schedule_id": "sc-1", "agent_id": "a-1"},
    "run_counts": {"agent_id": "a-1", "date": "2026-11-19", "status": "succeeded"},
    "agent_billing_days": {"date": "2026-11-19", "agent_id": "a-1"},
    "run_costs": {"run_id": "r-1", "model": "claude-sonnet-5", "provider": "anthropic"},
    "run_log_events": {"run_id": "r-1"},
    "usage_hours": {"date": "2026-11-19", "hour": "2026-11-19 12:00:00+00"},
    "billing_days": {"date": "2026-11-19", "provider": "anthropic"},
    "agent_rollups": {"date": "2026-11-19", "agent_id": "a-1"},
    "platform_rollups": {"date": "2026-11-19", "platform_agent_id": "p-1"},
}


class Warehouse:
    """A connection like the batch's, with methods to insert and query rows.

    After `build`, a query by `execute`, `rows` or `row` builds the relations that it reads and no
    others; whoever takes the connection itself gets a build of all models.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._timezone = "UTC"
        self._built: set[str] | None = None

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The connection; a build that was begun is completed first."""
        if self._built is not None:
            build(self._con, timezone=self._timezone)
            self._built = None
        return self._con

    def given(self, source: str, **columns: Any) -> int:
        """Insert a row into `raw.<source>`, and return its version."""
        ((version,),) = self.rows("select nextval('raw.version_ids')")
        row = {
            "version_id": version,
            "workspace_id": WORKSPACE,
            "load_id": "load-1",
            "request": 1,
            "line": version,
            "seen_at": SEEN,
            "record_hash": version,
        }
        self.insert(f"raw.{source}", **(row | _DEFAULTS[source] | columns))
        return int(version)

    def replaced(
        self, version: int, source: str, *, load_id: str = "load-2", **columns: Any
    ) -> int:
        """Insert a later version of a row, and supersede the earlier one."""
        self.insert("raw.superseded", version_id=version, workspace_id=WORKSPACE, load_id=load_id)
        return self.given(source, load_id=load_id, **columns)

    def run_batch(self, batch: str, **columns: Any) -> str:
        """Record a published batch, named by its beginning (`20261120T050000Z`).

        Return its load.
        """
        load_id = f"{batch}-009-workspace"
        published_at = datetime.strptime(f"{batch}+0000", f"{BATCH_ID}%z")
        batch = {"workspace_id": WORKSPACE, "load_id": load_id, "published_at": published_at}
        batch |= columns
        self.insert("ledger.loads", step="workspace", **batch)
        return load_id

    def insert(self, table: str, **columns: Any) -> None:
        """Insert a row into any table."""
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" for _ in columns)
        self._con.execute(f"insert into {table} ({names}) values ({marks})", list(columns.values()))

    def build(self, timezone: str = "UTC") -> None:
        """Begin a build: from here on, relations are built when a query reads them."""
        self._timezone, self._built = timezone, set()

    def build_all(self, timezone: str = "UTC") -> None:
        """Build all models now."""
        self._timezone, self._built = timezone, None
        build(self._con, timezone=timezone)

    def execute(self, sql: str, *values: Any) -> duckdb.DuckDBPyConnection:
        """Execute a query, and build the relations that it reads before."""
        if self._built is not None and (read := _models_of(references("query", sql))):
            build_some(self._con, read, self._timezone, self._built)
        if "reports." in sql:
            sql = over_queries(self._con, sql)
        return self._con.execute(sql, values)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.execute(sql, *values).fetchall()

    def row(self, sql: str, *values: Any) -> tuple[Any, ...]:
        """Return the only row of a query."""
        (row,) = self.rows(sql, *values)
        return row


def _models_of(relations: Collection[str]) -> set[str]:
    """Return the models among relations, and those that page queries among them read."""
    queries = page_queries()
    found = {name for name in relations if name in MODELS}
    for name in relations & queries.keys():
        found |= _models_of(queries[name].reads)
    return found


def build_some(
    con: duckdb.DuckDBPyConnection, wanted: Collection[str], timezone: str, built: set[str]
) -> None:
    """Build relations and all that they read, but for those that are `built`; add them to these."""
    missing: set[str] = set()
    left = [*wanted]
    while left:
        relation = left.pop()
        if relation in MODELS and relation not in built | missing:
            missing.add(relation)
            left += MODELS[relation].reads
    if not missing:
        return
    con.execute("set variable reporting_timezone = ?", [timezone])
    for layer, catalog in _CATALOGS.items():
        con.execute(f"create schema if not exists {catalog}.{layer}")
    forget_build(con)  # these have no comments
    _drop(con, [MODELS[relation] for relation in missing])
    create_macros(con, "build_file.marts")
    create_results(con)
    with patch("analytics.transform.build.comment_on"):
        build_only(con, missing)
    built |= missing


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


def answered(
    relation: str, inputs: Mapping[str, pl.DataFrame], *between: str
) -> list[dict[str, Any]]:
    """Return the rows of a model's SELECT over frames, each of which stands for an input.

    Models `between` them are made of these.
    """
    model = MODELS[relation]
    assert isinstance(model, SqlModel)
    con = _finance()
    for name in (*inputs, *between):
        con.execute(f"drop table if exists {name}")
        if name in inputs:
            write_table(con, name, inputs[name])
        else:
            MODELS[name].make(con, name)
    return [*records(con, model.sql)]


@cache
def _finance() -> duckdb.DuckDBPyConnection:
    """A connection of this process with the tables and macros of `finance`, all empty."""
    con = duckdb.connect(config={"threads": 1})
    con.execute(f"{finance_statements()} create schema intermediate; create schema marts")
    return con


class InMemory(Layout):
    """A data directory whose DuckDB files are held in memory."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.warehouse = self.marts = Path(":memory:")


@contextmanager
def empty_warehouse(folder: Path, kind: type[Layout] = InMemory) -> Iterator[Warehouse]:
    """A new warehouse, with one workspace and a build file beside it."""
    layout = kind(folder)
    layout.root.mkdir(exist_ok=True)
    with open_warehouse(layout) as con, attached_marts(con, layout.marts):
        con.execute("set threads = 1")
        warehouse = Warehouse(con)
        warehouse.insert("ledger.workspaces", workspace_id=WORKSPACE, workspace_name="Bakery")
        warehouse.insert("finance.limits", materiality_usd="0.01")
        yield warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    """An empty warehouse of the test's own."""
    with empty_warehouse(tmp_path / "data") as warehouse:
        yield warehouse
