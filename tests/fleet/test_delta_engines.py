"""Each mart, read from its Delta table by other engines, equals the rows in the shards."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

pytest.importorskip("deltalake", reason="no extra `fleet` here: make test-all")

from analytics.fleet.delta import Tables
from tests.fleet.conftest import mart_names
from tests.fleet.publishing import Merge, merge, of_shards

DELTA_TYPES = {
    "VARCHAR": "string",
    "BIGINT": "long",
    "INTEGER": "integer",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}
"""Names of DuckDB's types in Delta; a decimal has the same one."""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return Tables(str(tmp_path_factory.mktemp("delta")))


@pytest.fixture(scope="module")
def published(con: duckdb.DuckDBPyConnection, tables: Tables) -> dict[str, Merge]:
    """The marts of both shards, published."""
    return {name: merge(con, tables, name, of_shards(name)) for name in mart_names(con, "s0")}


def require_equal(con: duckdb.DuckDBPyConnection, name: str, merged: Merge, read: Any) -> None:
    """Compare the rows that another engine read, as an Arrow table, with those of the shards."""
    rows = merged.mart.select(of_shards(name))
    names = ", ".join(f'"{column}"' for column in read.column_names)
    for one, other in ((f"from ({rows})", "from read"), ("from read", f"from ({rows})")):
        ((count,),) = con.execute(
            f"select count(*) from (select {names} {one} except all select {names} {other})"
        ).fetchall()
        assert count == 0, name
    assert read.num_rows == con.execute(f"select count(*) from ({rows})").fetchone()[0]


def test_columns(published, tables):
    """Each mart has rows, and its table its columns in order, with their types and comments."""
    assert published
    for name, (mart, digests, _) in published.items():
        assert digests, name
        table = tables.find(name)
        fields = table.schema().fields
        types = {field.name: field.type.type for field in fields}
        expected = {
            column: DELTA_TYPES.get(type_, type_.lower()) for column, type_ in mart.types.items()
        }
        if mart.day:
            expected.setdefault("month", "date")

        assert list(types.items()) == list(expected.items())
        assert table.metadata().partition_columns == mart.partition_by
        assert mart.comment
        assert table.metadata().description == mart.comment
        comments = {field.name: field.metadata.get("comment") for field in fields}
        assert all(comments.values()), name
        assert comments.items() >= {column: mart.comments[column] for column in mart.types}.items()


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
def test_spark_sql(con, published, tables):
    """Spark SQL, served by Sail, reads the rows of the shards."""
    pytest.importorskip("pysail", reason="Sail is not installed")
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    try:
        _, port = server.listening_address
        spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        for name, merged in published.items():
            read = spark.sql(f"select * from delta.`{tables.address(name)}`")
            require_equal(con, name, merged, read.toArrow())
        spark.stop()
    finally:
        server.stop()
