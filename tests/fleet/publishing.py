"""Publish tables of a test, as a merge does."""

from __future__ import annotations

from typing import Any, NamedTuple

import duckdb

from analytics.fleet.delta import Digests, Mart, Tables, digests, read_mart, replace_changed
from tests.fleet.small_mart import COSTS, NAME


class Merge(NamedTuple):
    mart: Mart
    digests: Digests
    count: int


def of_shards(name: str) -> str:
    """SQL of the rows of a mart in both shards."""
    return f"from s0.marts.{name} union all by name from s1.marts.{name}"


def merge(
    con: duckdb.DuckDBPyConnection,
    tables: Tables,
    name: str,
    rows: str,
    *,
    old: Digests | None = None,
    catalog: str = "s0",
) -> Merge:
    """Publish the rows of a table."""
    mart = read_mart(con, name, catalog, rows)
    new = digests(con, mart, rows)
    count = replace_changed(con, tables, mart, rows, old=old or {}, new=new)
    return Merge(mart, new, count)


def publish_costs(own: duckdb.DuckDBPyConnection, tables: Tables, **options: Any) -> Merge:
    """Publish the small mart of a test."""
    return merge(own, tables, NAME, COSTS, catalog="memory", **options)
