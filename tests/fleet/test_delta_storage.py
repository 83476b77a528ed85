"""Delta tables in an object store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import duckdb
import pytest

pytest.importorskip("deltalake", reason="no extra `fleet` here: make test-all")
pytest.importorskip("moto", reason="no extra `fleet` here: make test-all")

import boto3
from moto.server import ThreadedMotoServer

from analytics.fleet import delta
from analytics.fleet.delta import Tables
from tests.fleet.publishing import publish_costs
from tests.fleet.small_mart import NAME


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    """A place in a bucket of a server on loopback, which the environment names."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="fleet")
    yield Tables("s3://fleet/tables")
    server.stop()


def _sum(tables: Tables) -> Decimal:
    frame = tables.find(NAME).to_pyarrow_table()  # noqa: F841 - DuckDB reads it by its name
    ((total,),) = duckdb.sql("select sum(cost_usd) from frame").fetchall()
    return total


def test_s3(own, tables):
    """Tables in S3 are written, replaced by partition, cleaned up and read."""
    old = publish_costs(own, tables).digests
    own.execute("update marts.fct_costs set cost_usd = 2 where workspace_id = 'w-1'")
    second = publish_costs(own, tables, old=old)

    assert second.count == 3
    assert _sum(tables) == 273 + 91
    assert delta.vacuum(tables, NAME, timedelta(0)) == 3
    assert _sum(tables) == 273 + 91
