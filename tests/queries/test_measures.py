"""int_run_measures and the marts of days and months: given runs, their sums."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.transform.given import Warehouse

TABLES = ["fct_agent_days", "fct_workspace_days", "fct_agent_months", "fct_workspace_months"]


def test_all_measures(warehouse: Warehouse) -> None:
    """A day counts its runs by outcome, and sums cost and tokens of all of them."""
    runs: list[dict[str, Any]] = [
        {"status": "succeeded", "cost_usd": "1.0000000001", "tokens_in": 10, "tokens_out": 1},
        {"status": "succeeded", "cost_usd": 0, "tokens_in": 0, "tokens_out": 0},
        {"status": "failed", "cost_usd": "0.1", "tokens_in": 20, "tokens_out": 2},
        {"status": "cancelled", "cost_usd": "0.2", "tokens_in": None, "tokens_out": 3},
        {"status": "running", "cost_usd": None, "tokens_in": 40, "tokens_out": None},
        {"status": "paused_by_moon", "cost_usd": "0.3"},
    ]
    for number, run in enumerate(runs):
        warehouse.given("runs", run_id=f"r-{number}", **run)

    warehouse.build()

    for table in TABLES:
        assert warehouse.row(
            "select run_count, succeeded_count, failed_count, cancelled_count, open_count,"
            " no_usage_count, unknown_cost_count, cost_usd, failed_cost_usd, tokens_in,"
            f" tokens_out, round(failure_rate, 4) from marts.{table}"
        ) == (6, 2, 1, 1, 2, 1, 1, Decimal("1.6000000001"), Decimal("0.1"), 70, 6, 0.3333)


def test_unknown_is_not_zero(warehouse: Warehouse) -> None:
    """Where all costs are unknown the sum is null, and where none failed the failed cost is 0."""
    warehouse.given("runs", cost_usd=None)

    warehouse.build()

    for table in TABLES:
        assert warehouse.row(
            f"select cost_usd, failed_cost_usd, tokens_in, unknown_cost_count from marts.{table}"
        ) == (None, Decimal(0), None, 1)


def test_unknown_failed_cost(warehouse: Warehouse) -> None:
    """Where all failed runs' costs are unknown, the failed cost is null."""
    warehouse.given("runs", run_id="r-1", status="failed", cost_usd=None)
    warehouse.given("runs", run_id="r-2", cost_usd=1)

    warehouse.build()

    assert warehouse.row("select cost_usd, failed_cost_usd from marts.fct_workspace_days") == (
        Decimal(1),
        None,
    )


def test_no_failure_rate(warehouse: Warehouse) -> None:
    """A day on which nothing succeeded or failed has no failure rate and no interval."""
    warehouse.given("runs", status="cancelled")

    warehouse.build()

    assert warehouse.row(
        "select failure_rate, failure_rate_low, failure_rate_high from marts.fct_agent_days"
    ) == (None, None, None)


def test_runs_without_an_agent(warehouse: Warehouse) -> None:
    """Runs without an agent stand under "No agent", beside the whole workspace's row."""
    warehouse.given("runs", run_id="r-1", agent_id=None, cost_usd=1)
    warehouse.given("runs", run_id="r-2", agent_id="a-1", cost_usd=2)

    warehouse.build()

    assert warehouse.rows(
        "select agent_id, agent_slug, agent_name, cost_usd from marts.fct_agent_days"
        " order by agent_id"
    ) == [("(none)", None, "No agent", Decimal(1)), ("a-1", None, "a-1", Decimal(2))]
    assert warehouse.rows("select run_count, cost_usd from marts.fct_workspace_days") == [
        (2, Decimal(3))
    ]


def test_months(warehouse: Warehouse) -> None:
    """A month begins and ends with the days of the reporting time zone."""
    warehouse.given("runs", run_id="r-1", created_at="2026-10-31 22:59:59+00", cost_usd=1)
    warehouse.given("runs", run_id="r-2", created_at="2026-10-31 23:00:00+00", cost_usd=2)
    warehouse.given("runs", run_id="r-3", created_at="2026-11-30 22:59:59+00", cost_usd=4)

    warehouse.build("Europe/Berlin")

    for table in ("fct_agent_months", "fct_workspace_months"):
        assert warehouse.rows(f"select month, cost_usd from marts.{table} order by month") == [
            (date(2026, 10, 1), Decimal(1)),
            (date(2026, 11, 1), Decimal(6)),
        ]


def test_totals_to_the_last_digit(warehouse: Warehouse) -> None:
    """Sums of amounts with ten decimals are exact, where floats would drift."""
    for number in range(30):
        warehouse.given("runs", run_id=f"r-{number}", cost_usd="12345678.1234567891")

    warehouse.build()

    expected = 30 * Decimal("12345678.1234567891")
    for table in ("fct_runs", *TABLES):
        assert warehouse.row(f"select sum(cost_usd) from marts.{table}") == (expected,)


def test_large_counts(warehouse: Warehouse) -> None:
    """A thousand runs of the largest token count that is taken still add up."""
    warehouse.given("runs", tokens_in=10**15)
    warehouse.con.execute(
        "insert into raw.runs select runs.* replace ('r-' || n as run_id)"
        " from raw.runs as runs, range(2, 1001) as numbers(n)"
    )

    warehouse.build()

    assert warehouse.row("select tokens_in from marts.fct_workspace_months") == (10**18,)
