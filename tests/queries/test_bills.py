"""The bill taken apart: surcharge and own-key cost by provider and by agent, from given rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.queries.metered import (
    DAY,
    NOON,
    controls,
    details,
    metered,
    rolled_up,
    run,
)
from tests.transform.given import Warehouse

OTHER = {"provider": "openai", "model": "openai.gpt-5.5"}


def bills(warehouse: Warehouse, relation: str, key: str) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        f"select {key}, metered_cost_usd, surcharge_usd, own_key_usd, billed_usd from {relation}"
        " order by utc_date, 1"
    )


def test_a_surcharge(read: Warehouse) -> None:
    """Without a key of one's own, all that is billed above or below the cost is surcharge."""
    metered(read, cost_usd=2, billed_usd="2.2")
    metered(read, cost_usd=1, billed_usd="0.5", **OTHER)
    read.build()

    assert bills(read, "marts.fct_billing_days", "provider") == [
        ("anthropic", 2, Decimal("0.2"), 0, Decimal("2.2")),
        ("openai", 1, Decimal("-0.5"), 0, Decimal("0.5")),
    ]


def test_an_own_key(read: Warehouse) -> None:
    """With a key all day, the provider's usage is own-key cost, and what is billed is surcharge."""
    read.given("provider_keys", created_at=datetime(2026, 11, 1, tzinfo=UTC))
    metered(read, cost_usd=2, billed_usd="0.04")
    metered(read, agent_id="a-2", cost_usd=1, billed_usd="1.1", **OTHER)
    for agent_id, cost in (("a-1", 2), ("a-2", 1)):
        rolled_up(read, 1, agent_id=agent_id, cost_usd=cost)
    read.build()

    assert bills(read, "marts.fct_billing_days", "provider") == [
        ("anthropic", 2, Decimal("0.04"), 2, Decimal("0.04")),
        ("openai", 1, Decimal("0.1"), 0, Decimal("1.1")),
    ]
    assert bills(read, "intermediate.int_agent_billing_days", "agent_id") == [
        ("a-1", 2, Decimal("0.04"), 2, Decimal("0.04")),
        ("a-2", 1, Decimal("0.1"), 0, Decimal("1.1")),
    ]
    assert controls(read) == {}


def test_an_agent_with_both(read: Warehouse) -> None:
    """An agent that uses a provider with a key and one without has both parts, by its hours."""
    read.given("provider_keys", created_at=datetime(2026, 11, 1, tzinfo=UTC))
    metered(read, cost_usd=2, billed_usd="0.04")
    metered(read, cost_usd=1, billed_usd="1.1", **OTHER)
    read.con.execute("""
        delete from raw.agent_billing_days where cost_usd = 1;
        update raw.agent_billing_days set cost_usd = 3, billed_usd = 1.14
    """)
    read.build()

    assert bills(read, "intermediate.int_agent_billing_days", "agent_id") == [
        ("a-1", 3, Decimal("0.14"), 2, Decimal("1.14"))
    ]


@pytest.mark.parametrize(("hour", "own_key"), [(9, 0), (15, 2)])
def test_a_key_added_within_the_day(read: Warehouse, hour: int, own_key: int) -> None:
    """On the day of the key, listed runs that started with it use it; earlier ones do not."""
    read.given("provider_keys", created_at=NOON)
    at = NOON.replace(hour=hour)
    run(read, started_at=at, created_at=at)
    metered(read, hour=f"2026-11-19 {hour:02}:00Z", billed_usd="0.04" if own_key else "2.2")
    read.build()

    ((_, _, _, found, _),) = bills(read, "marts.fct_billing_days", "provider")
    assert found == own_key


def test_a_run_keeps_the_account_with_which_it_started(read: Warehouse) -> None:
    """A run that began before the key and goes on after it is billed by Levain to its end."""
    read.given("provider_keys", created_at=NOON)
    early, late = NOON.replace(hour=11), NOON.replace(hour=13)
    run(read, started_at=early, created_at=early, finished_at=late)
    metered(read, cost_usd=1, hour="2026-11-19 11:00Z", billed_usd="1.1")
    metered(read, cost_usd=1, hour="2026-11-19 13:00Z", billed_usd="1.1")
    read.con.execute("""
        delete from raw.billing_days
        where version_id = (select min(version_id) from raw.billing_days);
        update raw.billing_days set cost_usd = 2, billed_usd = 2.2
    """)
    read.build()

    assert bills(read, "marts.fct_billing_days", "provider") == [
        ("anthropic", 2, Decimal("0.2"), 0, Decimal("2.2"))
    ]


