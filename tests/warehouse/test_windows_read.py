"""The days that a batch counts again."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest

from analytics.warehouse.store import Store
from analytics.warehouse.windows_read import first_wrong_count
from tests.warehouse.conftest import DAY, Load


@pytest.mark.parametrize("left", [[], [1], [3]])
def test_a_roll_up_that_differs_has_its_day_counted_again(
    con: duckdb.DuckDBPyConnection, load: Load, left: list[int]
) -> None:
    """A roll-up that changes to fewer runs than were counted, to more, or to none asks once."""
    window = (DAY, DAY + timedelta(days=1))
    found = []

    def roll_up(counts: list[int]) -> None:
        rows = [{"agent_id": "a1", "run_count": each} for each in counts]
        load("agent_rollups", rows, window=window)
        found.append(first_wrong_count(Store(con, "w1"), DAY))

    def count(number: int) -> None:
        row = {"date": f"{DAY}", "status": "succeeded", "count": number}
        load("run_counts", [row], agent_id="a1", window=window)

    roll_up([2])
    count(2)
    roll_up([2])
    roll_up(left)
    count(2)
    roll_up(left)

    assert found == [{"a1": DAY}, {}, {"a1": DAY}, {}]
