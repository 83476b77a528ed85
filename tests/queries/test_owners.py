"""Owners in SQL: whose an agent is today, and figures by the owner of each day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from analytics.transform.checks import run_checks
from tests.queries.sample import BREAD, CAKE, OTHER_WORKSPACE, fill, own
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

MEASURES = (
    "run_count", "failed_count", "cost_usd", "tokens_in", "unlisted_run_count", "failed_cost_usd",
)  # fmt: skip
BILL = ("metered_cost_usd", "billed_usd", "surcharge_usd", "own_key_usd", "adjusted_cost_usd")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The sample, whose `baker` changes hands within a month; tests only read it."""
    with empty_warehouse(tmp_path_factory.mktemp("owned") / "data") as warehouse:
        fill(warehouse)
        warehouse.build_all()
        yield warehouse


def test_all_checks_of_sums_pass(sample: Warehouse) -> None:
    """Sums over owners are those of lines and workspaces to the last digit, by day and by month."""
    results = {each.name: each for each in run_checks(sample.con) if not each.control}

    assert [each.finding for each in results.values() if not each.ok] == []
    assert {
        "int_agent_owner_months_sums_fct_agent_months",
        "fct_workspace_months_sums_fct_agent_months",
    } <= results.keys()


@pytest.mark.parametrize("measure", [*MEASURES, *BILL])
def test_owners_add_up_to_the_workspace(measure: str, sample: Warehouse) -> None:
    """Nothing is lost or counted twice, and nobody has less than nothing, nor more than all."""
    owners = sample.rows(
        f"select workspace_id, month, sum({measure}), min({measure})"
        " from intermediate.int_agent_owner_months group by all order by all"
    )
    workspaces = sample.rows(
        f"select workspace_id, month, {measure} from marts.fct_workspace_months order by all"
    )

    assert [row[:3] for row in owners] == workspaces
    assert all(least is None or least >= 0 for *_, least in owners if "surcharge" not in measure)


def test_an_agent_has_the_owner_of_today(sample: Warehouse) -> None:
    """dim_agents has owner, cost center and account on the day of the last batch; else null."""
    rows = sample.rows(
        "select agent_id, owner, cost_center, account from marts.dim_agents"
        " where workspace_id = ? order by agent_id",
        WORKSPACE,
    )

    assert rows == [
        ("(none)", None, None, None),
        ("(platform)", None, None, None),
        ("a-1", CAKE, "C-2", None),
        ("a-2", None, None, None),
    ]


def test_a_day_belongs_to_the_owner_of_that_day(sample: Warehouse) -> None:
    """Runs, bill and usage of a day stand under its owner, those before under the one before."""
    for table, day in (
        ("marts.fct_agent_days", "date"),
        ("marts.fct_charges", "utc_date"),
        ("marts.fct_model_days", "utc_date"),
    ):
        rows = sample.rows(
            f"select distinct {day} >= date '2026-11-19', owner, cost_center from {table}"
            f" where agent_id = 'a-1' and workspace_id = '{WORKSPACE}' order by all"
        )
        assert rows[-1] == (True, CAKE, "C-2")
        assert rows[:-1] in ([], [(False, BREAD, "C-1")])


def test_what_has_no_owner_is_a_line(sample: Warehouse) -> None:
    """The line '(none)' is that of agents without an owner, of no agent and of the platform."""
    lines = sample.rows(
        "select distinct agent_id from marts.fct_agent_days"
        f" where workspace_id = '{WORKSPACE}' and owner = '(none)' and cost_center = '(none)'"
        " order by all"
    )
    (without,) = sample.row(
        "select sum(cost_usd) from marts.fct_agent_days"
        f" where workspace_id = '{WORKSPACE}' and owner = '(none)' and cost_center = '(none)'"
    )
    (whole,) = sample.row(
        "select sum(cost_usd) from marts.fct_agent_days"
        f" where workspace_id = '{WORKSPACE}' and (agent_id like '(%' or"
        " agent_id = 'a-2' and date > '2026-11-17')"
    )

    assert lines == [("(none)",), ("(platform)",), ("a-2",)]
    assert without == whole > 0


def test_a_month_in_which_an_agent_changes_hands_has_a_line_for_each_owner(
    sample: Warehouse,
) -> None:
    """Each owner has the days of its own, and the two lines are the agent's month."""
    lines = sample.rows(
        "select owner, cost_center, run_count, cost_usd, billed_usd"
        " from intermediate.int_agent_owner_months where workspace_id = ? and agent_id = 'a-1'"
        " and month = '2026-11-01' order by owner",
        WORKSPACE,
    )
    days = sample.rows(
        "select owner, cost_center, sum(run_count), sum(cost_usd) from marts.fct_agent_days"
        " where workspace_id = ? and agent_id = 'a-1' and date >= '2026-11-01'"
        " group by all order by owner",
        WORKSPACE,
    )

    assert [line[:4] for line in lines] == days
    assert [line[0] for line in lines] == [BREAD, CAKE]
    assert [line[4] for line in lines] == [0, Decimal("0.2")]


def test_reports_know_of_owners_where_there_are_any(warehouse: Warehouse) -> None:
    """A workspace without owners has no row, the site has all workspaces; without rules none."""
    fill(warehouse)
    own(warehouse)
    warehouse.build()
    reports = ("rpt_owner_days", "rpt_agent_owner_days", "rpt_owners")
    assert [warehouse.rows(f"from reports.{each}") for each in reports] == [[]] * 3

    own(warehouse, {"workspace": "BAKERY", "agent": "ba?er", "owner": BREAD})
    warehouse.build()
    of = [
        {key for (key,) in warehouse.rows(f"select distinct workspace_id from reports.{each}")}
        for each in reports
    ]

    assert of == [
        {WORKSPACE, OTHER_WORKSPACE}, {WORKSPACE}, {WORKSPACE, "(all)"},
    ]  # fmt: skip
    for owners, whole in (
        ("select date, sum(cost_usd) from reports.rpt_owner_days", "reports.rpt_workspace_days"),
        ("select date, sum(cost_usd) from reports.rpt_agent_owner_days",
         f"(from reports.rpt_days where workspace_id = '{WORKSPACE}')"),
    ):  # fmt: skip
        expected = f"select date, sum(cost_usd) from {whole} group by all order by all"
        assert warehouse.rows(f"{owners} group by all order by all") == warehouse.rows(expected)


def test_owners_of_a_day_are_those_of_the_reporting_time_zone(warehouse: Warehouse) -> None:
    """A run shortly before midnight UTC belongs to the owner of the next day in Berlin."""
    warehouse.given("runs", created_at=datetime(2026, 10, 31, 23, 30, tzinfo=UTC), cost_usd=1)
    own(
        warehouse,
        {"agent": "a-1", "owner": BREAD, "valid_to": "2026-10-31"},
        {"agent": "a-1", "owner": CAKE, "valid_from": "2026-11-01"},
    )

    for timezone, owner in (("UTC", BREAD), ("Europe/Berlin", CAKE)):
        warehouse.build(timezone)
        assert warehouse.rows("select owner from marts.fct_agent_days") == [(owner,)]
