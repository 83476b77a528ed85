from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from analytics.warehouse.layout import Layout
from tests.fleet.small_mart import costs
from tests.queries.closing import close
from tests.queries.sample import OTHER_WORKSPACE, fill
from tests.report.conftest import browser, reader
from tests.transform.given import empty_warehouse

__all__ = ["browser", "reader"]


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The built marts of two shards, with rows in every table: of w-1 and w-2, and x-1 and x-2."""
    folder = tmp_path_factory.mktemp("shards")
    with empty_warehouse(folder / "data", Layout) as warehouse:
        fill(warehouse)
        close(warehouse, date(2026, 10, 1))
        corrected = {"workspace_id": OTHER_WORKSPACE, "agent_id": "a-9", "load_id": "load-2"}
        day = "2026-10-06"
        warehouse.given(
            "runs", run_id="r-october", cost_usd=4, created_at=f"{day} 12:00Z", **corrected
        )
        warehouse.given("agent_billing_days", date=day, cost_usd=4, billed_usd=4, **corrected)
        warehouse.given(
            "usage_hours", hour=f"{day} 12:00Z", date=day, model="m", provider="bedrock",
            cost_usd=4, **corrected,
        )  # fmt: skip
        warehouse.build_all()
        hour = {"workspace_id": OTHER_WORKSPACE, "hour": datetime(2026, 11, 17, 9, tzinfo=UTC)}
        warehouse.insert("marts.fct_outage_hours", **hour)
    first, second = folder / "first.duckdb", folder / "second.duckdb"
    shutil.copyfile(Layout(folder / "data").marts, first)
    shutil.copyfile(first, second)
    with duckdb.connect(second) as con:
        for schema, name in con.execute(
            "select schema_name, table_name from duckdb_columns()"
            " where column_name = 'workspace_id' and schema_name in ('marts', 'audit')"
        ).fetchall():
            con.execute(
                f"update {schema}.{name} set workspace_id = replace(workspace_id, 'w-', 'x-')"
            )
    return first, second


@pytest.fixture(scope="module")
def con(shards: tuple[Path, Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to which two shards are attached, in another time zone than UTC."""
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'Asia/Tokyo'")
        for number, path in enumerate(shards):
            con.execute(f"attach '{path}' as s{number} (read_only)")
        yield con


@pytest.fixture
def own() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with a small mart of the test's own."""
    with duckdb.connect() as con:
        costs(con, 1)
        yield con


def mart_names(con: duckdb.DuckDBPyConnection, catalog: str) -> list[str]:
    found = con.execute(
        "select table_name from duckdb_tables() where (database_name, schema_name) = (?, 'marts')"
        " order by table_name",
        [catalog],
    ).fetchall()
    return [name for (name,) in found]
