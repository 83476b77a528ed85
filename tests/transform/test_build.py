"""Building all models against a real warehouse."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from analytics.resources import folder
from analytics.transform.build import build
from analytics.transform.models import ModelError
from tests.transform.given import Warehouse


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    """A copy of the real models that a test may change."""
    return Path(shutil.copytree(folder("queries"), tmp_path / "queries"))


def test_build_tells_what_it_built(warehouse: Warehouse) -> None:
    """Every relation is reported once; tables with their rows, views without."""
    warehouse.given("runs")

    built = {relation.name: relation.rows for relation in build(warehouse.con, timezone="UTC")}

    assert built["marts.fct_runs"] == 1
    assert built["intermediate.int_run_errors"] == 0
    assert built["staging.stg_runs"] is None
    assert len(built) == len(set(built))


def test_build_twice(warehouse: Warehouse) -> None:
    """A second build of the same records gives the same marts."""
    warehouse.given("runs", cost_usd="0.25")
    warehouse.build()
    first = warehouse.rows("from marts.fct_agent_days")

    warehouse.build()

    assert warehouse.rows("from marts.fct_agent_days") == first


def test_relations_of_an_earlier_build_are_gone(warehouse: Warehouse) -> None:
    """A relation without a model is dropped."""
    warehouse.con.execute("create table build_file.marts.fct_retired as select 1 as x")

    build(warehouse.con, timezone="UTC")

    with pytest.raises(duckdb.CatalogException):
        warehouse.rows("from marts.fct_retired")


def test_new_model_file(warehouse: Warehouse, queries: Path) -> None:
    """A new file in `marts/` becomes a table, with its header as comment."""
    (queries / "marts" / "fct_ours.sql").write_text(
        "-- It's ours. Grain: run.\n-- key: run_id\nselect run_id from marts.fct_runs\n"
    )
    warehouse.given("runs")

    build(warehouse.con, timezone="UTC", queries=queries)

    assert warehouse.rows("from marts.fct_ours") == [("r-1",)]
    assert warehouse.row("select comment from duckdb_tables() where table_name = 'fct_ours'") == (
        "It's ours. Grain: run.",
    )


@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        ("select nothing from staging.stg_runs", '"nothing" not found'),
        ("select cost_usd + status from staging.stg_runs", "No function matches"),
        ("from raw.nowhere", "nowhere"),
    ],
)
def test_error_names_the_file(warehouse: Warehouse, queries: Path, sql: str, cause: str) -> None:
    """The error of a model that cannot be built names its file, with DuckDB's cause."""
    (queries / "marts" / "fct_broken.sql").write_text(sql)

    with pytest.raises(ModelError) as caught:
        build(warehouse.con, timezone="UTC", queries=queries)

    assert caught.value.file == "queries/marts/fct_broken.sql"
    assert cause in caught.value.cause


def test_error_names_the_function(warehouse: Warehouse, queries: Path) -> None:
    """The error of a Polars model without its columns names its function."""
    (queries / "intermediate" / "int_failed_runs.sql").write_text("select 1 as x")

    with pytest.raises(ModelError, match=r"^analytics\.transform\.error_classes\.run_errors: "):
        build(warehouse.con, timezone="UTC", queries=queries)
