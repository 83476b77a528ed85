"""Delta tables in an object store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import duckdb
import pytest

pytest.importorskip("deltalake", reason="the extra `fleet` is not installed; make test-all")
pytest.importorskip("moto", reason="the extra `fleet` is not installed; make test-all")

from analytics.fleet import delta
from analytics.fleet.delta import Tables
from tests.fleet.publishing import publish_costs
from tests.fleet.s3 import S3, serving
from tests.fleet.small_mart import NAME


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[S3, dict[str, str]]]:
    """A server with a bucket `fleet`, and the options that reach it."""
    with serving() as (server, options):
        yield server, options


@pytest.fixture
def store(
    server: tuple[S3, dict[str, str]], request: pytest.FixtureRequest
) -> Iterator[tuple[S3, Tables]]:
    """The server, and a place in it of the test's own."""
    store, options = server
    yield store, Tables(f"s3://fleet/{request.node.name.strip(']').replace('[', '-')}", options)
    store.refuses = lambda _method, _path: False


def _sum(tables: Tables) -> Decimal:
    frame = tables.find(NAME).to_pyarrow_table()  # noqa: F841 - DuckDB reads it by its name
    ((total,),) = duckdb.sql("select sum(cost_usd) from frame").fetchall()
    return total


def test_s3(own, store):
    """Tables in S3 are written, replaced by partition, cleaned up and read."""
    _, tables = store
    old = publish_costs(own, tables).digests
    own.execute("update marts.fct_costs set cost_usd = 2 where workspace_id = 'w-1'")
    second = publish_costs(own, tables, old=old)

    assert second.count == 3
    assert _sum(tables) == 273 + 91
    assert delta.vacuum(tables, NAME, timedelta(0)) == 3
    assert _sum(tables) == 273 + 91
