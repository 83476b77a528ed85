"""Gaps, complete days, reconciliation and bills: given rows, expected rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics.transform.checks import CheckResult, Thresholds, run_checks
from tests.transform.given import WORKSPACE, Warehouse

DAY = date(2026, 11, 19)
NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)
LAST_BATCH = datetime(2026, 11, 28, 5, tzinfo=UTC)  # so long after that nothing is within the lag


@pytest.fixture
def read(warehouse: Warehouse) -> Warehouse:
    """A workspace whose meters were read, and whose agent a-1 was counted, from 12 November on."""
    read_workspace(warehouse, WORKSPACE)
    return warehouse


def read_workspace(warehouse: Warehouse, workspace_id: str) -> None:
    warehouse.con.execute("update ledger.workspaces set last_batch_at = ?", [LAST_BATCH])
    for request, source in enumerate(("usage_hours", "run_counts")):
        warehouse.insert(
            "ledger.requests", workspace_id=workspace_id, load_id="load-1", request=request,
            source=source, agent_id="a-1", status=200, fetched_at=LAST_BATCH,
            window_start="2026-11-12", window_end="2026-11-29",
        )  # fmt: skip


def hidden_runs(warehouse: Warehouse, **of: Any) -> None:
    """Three runs of a day that cost 5 dollars, of which one of 2 dollars is held."""
    warehouse.given("runs", cost_usd=2, **of)
    warehouse.given("run_counts", run_count=2, **of)
    warehouse.given("run_counts", run_count=1, status="failed", **of)
    warehouse.given("agent_rollups", cost_usd=5, run_count=3, **of)
    for model, cost in (("claude-sonnet-5", "3.5"), ("anthropic/claude-haiku-5", "1.5")):
        metered(warehouse, cost, model=model, **of)


def metered(warehouse: Warehouse, cost_usd: Any, **of: Any) -> None:
    """An hour's usage that the day's bills, by agent and by provider, agree with."""
    row = {"agent_id": "a-1", "cost_usd": cost_usd} | of
    warehouse.given("usage_hours", provider="anthropic", **row)
    bill = {
        name: row[name] for name in ("agent_id", "cost_usd", "date", "workspace_id") if name in row
    }
    warehouse.given("agent_billing_days", billed_usd=cost_usd, **bill)
    del bill["agent_id"]
    warehouse.given("billing_days", billed_usd=cost_usd, **bill)


def controls(warehouse: Warehouse, **thresholds: Any) -> dict[str, CheckResult]:
    """The checks against the API's own figures that do not hold; no load has made these rows."""
    results = [
        each
        for each in run_checks(warehouse.con, thresholds=Thresholds(**thresholds))
        if each.name != "every_run_leads_to_its_request"
    ]
    assert [each.finding for each in results if not each.ok and not each.control] == []
    return {each.name: each for each in results if not each.ok}


def test_nothing_to_control(read: Warehouse) -> None:
    """Days without a run or a request are explained, with zeros; no other mart has a row."""
    read.build()

    assert read.row(
        "select count(*), min(date), max(date), sum(unexplained_usd)"
        " from audit.reconciliation_days where status in ('reconciled', 'open')"
    ) == (17, date(2026, 11, 12), date(2026, 11, 28), 0)
    for mart in (
        "fct_listing_gaps", "fct_listing_gap_models", "fct_workspace_days_complete",
        "reconciliation_agents", "fct_adjustments", "fct_agent_billing_days",
        "dim_provider_keys", "timing_differences",
    ):  # fmt: skip
        assert read.rows(f"from {mart}") == []
    assert controls(read) == {}


def test_hidden_runs_are_a_gap(read: Warehouse) -> None:
    """What the API counts and sums beyond the held runs is a gap, with its count and cost."""
    hidden_runs(read)
    read.build()

    assert read.rows("from marts.fct_listing_gaps") == [
        (WORKSPACE, "a-1", DAY, 3, 1, 2, Decimal(3), True)
    ]
    assert read.row(
        "select metered_cost_usd, run_cost_usd, gap_cost_usd, edge_usd, unexplained_usd, status"
        " from audit.reconciliation_days where date = '2026-11-19'"
    ) == (5, 2, 3, 0, 0, "reconciled")
    assert controls(read) == {}