def test_a_run_before_the_key_on_a_day_with_it(read: Warehouse) -> None:
    """On a day with a key from its start, a listed run that started before it is Levain's still."""
    read.given("provider_keys", created_at=datetime(2026, 11, 18, 23, 30, tzinfo=UTC))
    early, late = datetime(2026, 11, 18, 23, tzinfo=UTC), NOON.replace(hour=1)
    read.given("runs", started_at=early, created_at=early, finished_at=late, cost_usd=1)
    details(read, "r-1", cost_usd=1, started_at=late, ended_at=late)
    metered(read, cost_usd=1, hour="2026-11-19 01:00Z", billed_usd="1.1")
    metered(read, cost_usd=3, hour="2026-11-19 15:00Z", billed_usd="0.06", agent_id="a-2")
    read.build()

    rows = bills(read, "intermediate.int_agent_billing_days", "agent_id")
    assert [(agent, own_key) for agent, _, _, own_key, _ in rows] == [("a-1", 0), ("a-2", 3)]


def test_a_key_added_within_the_day_of_unlisted_runs(read: Warehouse) -> None:
    """Where runs are unlisted, the hours with a key decide."""
    read.given("provider_keys", created_at=NOON)
    metered(read, cost_usd=3, hour="2026-11-19 09:00Z", billed_usd="3.3")
    metered(read, cost_usd=2, hour="2026-11-19 15:00Z", billed_usd="0.04", agent_id="a-2")
    read.build()

    rows = bills(read, "intermediate.int_agent_billing_days", "agent_id")
    assert [(agent, own_key) for agent, _, _, own_key, _ in rows] == [("a-1", 0), ("a-2", 2)]


def test_a_revoked_key(read: Warehouse) -> None:
    """From the batch on that found the key gone, usage is billed by Levain again."""
    key = read.given("provider_keys", created_at=datetime(2026, 11, 1, tzinfo=UTC))
    read.insert(
        "raw.superseded", version_id=key, workspace_id="w-1", load_id="20261119T000000Z-001-keys"
    )
    read.insert(
        "ledger.requests", workspace_id="w-1", load_id="20261119T000000Z-001-keys", request=1,
        source="provider_keys", status=200, fetched_at=datetime(2026, 11, 19, tzinfo=UTC),
    )  # fmt: skip
    metered(read, date="2026-11-18", hour="2026-11-18 12:00Z", billed_usd="0.04")
    metered(read, billed_usd="2.2")
    read.build()

    rows = bills(read, "marts.fct_billing_days", "utc_date")
    assert [own_key for _, _, _, own_key, _ in rows] == [
        2, 0,
    ]  # fmt: skip
    assert read.row("select removed_at, is_listed from marts.dim_provider_keys") == (
        datetime(2026, 11, 19, tzinfo=UTC),
        False,
    )


def test_a_day_after_a_key_was_last_listed(read: Warehouse) -> None:
    """From the last list with a removed key on, a day that Levain bills in full is no own-key's."""
    key = read.given("provider_keys", created_at=datetime(2026, 11, 1, tzinfo=UTC))
    for day in (17, 20):
        read.insert(
            "ledger.requests", workspace_id="w-1", load_id=f"202611{day}T000000Z-001-keys",
            request=1, source="provider_keys", status=200,
            fetched_at=datetime(2026, 11, day, tzinfo=UTC),
        )  # fmt: skip
    read.insert(
        "raw.superseded", version_id=key, workspace_id="w-1", load_id="20261120T000000Z-001-keys"
    )
    for day, billed in ((16, "2.2"), (17, "0.04"), (18, "0.04"), (19, "2.2")):
        metered(read, date=f"2026-11-{day}", hour=f"2026-11-{day} 12:00Z", billed_usd=billed)
    read.build()

    rows = bills(read, "marts.fct_billing_days", "utc_date")
    assert [own_key for _, _, _, own_key, _ in rows] == [
        2, 2, 2, 0,
    ]  # fmt: skip


def test_own_key_cost_needs_the_hourly_meter(read: Warehouse) -> None:
    """With a key of the workspace's own and a refused meter, nobody knows what it paid itself."""
    read.given("provider_keys", created_at=datetime(2026, 11, 19, tzinfo=UTC))
    read.con.execute("update ledger.requests set status = 403 where source = 'usage_hours'")
    for day, billed in (("2026-11-18", "2.2"), ("2026-11-19", "0.2")):
        read.given("billing_days", date=day, provider="anthropic", cost_usd=2, billed_usd=billed)
    read.build()

    assert read.rows(
        "select utc_date, surcharge_usd, own_key_usd from marts.fct_billing_days order by utc_date"
    ) == [(date(2026, 11, 18), Decimal("0.2"), 0), (DAY, None, None)]
    assert read.row("select has_provider_keys from marts.dim_months") == (False,)


def test_usage_without_an_agent_stands_on_the_platforms_line(read: Warehouse) -> None:
    """Bills that name no agent are a line, so that lines add up to the bill."""
    metered(read, agent_id=None, cost_usd=1, billed_usd=0)
    metered(read, billed_usd="2.2")
    read.build()

    assert bills(read, "intermediate.int_agent_billing_days", "agent_id") == [
        ("(platform)", 1, -1, 0, 0),
        ("a-1", 2, Decimal("0.2"), 0, Decimal("2.2")),
    ]
