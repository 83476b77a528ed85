"""Controls of two sources, and the reconciliation of metered days: given rows, expected rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from tests.queries.metered import (
    DAY,
    LAST_BATCH,
    NOON,
    controls,
    details,
    metered,
    read_workspace,
    reconciled,
    rolled_up,
    run,
    unlisted_day,
)
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

NEXT_DAY = date(2026, 11, 20)


def good_day(warehouse: Warehouse, **of: Any) -> None:
    """A run of which every source of the API says the same."""
    run(warehouse, **of)
    rolled_up(warehouse, 1, **of)
    metered(warehouse, **of)


def run_off(warehouse: Warehouse, name: str, **of: Any) -> None:
    """A listed run that is not what its model costs sum to."""
    row = {"cost_usd": 2, "tokens_in": 100, "tokens_out": 10, "workspace_id": name}
    warehouse.given("runs", started_at=NOON, finished_at=NOON.replace(minute=1), **(row | of))
    details(warehouse, "r-1", **row, started_at=NOON, ended_at=NOON.replace(minute=1))
    rolled_up(warehouse, 1, workspace_id=name)
    metered(warehouse, workspace_id=name)


def day_off(warehouse: Warehouse, name: str, status: str, **reported: Any) -> None:
    """A listed run of which the API's counts and sums say something else."""
    run(warehouse, status=status, workspace_id=name)
    rolled_up(warehouse, 1, **reported, workspace_id=name)
    metered(warehouse, workspace_id=name)


def bill_off(warehouse: Warehouse, name: str, measure: str) -> None:
    """A bill of more than the hours, by provider and, of cost, by agent."""
    good_day(warehouse, workspace_id=name)
    add_to(warehouse, name, "billing_days", measure, 1)
    if measure == "cost_usd":
        add_to(warehouse, name, "agent_billing_days", measure, 1)


def agents_off(warehouse: Warehouse, name: str, measure: str) -> None:
    """A bill by agent of more than that by provider."""
    good_day(warehouse, workspace_id=name)
    add_to(warehouse, name, "agent_billing_days", measure, Decimal("0.1"))


def add_to(
    warehouse: Warehouse, workspace: str, source: str, measure: str, more: int | Decimal
) -> None:
    warehouse.execute(
        f"update raw.{source} set {measure} = {measure} + ? where workspace_id = ?", more, workspace
    )


RUNS = {
    "cost_usd": ({"cost_usd": 45}, 45, 2),
    "tokens_in": ({"tokens_in": 7}, 7, 100),
    "tokens_out": ({"tokens_out": 11}, 11, 10),
}
DAYS: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "status": ("failed", {}, {"failed_count", "succeeded_count"}),
    "cost_usd": ("succeeded", {"cost_usd": Decimal("2.5")}, {"cost_usd"}),
    "tokens_out": ("succeeded", {"tokens_out": 11}, {"tokens_out"}),
}
BILLED = ("cost_usd", "tokens_in", "tokens_out", "request_count")
BILLED_BY_AGENT = ("cost_usd", "billed_usd")
OFF: dict[str, Callable[[Warehouse, str], None]] = {
    **{f"run, {name}": partial(run_off, **of) for name, (of, _, _) in RUNS.items()},
    **{
        f"day, {name}": partial(day_off, status=status, **reported)
        for name, (status, reported, _) in DAYS.items()
    },
    **{f"bill, {name}": partial(bill_off, measure=name) for name in BILLED},
    **{f"agents, {name}": partial(agents_off, measure=name) for name in BILLED_BY_AGENT},
}