def test_a_gap_by_model(read: Warehouse) -> None:
    """Metered usage less the held runs' costs tells which models the hidden runs used."""
    hidden_runs(read)
    read.given("run_costs", cost_usd=2)
    read.build()

    assert read.rows(
        "select model, metered_cost_usd, held_cost_usd, missing_cost_usd"
        " from marts.fct_listing_gap_models order by model"
    ) == [
        ("claude-haiku-5", Decimal("1.5"), 0, Decimal("1.5")),
        ("claude-sonnet-5", Decimal("3.5"), 2, Decimal("1.5")),
    ]


def test_a_gap_by_model_waits_for_details(read: Warehouse) -> None:
    """While a held run's model costs are unread, the missing ones are unknown, not all of it."""
    hidden_runs(read)
    read.build()

    assert read.rows("select distinct missing_cost_usd from marts.fct_listing_gap_models") == [
        (None,)
    ]


def test_a_gap_without_a_sum_has_an_unknown_cost(read: Warehouse) -> None:
    """Counted runs of a day that was never summed, or summed without a cost, cost nobody knows."""
    read.given("run_counts", run_count=2)
    read.given("run_counts", run_count=2, date="2026-11-18")
    read.given("agent_rollups", cost_usd=None, date="2026-11-18")
    read.build()

    assert read.rows(
        "select date, missing_run_count, missing_cost_usd from marts.fct_listing_gaps order by date"
    ) == [(date(2026, 11, 18), 2, None), (DAY, 2, None)]
    assert (
        read.rows(
            "select run_count, cost_usd, missing_run_count, unknown_gap_count, gap_cost_usd,"
            " complete_cost_usd from marts.fct_workspace_days_complete"
        )
        == [(0, 0, 2, 1, None, None)] * 2
    )


def test_a_day_that_goes_on_has_no_gap(read: Warehouse) -> None:
    """Runs that start while the batch reads are not missing: only ended days are judged."""
    read.given("run_counts", run_count=2, date="2026-11-28")
    read.given("agent_rollups", cost_usd=1, date="2026-11-28")
    read.build()

    assert read.rows("from marts.fct_listing_gaps") == []


def test_a_gap_beside_an_open_run_is_not_final(read: Warehouse) -> None:
    """The cost so far of an open run is its own, and the gap may still change."""
    hidden_runs(read)
    read.given("runs", run_id="r-2", status="running", cost_usd="0.5")
    read.insert("ledger.provisional_runs", workspace_id=WORKSPACE, run_id="r-2")
    read.build()

    assert read.row(
        "select missing_run_count, missing_cost_usd, is_final from marts.fct_listing_gaps"
    ) == (1, Decimal("2.5"), False)
    assert read.row(
        "select run_cost_usd, open_cost_usd, gap_cost_usd, unexplained_usd, status"
        " from audit.reconciliation_days where date = '2026-11-19'"
    ) == (2, Decimal("0.5"), Decimal("2.5"), 0, "open")


def test_complete_days_keep_three_kinds_apart(read: Warehouse) -> None:
    """Listed runs, hidden ones and the platform's stand in columns of their own, and in the sum."""
    hidden_runs(read)
    read.given("platform_rollups", run_count=4, cost_usd="0.25")
    read.given("platform_rollups", run_count=1, cost_usd="0.5", date="2026-11-15")
    read.build()

    assert read.rows(
        "select date, run_count, cost_usd, missing_run_count, gap_cost_usd, platform_run_count,"
        " platform_cost_usd, complete_cost_usd from marts.fct_workspace_days_complete"
    ) == [
        (date(2026, 11, 15), 0, 0, 0, 0, 1, Decimal("0.5"), Decimal("0.5")),
        (DAY, 1, 2, 2, 3, 4, Decimal("0.25"), Decimal("5.25")),
    ]


def test_unknown_costs_stay_unknown(read: Warehouse) -> None:
    """A run and a platform row without a cost are null, not free, and so is their sum."""
    read.given("runs", cost_usd=None)
    read.given("platform_rollups", run_count=1, cost_usd=None)
    read.build()

    assert read.row(
        "select cost_usd, unknown_cost_count, platform_cost_usd, complete_cost_usd"
        " from marts.fct_workspace_days_complete"
    ) == (None, 1, None, None)


