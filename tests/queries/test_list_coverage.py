"""The pace at which an agent starts as many runs as a list shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.transform.given import Warehouse


@pytest.mark.parametrize(
    ("minutes", "pace"), [(3, (199 * 3 * 60, 3)), (0, (0, None))], ids=["a burst", "an instant"]
)
def test_pace_of_a_list(warehouse: Warehouse, minutes: int, pace: tuple[int, int | None]) -> None:
    """The shortest time for 200 runs gives how many batches a day would miss none: null if none."""
    first = datetime(2026, 11, 18, tzinfo=UTC)
    warehouse._con.execute("update ledger.workspaces set last_batch_at = '2026-11-21 05:00Z'")
    for number in range(400):
        after = 10 * number if number < 200 else 2000 + minutes * (number - 200)
        created = first + timedelta(minutes=after)
        warehouse.given("runs", run_id=f"r-{number}", created_at=created)
    warehouse.insert(
        "ledger.requests", workspace_id="w-1", load_id="load-1", request=1, status=200,
        source="usage_hours", window_start="2026-10-20", window_end="2026-12-20",
    )  # fmt: skip
    warehouse.build()

    assert pace == warehouse.row(
        "select shortest_span_seconds, required_batches_per_day from audit.list_coverage"
    )
