"""Days and months of the reports follow a time zone; the reconciliation stays in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics.emulator.records import Agent
from analytics.emulator.world import World
from tests.batches import Published, publish, run_batch
from tests.conftest import Batch
from tests.scenarios.conftest import set_timezone

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


@pytest.fixture(autouse=True)
def few_are_listed() -> None:
    """All of these runs are listed."""


@pytest.fixture
def world() -> World:
    """Runs at the edges of days and months."""
    return World.empty(1, datetime(2026, 11, 3, 6, tzinfo=UTC))


def run_at_the_edges(world: World, agent: Agent) -> None:
    for dollars, instant in enumerate(INSTANTS, 1):
        run = world.start_run(agent, at=instant)
        world.launch_run(run, at=instant)
        world.meter(
            run, model="claude-sonnet-5", provider="anthropic", tokens_in=1, tokens_out=1,
            cost_usd=Decimal(dollars), at=instant,
        )  # fmt: skip
        world.finish_run(run, at=instant)


@pytest.fixture
def published(batch: Batch, world: World, agent: Agent) -> Published:
    """The figures in UTC."""
    run_at_the_edges(world, agent)
    batch.set_extract(history_days=60)
    return run_batch(batch)


def months(published: Published) -> dict[str, Any]:
    return {f"{row['month']:%m}": int(row["cost_usd"]) for row in published["fct_workspace_months"]}


def days(published: Published) -> dict[str, int]:
    return {f"{row['date']:%m-%d}": int(row["cost_usd"]) for row in published["fct_workspace_days"]}


def test_a_time_zone_moves_the_edges_of_months(batch: Batch, published: Published) -> None:
    """Given runs around two month ends, Berlin's months differ from UTC's by those at the edges."""
    set_timezone(batch, "Europe/Berlin")
    in_berlin = publish(batch)

    assert months(published) == {"09": 1 + 2, "10": 3 + 4 + 5 + 6 + 7 + 8}
    assert months(in_berlin) == {"09": 1, "10": 2 + 3 + 4 + 5 + 6 + 7, "11": 8}
    assert in_berlin.findings == []


def test_the_day_on_which_clocks_go_back(batch: Batch, published: Published) -> None:
    """Given the batch of two half past twos, both runs are of one day, which has 25 hours."""
    set_timezone(batch, "Europe/Berlin")

    assert days(publish(batch)) == {
        "09-30": 1, "10-01": 2, "10-25": 3 + 4 + 5, "10-26": 6, "10-31": 7, "11-01": 8,
    }  # fmt: skip
    assert days(published) == {"09-30": 1 + 2, "10-25": 3 + 4 + 5 + 6, "10-31": 7 + 8}


def test_the_reconciliation_stays_in_utc(batch: Batch, published: Published) -> None:
    """Given another time zone, tables by UTC day stay the same."""
    set_timezone(batch, "Asia/Kolkata")
    in_kolkata = publish(batch)

    for mart in (
        "reconciliation_days", "int_reconciliation_agents", "fct_model_days", "fct_billing_days",
        "int_agent_billing_days", "controls",
    ):  # fmt: skip
        assert in_kolkata[mart] == published[mart]


def test_going_back_to_the_first_time_zone(batch: Batch, published: Published) -> None:
    """Given a time zone that is set and taken back, all figures are as they were."""
    set_timezone(batch, "America/St_Johns")
    publish(batch)
    set_timezone(batch, "UTC")

    assert publish(batch).figures == published.figures