def test_the_edge_of_a_day(read: Warehouse) -> None:
    """A run that began before midnight and asked after it is an edge of both days, summing to 0."""
    read.given("runs", cost_usd=3, finished_at=datetime(2026, 11, 20, 1, tzinfo=UTC))
    read.given("run_counts", run_count=1)
    read.given("agent_rollups", cost_usd=3)
    metered(read, 1)
    metered(read, 2, date="2026-11-20", hour="2026-11-20 00:00Z")
    read.build()

    assert read.rows(
        "select date, edge_usd, unexplained_usd from audit.reconciliation_days where edge_usd <> 0"
        " order by date"
    ) == [(DAY, -2, 0), (date(2026, 11, 20), 2, 0)]
    assert read.rows(
        "select date, edge_so_far_usd from audit.timing_differences order by date"
    ) == [
        (DAY, -2),
        (date(2026, 11, 20), 0),
    ]
    assert controls(read) == {}


def test_a_run_without_an_agent_is_explained_by_itself(read: Warehouse) -> None:
    """Usage that names no agent is that of agentless and of platform runs."""
    read.given("runs", agent_id=None, cost_usd=2)
    read.given("platform_rollups", run_count=1, cost_usd=1)
    metered(read, 3, agent_id=None)
    read.build()

    assert read.rows("from audit.reconciliation_agents") == []
    assert read.row(
        "select metered_cost_usd, run_cost_usd, platform_cost_usd, unexplained_usd, status"
        " from audit.reconciliation_days where date = '2026-11-19'"
    ) == (3, 2, 1, 0, "reconciled")


def test_a_difference_without_a_hidden_run_stays_unexplained(read: Warehouse) -> None:
    """Where counts agree and costs do not, the day is unreconciled, with agent and numbers."""
    read.given("runs", cost_usd=2)
    read.given("run_counts", run_count=1)
    read.given("agent_rollups", cost_usd="2.5")
    metered(read, "2.5")
    read.build()

    assert read.rows("from audit.reconciliation_agents") == [
        (WORKSPACE, DAY, "a-1", Decimal("2.5"), 2, 0, 0, 0, Decimal("0.5"))
    ]
    assert read.row(
        "select unexplained_usd, status from audit.reconciliation_days where date = '2026-11-19'"
    ) == (Decimal("0.5"), "unreconciled")
    found = controls(read)
    assert found.keys() == {"agent_costs_agree_with_the_api", "metered_cost_is_explained"}
    assert "a-1" in found["agent_costs_agree_with_the_api"].finding
    assert "ours_usd 2, theirs_usd 2.5" in found["agent_costs_agree_with_the_api"].finding


def test_opposite_differences_of_two_agents_are_found(read: Warehouse) -> None:
    """Two agents' errors that cancel out over the day are told of each, and may stop publishing."""
    for agent_id, ours in (("a-1", 45), ("a-2", -35)):
        read.given("agents", agent_id=agent_id)
        read.given("runs", run_id=agent_id, agent_id=agent_id, cost_usd=ours)
        read.given("run_counts", agent_id=agent_id, run_count=1)
        read.given("agent_rollups", agent_id=agent_id, cost_usd=5)
        metered(read, 5, agent_id=agent_id)
    read.build()

    found = controls(read)["agent_costs_agree_with_the_api"]
    assert [each["difference_usd"] for each in found.violations] == [-40, 40]
    assert found.blocking_count == 2


def test_vendor_checks_block_above_both_thresholds(read: Warehouse) -> None:
    """A closed day stops publishing only above the dollars and the percentage of the settings."""
    read.given("runs", cost_usd=100)
    read.given("run_counts", run_count=1)
    read.given("agent_rollups", cost_usd=120)
    metered(read, 120)
    read.build()

    def blocking(usd: int, percent: int) -> set[str]:
        found = controls(read, usd=Decimal(usd), percent=Decimal(percent))
        return {name for name, each in found.items() if each.blocking_count}

    assert blocking(19, 16) == {"agent_costs_agree_with_the_api", "metered_cost_is_explained"}
    assert blocking(20, 16) == set()
    assert blocking(19, 17) == set()


def test_an_open_day_never_blocks(read: Warehouse) -> None:
    """While a run of the day is open, its difference is neither shown nor stops publishing."""
    read.given("runs", cost_usd=100, status="running")
    read.given("run_counts", run_count=1)
    read.given("agent_rollups", cost_usd=200)
    metered(read, 200)
    read.build()

    assert not any(each.blocking_count for each in controls(read).values())
    assert read.row("select status from audit.reconciliation_days where date = '2026-11-19'") == (
        "open",
    )


