"""Conversions between DuckDB and Polars."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import polars as pl
import pytest

from analytics.transform.frames import read_frame, write_table


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    return con


def test_there_and_back(con: duckdb.DuckDBPyConnection) -> None:
    """Values and types survive both conversions to the last digit, nulls and unusual texts too."""
    con.execute("""
        create table given (money decimal(18, 10), total decimal(38, 10), tokens bigint,
            text varchar, flag boolean, day date, at_instant timestamptz, rate double);
        insert into given values
            (12345678.1234567891, '1000000000000000000.0000000001', 10^15,
                '=cmd() <script> 🍞', true, '2026-03-29', '2026-03-29 01:00:00.000001+00', 0.1),
            (null, null, null, null, null, null, null, null)
    """)

    rows = write_table(con, "back", read_frame(con, "given"))

    assert rows == 2
    assert con.execute("from back").fetchall() == con.execute("from given").fetchall()
    assert con.execute("from back limit 1").fetchall() == [
        (
            Decimal("12345678.1234567891"),
            Decimal("1000000000000000000.0000000001"),
            10**15,
            "=cmd() <script> 🍞",
            True,
            date(2026, 3, 29),
            datetime(2026, 3, 29, 1, 0, 0, 1, UTC),
            0.1,
        )
    ]


def test_empty_frame(con: duckdb.DuckDBPyConnection) -> None:
    """A frame without rows keeps its columns and their types."""
    write_table(
        con, "empty", pl.DataFrame(schema={"run_id": pl.String, "failure_rate": pl.Float64})
    )

    assert con.execute("select column_name, column_type from (describe empty)").fetchall() == [
        ("run_id", "VARCHAR"),
        ("failure_rate", "DOUBLE"),
    ]
