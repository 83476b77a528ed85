"""Days and months of the reports follow a time zone; the reconciliation stays in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from analytics.emulator.records import Agent
from analytics.emulator.world import World
from tests.batches import Published, publish, read
from tests.conftest import Batch
from tests.scenarios.conftest import set_timezone
from tests.scenarios.lies import work

# A run of as many dollars as its place says, at each of these instants.
INSTANTS = (
    datetime(2026, 9, 30, 21, 59, tzinfo=UTC),  # Berlin 23:59 of 30 September
    datetime(2026, 9, 30, 22, 0, tzinfo=UTC),  # Berlin 0:00 of 1 October
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # Berlin 2:30, summer time
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),  # Berlin 2:30 once more, winter time
    datetime(2026, 10, 25, 22, 59, tzinfo=UTC),  # the 25 hours of that day end
    datetime(2026, 10, 25, 23, 0, tzinfo=UTC),
    datetime(2026, 10, 31, 22, 59, tzinfo=UTC),  # Berlin 23:59 of 31 October
    datetime(2026, 10, 31, 23, 0, tzinfo=UTC),  # Berlin 0:00 of 1 November
)


ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata")


@pytest.fixture(autouse=True)
def few_are_listed() -> None:
    """All of these runs are listed."""


@pytest.fixture
def world() -> World:
    """Runs at the edges of days and months."""
    return World.empty(1, datetime(2026, 11, 3, 6, tzinfo=UTC))


def months(published: Published) -> dict[str, Any]:
    return {f"{row['month']:%m}": int(row["cost_usd"]) for row in published["fct_workspace_months"]}


def days(published: Published) -> dict[str, int]:
    return {f"{row['date']:%m-%d}": int(row["cost_usd"]) for row in published["fct_workspace_days"]}


def test_a_time_zone_moves_the_edges_of_days_and_months(
    batch: Batch, world: World, agent: Agent
) -> None:
    """Runs stand on their local day, of 25 hours where clocks go back; tables by UTC day stay.

    Where a time zone is set and taken back, all figures are as they were.
    """
    for dollars, instant in enumerate(INSTANTS, 1):
        work(world, agent, instant, str(dollars))
    batch.set_extract(history_days=60)
    read(batch)
    made = {}
    for zone in (*ZONES, "again UTC"):
        set_timezone(batch, zone.removeprefix("again "))
        made[zone] = publish(batch)
    utc, berlin, kolkata, again = made.values()

    assert months(utc) == {"09": 1 + 2, "10": 3 + 4 + 5 + 6 + 7 + 8}
    assert months(berlin) == {"09": 1, "10": 2 + 3 + 4 + 5 + 6 + 7, "11": 8}
    assert days(utc) == {"09-30": 1 + 2, "10-25": 3 + 4 + 5 + 6, "10-31": 7 + 8}
    assert days(berlin) == {
        "09-30": 1, "10-01": 2, "10-25": 3 + 4 + 5, "10-26": 6, "10-31": 7, "11-01": 8,
    }  # fmt: skip
    assert berlin.findings == []
    for mart in (
        "reconciliation_days", "int_reconciliation_agents", "fct_model_days", "fct_billing_days",
        "int_agent_billing_days", "controls",
    ):  # fmt: skip
        assert kolkata[mart] == utc[mart]
    assert again.figures == utc.figures
