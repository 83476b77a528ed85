"""Building all models against a real warehouse."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from analytics.files import folder
from analytics.transform.build import build
from analytics.transform.models import ModelError
from tests.transform.given import Warehouse


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    """A copy of the real models that a test may change."""
    return Path(shutil.copytree(folder("queries"), tmp_path / "queries"))


def test_a_build(warehouse: Warehouse, queries: Path) -> None:
    """Each relation is told once, tables with their rows; a new file is a table with a comment.

    A relation of an earlier build without a model is dropped.
    """
    (queries / "marts" / "fct_ours.sql").write_text(
        "-- It's ours. Grain: run.\n-- key: run_id\nselect run_id from marts.fct_runs\n"
    )
    warehouse.given("runs")
    warehouse.con.execute("create table build_file.marts.fct_retired as select 1 as x")

    relations = build(warehouse.con, timezone="UTC", queries=queries)

    built = {relation.name: relation.rows for relation in relations}
    assert built["marts.fct_ours"] == 1
    assert built["intermediate.int_run_errors"] == 0
    assert built["intermediate.int_runs"] is None
    assert len(built) == len(relations)
    assert warehouse.rows("from marts.fct_ours") == [("r-1",)]
    assert warehouse.row("select comment from duckdb_tables() where table_name = 'fct_ours'") == (
        "It's ours. Grain: run.",
    )
    with pytest.raises(duckdb.CatalogException):
        warehouse.rows("from marts.fct_retired")


@pytest.mark.parametrize(
    ("model", "sql", "error"),
    [
        ("marts/fct_broken", "select nothing from staging.runs", '.*"nothing" not found'),
        ("marts/fct_broken", "select cost_usd + status from staging.runs", ".*No function"),
        ("marts/fct_broken", "from raw.nowhere", ".*nowhere"),
        ("intermediate/int_budget_days", "select 1 as x", ""),
    ],
)
def test_an_error_names_its_model(
    warehouse: Warehouse, queries: Path, model: str, sql: str, error: str
) -> None:
    """The error of a model that cannot be built has its file or function, and DuckDB's cause."""
    (queries / f"{model}.sql").write_text(sql)
    name = r"queries/marts/fct_broken\.sql" if error else r"analytics\..*\.forecasting\.forecasts"

    with pytest.raises(ModelError, match=f"^{name}: {error}"):
        build(warehouse.con, timezone="UTC", queries=queries)