@pytest.mark.parametrize(
    ("day", "status"), [(20, "unreconciled"), (21, "pending"), (27, "pending")]
)
def test_a_difference_of_the_last_week_may_yet_come(read: Warehouse, day: int, status: str) -> None:
    """For eight days the API's meters may lag; from then on a difference is an unreconciled day."""
    of = f"2026-11-{day}"
    metered(read, 1, agent_id=None, date=of, hour=f"{of} 03:00Z")
    read.build()

    assert read.row("select status from audit.reconciliation_days where date = ?", of) == (status,)


def test_more_runs_than_are_counted(read: Warehouse) -> None:
    """An agent's day with more runs than the API counts fails the control of completeness."""
    read.given("runs", cost_usd=0)
    read.build()

    found = controls(read)["run_counts_agree_with_the_api"]
    assert "ours 1, theirs 0" in found.finding
    assert found.blocking_count == 0


def test_a_day_before_the_counts_is_not_judged(read: Warehouse) -> None:
    """Of days that nobody counted nothing is said: neither a gap nor too many runs."""
    long_ago = datetime(2026, 11, 11, 12, tzinfo=UTC)
    read.given("runs", cost_usd=1, created_at=long_ago)
    read.build()

    assert read.rows("from marts.fct_listing_gaps") == []
    assert controls(read) == {}


def test_totals_by_agent_and_by_provider(read: Warehouse) -> None:
    """Where cost or bill by agent is not that by provider, the check tells both numbers."""
    read.given("agent_billing_days", agent_id="a-1", cost_usd=3, billed_usd=1)
    read.given("agent_billing_days", agent_id=None, cost_usd=1, billed_usd=0)
    read.given("billing_days", cost_usd=4, billed_usd="1.1")
    read.given("usage_hours", cost_usd=4)
    read.given("platform_rollups", cost_usd=4)
    read.build()

    found = controls(read)
    assert found.keys() == {"costs_by_agent_add_up_to_the_bill"}
    (violation,) = found["costs_by_agent_add_up_to_the_bill"].violations
    assert (violation["billed_usd"], violation["total_billed_usd"]) == (1, Decimal("1.1"))
    assert violation["difference_usd"] == Decimal("-0.1")


def test_another_workspace_explains_nothing(read: Warehouse) -> None:
    """Runs, counts, sums and batches of a workspace with the same agent id stay its own."""
    read.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Other")
    read_workspace(read, "w-2")
    hidden_runs(read)
    read.given("runs", workspace_id="w-2", run_id="r-9", cost_usd=3)
    read.given("run_counts", workspace_id="w-2", run_count=1)
    read.given("agent_rollups", workspace_id="w-2", cost_usd=3)
    metered(read, 3, workspace_id="w-2")
    read.run_batch("20261120T050000Z", workspace_id="w-2", load_id="20261120T050000Z-009-workspace")
    read.build()

    assert read.rows(
        "select workspace_id, missing_run_count, missing_cost_usd from marts.fct_listing_gaps"
    ) == [(WORKSPACE, 2, 3)]
    assert read.rows(
        "select workspace_id, complete_cost_usd from marts.fct_workspace_days_complete order by 1"
    ) == [(WORKSPACE, 5), ("w-2", 3)]
    assert controls(read) == {}


def test_control_totals(read: Warehouse) -> None:
    """Each control says ours, what is explained, theirs, and that nothing is left between them."""
    hidden_runs(read)
    read.build()

    assert read.rows(
        "select control, unit, ours, explained, theirs, difference, is_ok"
        " from audit.controls order by control, theirs, ours"
    ) == [
        ("accuracy", "usd", 2, 3, 5, 0, True),
        ("accuracy", "usd", 2, 3, 5, 0, True),
        ("allocation", "usd", 5, 0, 5, 0, True),
        ("completeness", "runs", 1, 2, 3, 0, True),
        ("cut_off", "usd", 0, 0, 0, 0, True),
    ]


def test_many_tokens_and_dollars(read: Warehouse) -> None:
    """The largest amounts that are stored are reconciled to the last digit."""
    most = Decimal("99999999.9999999999")
    for run_id in ("r-1", "r-2"):
        read.given("runs", run_id=run_id, cost_usd=most, tokens_in=10**15)
    read.given("run_counts", run_count=10**15)
    read.given("agent_rollups", cost_usd=most)
    metered(read, most)
    read.build()

    assert read.row("select missing_run_count, missing_cost_usd from marts.fct_listing_gaps") == (
        10**15 - 2,
        -most,
    )