Found = dict[str, list[dict[str, Any]]]
"""By workspace, what controls find there."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """A workspace with each difference: their controls know nothing of each other."""
    with empty_warehouse(tmp_path_factory.mktemp("off") / "data") as warehouse:
        for name, differ in OFF.items():
            warehouse.insert("ledger.workspaces", workspace_id=name, workspace_name=name)
            read_workspace(warehouse, name)
            differ(warehouse, name)
        warehouse.build()
        controls(warehouse)
        rows = warehouse.execute("from reports.control_findings")
        columns = [name for name, *_ in rows.description or ()]
        findings = [dict(zip(columns, row, strict=True)) for row in rows.fetchall()]
    return {name: [each for each in findings if each["workspace_id"] == name] for name in OFF}


def test_nothing_to_control(read: Warehouse) -> None:
    """Days without a run or a request are reconciled, with zeros."""
    read.build()

    assert read.row(
        "select count(*), min(utc_date), max(utc_date), sum(unexplained_usd)"
        " from audit.reconciliation_days where status in ('reconciled', 'open')"
    ) == (17, date(2026, 11, 12), date(2026, 11, 28), 0)
    assert read.rows("from marts.fct_agent_days") == []
    assert read.rows("from marts.fct_adjustments") == []
    assert read.rows("from intermediate.int_reconciliation_agents") == []
    assert read.rows("from audit.controls") == []
    assert controls(read) == {}


def test_a_metered_day_is_taken_apart(read: Warehouse) -> None:
    """Listed and unlisted runs, the platform and runs without an agent explain the metered cost."""
    unlisted_day(read)
    run(read, "r-2", agent_id=None, cost_usd=2)
    read.given("platform_rollups", run_count=1, cost_usd=1)
    metered(read, agent_id=None, cost_usd=3)
    read.build()

    assert reconciled(
        read, "metered_cost_usd", "run_cost_usd", "platform_cost_usd", "unlisted_cost_usd",
        "timing_difference_usd", "unexplained_usd", "status",
    ) == (8, 4, 1, 3, 0, 0, "reconciled")  # fmt: skip
    assert read.rows("from intermediate.int_reconciliation_agents") == []
    assert controls(read) == {}


def test_control_totals(read: Warehouse) -> None:
    """Each control names its two sources, and what both sum to over all that was compared."""
    good_day(read)
    unlisted_day(read, agent_id="a-2")
    read.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=9, status=200,
        source="run_counts", agent_id="a-2", fetched_at=LAST_BATCH, window_start=DAY,
        window_end=DAY + timedelta(days=1),
    )  # fmt: skip
    read.given("platform_rollups", run_count=1, cost_usd=1)
    metered(read, agent_id=None, cost_usd=1)
    read.build()

    assert read.rows(
        "select control, first_source, second_source, compared_count, ours, theirs"
        " from audit.controls order by control"
    ) == [
        ("allocation", "analytics/timeseries/by-agent", "analytics/billing", 1, 8, 8),
        ("bill", "analytics/hourly", "analytics/billing", 1, 8, 8),
        ("cut-off", "analytics/agents", "analytics/hourly", 2, 7, 7),
        ("listed runs", "runs", "analytics/agents", 1, 2, 2),
        ("platform", "analytics/platform-agents, runs", "analytics/hourly", 1, 1, 1),
        ("run costs", "runs", "analytics/runs/{id}/costs", 2, 4, 4),
        ("run counts", "runs/daily", "analytics/agents", 2, 4, 4),
        ("unlisted runs", "runs", "runs/daily", 1, 1, 3),
    ]


def test_control_totals_of_days_that_one_source_lacks(read: Warehouse) -> None:
    """A day that is metered and billed to an agent, and on no provider's bill, is in the sums."""
    good_day(read)
    read.con.execute("delete from raw.billing_days")
    read.build()

    assert read.rows(
        "select control, compared_count, ours, theirs from audit.controls"
        " where control in ('allocation', 'bill') order by control"
    ) == [("allocation", 1, 2, 0), ("bill", 1, 2, 0)]


@pytest.mark.parametrize("measure", RUNS)
def test_a_run_against_its_model_costs(found: Found, measure: str) -> None:
    """A listed run that is not the sum of its model costs is named, and no other check fails."""
    _, ours, theirs = RUNS[measure]

    (violation,) = found[f"run, {measure}"]
    assert violation["check_name"] == "listed_runs_agree_with_their_model_costs"
    assert violation["run_id"] == "r-1"
    assert (violation["utc_date"], violation["agent_id"]) == (DAY, "a-1")
    assert (violation["measure"], violation["ours"], violation["theirs"]) == (measure, ours, theirs)


