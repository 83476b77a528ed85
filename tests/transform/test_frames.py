"""Conversions between DuckDB and Polars."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest

from analytics.transform.frames import read_frame, write_table


@pytest.mark.parametrize("rows", [2, 0])
def test_there_and_back(rows: int) -> None:
    """Values and types survive to the last digit, nulls, unusual texts and no rows at all too."""
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    con.execute("""
        create table given (money decimal(18, 10), total decimal(38, 10), tokens bigint,
            text varchar, flag boolean, day date, at_instant timestamptz, rate double)
    """)
    values = (
        Decimal("12345678.1234567891"), Decimal("1000000000000000000.0000000001"), 10**15,
        "=cmd() <script> 🍞", True, date(2026, 3, 29), datetime(2026, 3, 29, 1, 0, 0, 1, UTC), 0.1,
    )  # fmt: skip
    written = [values, (None,) * len(values)][:rows]
    for row in written:
        con.execute("insert into given values (?, ?, ?, ?, ?, ?, ?, ?)", row)

    assert write_table(con, "back", read_frame(con, "given")) == rows

    assert con.execute("from back").fetchall() == written
    types = "select column_type from (describe {})"
    assert (
        con.execute(types.format("back")).fetchall()
        == con.execute(types.format("given")).fetchall()
    )
