"""fct_adjustments: what changed of a day after it was first published."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from analytics.extract.loads import BATCH_ID
from tests.transform.given import SEEN, WORKSPACE, Warehouse

DAY = date(2026, 11, 19)
FIRST, SECOND, THIRD = "20261120T050000Z", "20261121T050000Z", "20261122T050000Z"
EVE, LATER = "20261119T200000Z", "20261120T200000Z"
BATCHES = (EVE, FIRST, LATER, SECOND)


def versions(warehouse: Warehouse, *costs: Any, **of: Any) -> None:
    """A run of 19 November whose cost each batch of 20 November and after found another."""
    batches = [FIRST, SECOND, THIRD]
    version = warehouse.given("runs", cost_usd=costs[0], load_id=f"{FIRST}-002-lists", **of)
    for batch, cost in zip(batches[1:], costs[1:], strict=False):
        version = warehouse.replaced(
            version, "runs", cost_usd=cost, load_id=f"{batch}-003-corrected", **of
        )


def adjustments(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        "select agent_id, date, left(load_id, 8), previous_cost_usd, current_cost_usd,"
        " previous_run_count,"
        " current_run_count from marts.fct_adjustments order by load_id, agent_id"
    )


def test_a_cost_that_changed_after_its_day_was_published(warehouse: Warehouse) -> None:
    """Each later change of a published agent's day says what it was, is, and which load told."""
    for batch in (FIRST, SECOND, THIRD):
        warehouse.run_batch(batch)
    versions(warehouse, 1, "1.5", "1.25")
    versions(warehouse, 10, run_id="r-2")
    warehouse.build()

    assert adjustments(warehouse) == [
        ("a-1", DAY, "20261121", Decimal(11), Decimal("11.5"), 2, 2),
        ("a-1", DAY, "20261122", Decimal("11.5"), Decimal("11.25"), 2, 2),
    ]


def test_a_run_that_is_found_late(warehouse: Warehouse) -> None:
    """A run first seen after its day was published is adjusted by count, its unknown cost as 0."""
    warehouse.run_batch(FIRST)
    warehouse.run_batch(SECOND)
    warehouse.given("runs", cost_usd=None, load_id=f"{SECOND}-002-lists", agent_id=None)
    warehouse.build()

    assert adjustments(warehouse) == [("(none)", DAY, "20261121", 0, 0, 0, 1)]


def test_a_change_before_the_day_was_published_is_none(warehouse: Warehouse) -> None:
    """What changes while the day lasts, or before any batch ends after it, adjusts nothing."""
    warehouse.run_batch("20261119T180000Z")
    warehouse.run_batch(FIRST)
    first = warehouse.given("runs", cost_usd=1, load_id="20261119T180000Z-002-lists")
    warehouse.replaced(first, "runs", cost_usd=2, load_id=f"{FIRST}-002-lists")
    warehouse.build()

    assert adjustments(warehouse) == []


def test_a_batch_that_broke_off_adjusts_with_the_next(warehouse: Warehouse) -> None:
    """What a broken batch had landed was first published by the next whole one."""
    warehouse.run_batch(SECOND)
    first = warehouse.given("runs", cost_usd=1, load_id=f"{FIRST}-002-lists")
    warehouse.insert(
        "ledger.loads", workspace_id=WORKSPACE, load_id=f"{FIRST}-002-lists", step="lists"
    )
    warehouse.replaced(first, "runs", cost_usd=2, load_id=f"{SECOND}-002-lists")
    warehouse.build()

    assert adjustments(warehouse) == []


def test_days_of_adjustments_are_business_days(warehouse: Warehouse) -> None:
    """A run just before New York's midnight is of the day before, and closes with that day."""
    warehouse.run_batch("20261120T043000Z")  # 23:30 of the 19th in New York: the day goes on
    warehouse.run_batch("20261120T053000Z")
    late = {"run_id": "r-1", "created_at": datetime(2026, 11, 20, 4, tzinfo=UTC)}
    first = warehouse.given("runs", cost_usd=1, load_id="20261120T043000Z-002-lists", **late)
    second = warehouse.replaced(
        first, "runs", cost_usd=2, load_id="20261120T053000Z-002-lists", **late
    )
    warehouse.run_batch(SECOND)
    warehouse.replaced(second, "runs", cost_usd=3, load_id=f"{SECOND}-002-lists", **late)
    warehouse.build("America/New_York")

    assert adjustments(warehouse) == [("a-1", DAY, "20261121", 2, 3, 1, 1)]