def test_a_run_that_changed_since_its_model_costs_were_read(read: Warehouse) -> None:
    """While its details wait to be read again, a corrected run is not compared with old ones."""
    first = read.given("runs", cost_usd=2, tokens_in=0, tokens_out=0, finished_at=NOON)
    details(read, "r-1", cost_usd=2, tokens_in=0, tokens_out=0)
    read.replaced(
        first, "runs", cost_usd=3, tokens_in=0, tokens_out=0, finished_at=NOON, load_id="load-99"
    )
    rolled_up(read, 1, cost_usd=3, tokens_in=0, tokens_out=0)
    metered(read, cost_usd=3, tokens_in=0, tokens_out=0)
    read.build()

    assert controls(read) == {}


@pytest.mark.parametrize("difference", DAYS)
def test_a_listed_day_against_the_api(found: Found, difference: str) -> None:
    """Where every run is listed, counts by status, cost and tokens are the API's, or are named."""
    *_, measures = DAYS[difference]

    violations = found[f"day, {difference}"]
    assert {each["check_name"] for each in violations} == {"listed_days_agree_with_the_api"}
    assert {each["measure"] for each in violations} == measures
    assert {(each["agent_id"], each["utc_date"]) for each in violations} == {("a-1", DAY)}


def test_a_listed_day_that_the_api_does_not_sum(read: Warehouse) -> None:
    """Where roll-ups are read, a day without one costs nothing by the API: all of it is found."""
    read.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=8,
        source="agent_rollups", status=200, window_start="2026-11-12", window_end="2026-11-29",
    )  # fmt: skip
    run(read, cost_usd=30_000)
    metered(read, cost_usd=30_000)
    read.build()

    found = controls(read)
    listed = found["listed_days_agree_with_the_api"]
    assert {each["utc_date"] for each in listed.violations} == {DAY}
    assert listed.violations[0]["measure"] == "cost_usd"
    assert listed.blocking_count == 1
    assert "roll_ups_agree_with_the_hourly_meter" not in found


def test_more_runs_than_are_counted(read: Warehouse) -> None:
    """An agent's day with more listed runs than the API counts fails, and shows the listed ones."""
    good_day(read)
    run(read, "r-2", cost_usd=0, tokens_in=0, tokens_out=0)
    read.build()

    (name,) = controls(read)
    assert name == "listed_days_agree_with_the_api"
    assert read.row("select run_count, unlisted_run_count from marts.fct_agent_days") == (2, 0)


def test_counts_against_roll_ups(read: Warehouse) -> None:
    """A count that is not the roll-up's is named: a run too many would pass as an unlisted one."""
    run(read)
    read.given("run_counts", run_count=2)
    read.given("agent_rollups", run_count=1, cost_usd=2, tokens_in=100, tokens_out=10)
    metered(read)
    read.build()

    found = controls(read)
    assert found.keys() == {"run_counts_agree_with_the_roll_ups"}
    assert "ours 2, theirs 1" in found["run_counts_agree_with_the_roll_ups"].finding


@pytest.mark.parametrize("measure", BILLED)
def test_hours_against_the_bill(found: Found, measure: str) -> None:
    """A provider's hours that are not what it bills are named, with both numbers."""
    violations = found[f"bill, {measure}"]
    by_agent = {"costs_by_agent_agree_with_the_bill"} if measure == "cost_usd" else set()
    checks = {each["check_name"] for each in violations}
    assert checks == {"hourly_usage_agrees_with_the_bill"} | by_agent
    (violation,) = [each for each in violations if each["check_name"].startswith("hourly")]
    assert (violation["provider"], violation["measure"]) == ("anthropic", measure)
    assert violation["theirs"] - violation["ours"] == 1


@pytest.mark.parametrize("measure", BILLED_BY_AGENT)
def test_agents_against_the_bill(found: Found, measure: str) -> None:
    """Cost or bill by agent that is not that by provider is named, and the agent by its hours."""
    violations = found[f"agents, {measure}"]
    agents = {None, "a-1"} if measure == "cost_usd" else {None}
    assert {each["check_name"] for each in violations} == {"costs_by_agent_agree_with_the_bill"}
    assert {(each["agent_id"], each["measure"]) for each in violations} == {
        (agent_id, measure) for agent_id in agents
    }
    assert {each["difference_usd"] for each in violations} == {Decimal("0.1")}


