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
def tables() -> Iterator[Tables]:
    """A place in a bucket of a server on loopback."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    options = {
        "aws_endpoint": f"http://{host}:{port}", "aws_access_key_id": "made-up",
        "aws_secret_access_key": "made-up", "aws_region": "us-east-1", "allow_http": "true",
    }  # fmt: skip
    boto3.client(
        "s3", endpoint_url=options["aws_endpoint"], region_name="us-east-1",
        aws_access_key_id="made-up", aws_secret_access_key="made-up",
    ).create_bucket(Bucket="fleet")  # fmt: skip
    yield Tables("s3://fleet/tables", options)
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