def test_a_batch_that_was_not_published_closes_no_day(warehouse: Warehouse) -> None:
    """What a batch told of which nothing was published changes with the next one unnoticed."""
    warehouse.run_batch(FIRST, published_at=SEEN)
    warehouse.run_batch(SECOND, published_at=SEEN)
    warehouse.run_batch(THIRD, published_at=None)
    versions(warehouse, 1, "1.5", "1.25")
    warehouse.build()

    assert adjustments(warehouse) == [
        ("a-1", DAY, "20261122", Decimal("1.5"), Decimal("1.25"), 1, 1)
    ]


def asked(warehouse: Warehouse, source: str, refused_from: str = "") -> None:
    """Batches that ask for a meter's last week, which the API refuses to one and all after it."""
    for batch in BATCHES:
        at = datetime.strptime(f"{batch}+0000", f"{BATCH_ID}%z")
        warehouse.insert(
            "ledger.requests", workspace_id=WORKSPACE, load_id=f"{batch}-009-workspace",
            source=source, agent_id="a-1", window_start="2026-11-12",
            window_end=at.date() + timedelta(days=1), fetched_at=at,
            status=403 if refused_from and batch >= refused_from else 200,
        )  # fmt: skip


def published(warehouse: Warehouse, agent: str) -> tuple[Any, ...]:
    return warehouse.row(
        "select cost_usd, run_count from marts.fct_agent_days where agent_id = ? and date = ?",
        agent, DAY,
    )  # fmt: skip


@pytest.fixture
def metered(warehouse: Warehouse) -> Warehouse:
    """Batches that read the meters, the first of them before the day had ended."""
    for batch in BATCHES:
        warehouse.run_batch(batch)
    warehouse.execute("update ledger.workspaces set last_batch_at = '2026-11-21 05:00+00'")
    asked(warehouse, "usage_hours")
    return warehouse


@pytest.mark.parametrize(
    ("counts", "adjusted"),
    [([5, 6], (1, 2, 5, 6)), ([5, 5], (1, 2, 5, 5)), ([], (1, 2, 1, 2))],
    ids=["one more", "no more", "refused"],
)
def test_roll_ups_that_were_refused_before_a_day_was_whole(
    metered: Warehouse, counts: list[int], adjusted: tuple[int, ...]
) -> None:
    """Where the API refused the rest of a day's roll-up, the day changes by what is known of it."""
    asked(metered, "run_counts", "" if counts else FIRST)
    asked(metered, "agent_rollups", FIRST)
    metered.given("agent_rollups", run_count=5, cost_usd=5, load_id=f"{EVE}-009-workspace")
    version = metered.given("run_counts", run_count=5, load_id=f"{EVE}-009-workspace")
    for count, batch in zip(counts, (FIRST, SECOND), strict=False):
        version = metered.replaced(
            version, "run_counts", run_count=count, load_id=f"{batch}-009-workspace"
        )
    metered.given("runs", cost_usd=1, load_id=f"{EVE}-009-workspace")
    metered.given("runs", run_id="r-2", cost_usd=1, load_id=f"{SECOND}-009-workspace")
    metered.build()

    assert adjustments(metered) == [("a-1", DAY, "20261121", *adjusted)]
    assert published(metered, "a-1") == (adjusted[1], adjusted[3])


def test_the_platform_that_was_refused_before_a_day_was_whole(metered: Warehouse) -> None:
    """Where the API refused the rest of the platform's day, what was read of it adjusts nothing."""
    asked(metered, "platform_rollups", SECOND)
    first = metered.given("platform_rollups", cost_usd=3, load_id=f"{FIRST}-009-workspace")
    metered.replaced(first, "platform_rollups", cost_usd=4, load_id=f"{LATER}-009-workspace")
    metered.build()

    assert adjustments(metered) == []
    assert published(metered, "(platform)") == (None, 0)