def test_opposite_differences_of_two_agents_are_found(read: Warehouse) -> None:
    """Two agents' errors that cancel out over the day are each named, and may stop publishing."""
    for agent_id, cost in (("a-1", 45), ("a-2", -35)):
        read.given("agents", agent_id=agent_id)
        run(read, agent_id, agent_id=agent_id, cost_usd=cost)
        rolled_up(read, 1, agent_id=agent_id, cost_usd=5)
        metered(read, agent_id=agent_id, cost_usd=5)
    read.build()

    found = controls(read)["listed_days_agree_with_the_api"]
    assert [each["difference_usd"] for each in found.violations] == [40, -40]
    assert found.blocking_count == 2


def test_controls_block_above_both_thresholds(read: Warehouse) -> None:
    """A closed day stops publishing only above the dollars and the percentage of the settings."""
    run(read, cost_usd=100)
    rolled_up(read, 1, cost_usd=120)
    metered(read, cost_usd=120)
    read.build()

    def blocking(usd: int, percent: int) -> set[str]:
        found = controls(read, usd=Decimal(usd), percent=Decimal(percent))
        return {name for name, each in found.items() if each.blocking_count}

    assert blocking(19, 16) == {"listed_days_agree_with_the_api"}
    assert blocking(20, 16) == set()
    assert blocking(19, 17) == set()


def test_an_open_day_never_blocks(read: Warehouse) -> None:
    """While a run of the day is open, nothing of it is compared."""
    read.given("runs", cost_usd=100, status="running")
    read.insert("ledger.provisional_runs", workspace_id=WORKSPACE, run_id="r-1")
    rolled_up(read, 1, cost_usd=200)
    metered(read, cost_usd=200)
    read.build()

    assert controls(read) == {}
    assert reconciled(read, "status") == ("open",)


def test_a_run_that_ended_during_the_batch_is_not_compared(read: Warehouse) -> None:
    """Sums are read before lists, so that a run which ends between them differs rightly."""
    run(read, cost_usd=100, finished_at=datetime(2026, 11, 28, 5, 0, 1, tzinfo=UTC))
    rolled_up(read, 1, cost_usd=90)
    metered(read, cost_usd=90)
    read.build()

    assert controls(read) == {}


@pytest.mark.parametrize(
    ("day", "status"), [(20, "unreconciled"), (21, "pending"), (27, "pending")]
)
def test_a_difference_of_the_last_week_may_yet_come(read: Warehouse, day: int, status: str) -> None:
    """For eight days the API's meters may lag; from then on a difference is unreconciled."""
    of = f"2026-11-{day}"
    metered(read, agent_id=None, cost_usd=1, date=of, hour=f"{of} 03:00Z")
    read.build()

    assert reconciled(read, "status", day=date.fromisoformat(of)) == (status,)
    failing = {"usage_without_an_agent_agrees_with_the_platform"}
    assert controls(read).keys() == (failing if status == "unreconciled" else set())


def test_a_day_before_the_counts_is_not_judged(read: Warehouse) -> None:
    """Of days that nobody counted, no run is unlisted and none is too many."""
    long_ago = NOON - timedelta(8)
    read.given("runs", cost_usd=1, created_at=long_ago, finished_at=long_ago)
    read.build()

    assert read.row("select unlisted_run_count from marts.fct_agent_days") == (0,)
    assert controls(read) == {}


def test_a_run_without_an_agent_is_explained_by_itself(read: Warehouse) -> None:
    """Usage that names no agent is that of runs without one and of the platform."""
    run(read, agent_id=None)
    metered(read, agent_id=None)
    read.build()

    assert reconciled(read, "metered_cost_usd", "run_cost_usd", "unexplained_usd", "status") == (
        2, 2, 0, "reconciled",
    )  # fmt: skip
    assert controls(read) == {}
