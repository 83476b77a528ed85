"""From a month's bill to the next one's, as it is built, closed and corrected."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from analytics.resources import folder
from tests.queries.closing import close
from tests.queries.metered import LAST_BATCH, metered
from tests.transform.given import WORKSPACE, Warehouse

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)


@pytest.fixture
def read(warehouse: Warehouse) -> Warehouse:
    """Two months of an agent and the platform: twice the runs, and a model that costs more."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = ?", [LAST_BATCH])
    for request, source in enumerate(("usage_hours", "run_counts", "agent_billing_days")):
        warehouse.insert(
            "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=request,
            source=source, agent_id="a-1", status=200, fetched_at=LAST_BATCH,
            window_start="2026-08-31", window_end="2026-11-29",
        )  # fmt: skip
    _day(warehouse, "2026-09-10", run_count=2, cost_usd=2, billed_usd="2.2", tokens_in=100)
    _day(warehouse, "2026-10-10", run_count=4, cost_usd=4, billed_usd="4.4", tokens_in=200)
    _day(warehouse, "2026-10-11", run_count=0, cost_usd=6, billed_usd=6, tokens_in=20, model="dear")
    _day(warehouse, "2026-10-12", run_count=0, cost_usd=1, billed_usd=1, agent_id=None)
    warehouse.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Gone")
    return warehouse


def _day(warehouse: Warehouse, day: str, *, run_count: int, **of: Any) -> None:
    metered(warehouse, date=day, hour=f"{day} 09:00Z", tokens_out=0, **of)
    if run_count:
        warehouse.given("run_counts", run_count=run_count, date=day)
        warehouse.given(
            "agent_rollups", run_count=run_count, date=day, cost_usd=of["cost_usd"],
            tokens_in=of["tokens_in"],
        )  # fmt: skip


def _steps(warehouse: Warehouse, month: date = OCTOBER, **where: str) -> dict[str, Decimal]:
    """The sums of all columns that are not zero."""
    condition = "".join(f" and {name} = '{value}'" for name, value in where.items())
    found = warehouse.execute(
        f"select sum(columns('.*_usd')) from marts.fct_month_bridge where month = ?{condition}",
        month,
    )
    names = [each[0] for each in found.description]
    (amounts,) = found.fetchall()
    return {
        name.removesuffix("_usd").removesuffix("_effect"): amount
        for name, amount in zip(names, amounts, strict=True)
        if amount
    }


def test_a_bridge_is_of_charges_and_runs(read: Warehouse) -> None:
    """A page has each step that is not zero, and whose agent and model made most of it.

    Sentences name the two largest effects, and add up the others. A workspace that was billed in
    one of both months, and not read whole, is left out and counted.
    """
    metered(read, workspace_id="w-2", date="2026-10-10", hour="2026-10-10 09:00Z")
    read.build()

    assert _steps(read, agent_id="(platform)") == {"platform": 1, "end": 1}
    assert read.rows("""
        select step_number, step, amount_usd, driver_name, driver_model, driver_usd
        from reports.rpt_month_bridge where workspace_id = '(all)' order by step_number
    """) == [
        (1, "September 2026", Decimal("2.2"), None, None, None),
        (3, "Runs", 2, "a-1", "claude-sonnet-5", 2),
        (5, "Tokens per run", Decimal("0.4"), "a-1", "claude-sonnet-5", Decimal("0.4")),
        (6, "Model mix", Decimal("5.6"), "a-1", "dear", 6),
        (11, "Platform", 1, "Platform", "claude-sonnet-5", 1),
        (12, "Surcharge", Decimal("0.2"), "a-1", "claude-sonnet-5", Decimal("0.2")),
        (14, "October 2026", Decimal("11.4"), None, None, None),
    ]  # fmt: skip
    assert read.row("""
        select first_reason, first_usd, first_name, first_model, first_driver_usd,
            second_reason, second_usd, third_reason, third_usd, other_usd, other_count,
            left_out_count
        from reports.rpt_month_reasons where workspace_id = '(all)'
    """) == (
        "tokens moved to more expensive models", Decimal("5.6"), "a-1", "dear", 6,
        "there were more runs", 2, "the platform cost more", 1, Decimal("1.6"), 3, 1,
    )  # fmt: skip


def test_a_workspace_that_was_forgotten_is_named(read: Warehouse) -> None:
    """The books have its bill of the month before: the pack names it, as the bridge lacks it."""
    metered(read, workspace_id="w-2", date="2026-09-10", hour="2026-09-10 09:00Z")
    close(read, SEPTEMBER)
    for table in ("ledger.workspaces", "raw.agent_billing_days", "raw.usage_hours"):
        read._con.execute(f"delete from {table} where workspace_id = 'w-2'")
    read.build()
    sql = (folder("queries") / "pack" / "bridge.sql").read_text(encoding="utf-8")
    sql = sql.replace("$month", f"'{OCTOBER}'")
    comments = [row[2] for row in read.rows(sql)]

    assert comments[0].endswith("not read whole, or its bill is unknown: Gone.")
    assert comments[-1] == "Billed by Levain."


def test_a_close_freezes_the_bridge(read: Warehouse) -> None:
    """A closed month keeps its bridge; the next one starts there, and says what changed since."""
    read._con.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    read._con.execute("update ledger.requests set window_end = '2026-12-05'")
    _day(read, "2026-11-10", run_count=4, cost_usd=4, billed_usd=4, tokens_in=200)
    close(read, SEPTEMBER, OCTOBER)
    frozen = _steps(read)
    (bill,) = read.row("select version_id from raw.agent_billing_days where date = '2026-10-10'")
    read.replaced(
        bill, "agent_billing_days", agent_id="a-1", date="2026-10-10", cost_usd=4, billed_usd="4.9",
    )  # fmt: skip
    read.build()

    assert _steps(read) == frozen
    november = _steps(read, date(2026, 11, 1))
    assert november["start"] == frozen["end"]
    assert november["adjustment"] == Decimal("0.5")
    check = folder("queries") / "checks" / "month_bridges_add_up.sql"
    assert read.rows(check.read_text(encoding="utf-8")) == []
