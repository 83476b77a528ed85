"""Differences of two sources of the API: which of them stop publishing, and which only warn."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

from analytics.transform.checks import Check, _run
from analytics.transform.models import SqlModel, read_header

HEADER = read_header("-- Both agree.\n-- control: any\n-- sources: ours | theirs\nselect 1")


@pytest.mark.parametrize(
    ("measure", "difference", "theirs", "is_closed", "blocks"),
    [
        ("cost_usd", "20.01", 120, True, True),
        ("cost_usd", "-20.01", 120, True, True),
        ("cost_usd", "20", 120, True, False),  # no more than the dollars
        ("cost_usd", "20.01", 2001, True, False),  # no more than the percentage
        ("cost_usd", "20.01", 120, False, False),
        ("run_count", "11", 100, True, True),
        ("run_count", "10", 1, True, False),
        ("failed_count", "11", 1100, True, False),
        ("request_count", "101", 1, True, True),
        ("request_count", "100", 1, True, False),
        ("tokens_in", "1000001", 100, True, True),
        ("tokens_out", "1000000", 100, True, False),
    ],
)
def test_a_difference_above_both_thresholds_blocks(
    measure: str, difference: str, theirs: float, *, is_closed: bool, blocks: bool
) -> None:
    """Of a closed day it does: above the number of its measure, and above the percentage."""
    row = f"""
        select '{measure}' as measure, {theirs} + {difference}::decimal(38, 10) as ours,
            {theirs}::decimal(38, 10) as theirs, 0 as tolerance, {is_closed} as is_closed
    """
    check = Check("any", HEADER, (SqlModel("checks", "any", "any.sql", HEADER, frozenset(), row),))

    with duckdb.connect() as con:
        result = _run(con, check, Decimal(20))

    assert (result.violation_count, result.blocking_count) == (1, int(blocks))
