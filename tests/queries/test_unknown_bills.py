"""Bills, outcomes and costs that the API does not give: what needs them is unknown, never zero."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from analytics.report.entities import Entities
from analytics.resources import folder
from analytics.transform.checks import run_checks
from tests.queries.closing import close
from tests.queries.invoiced import billed, invoiced, owned
from tests.queries.metered import LAST_BATCH, metered
from tests.queries.test_unknown_amounts import answer
from tests.transform.given import WORKSPACE, Warehouse

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
ACCRUALS = "select distinct state from reports.rpt_accruals where usage_month = ?"
METERS = ("usage_hours", "billing_days", "agent_rollups", "platform_rollups", "run_counts")


def asked(warehouse: Warehouse, source: str, first: str, end: str, status: int = 200) -> None:
    """The API was asked for days of a meter, and answered so."""
    warehouse.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=1, source=source,
        agent_id="a-1" if source == "run_counts" else None, status=status, fetched_at=LAST_BATCH,
        window_start=first, window_end=end,
    )  # fmt: skip


def failing(warehouse: Warehouse) -> set[str]:
    """The checks that fail, but for two, of roll-ups and requests that are given in part."""
    given_in_part = {"requests_key_is_unique", "roll_ups_agree_with_the_hourly_meter"}
    return {each.name for each in run_checks(warehouse.con) if not each.ok} - given_in_part


@pytest.fixture
def read(warehouse: Warehouse) -> Warehouse:
    """An agent whose usage was metered on a day of each month, but for the bill by agent."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    for source in METERS:
        asked(warehouse, source, "2026-08-31", "2026-12-06")
    for month in (9, 10, 11):
        metered(warehouse, date=f"2026-{month}-10", hour=f"2026-{month}-10 09:00Z")
    return warehouse


def test_a_refused_bill_is_unknown(read: Warehouse) -> None:
    """Pages know its days; a month with one is marked, in no bridge and no budget."""
    asked(read, "agent_billing_days", "2026-08-31", "2026-11-11")
    asked(read, "agent_billing_days", "2026-11-11", "2026-12-06", status=403)
    for line, month in enumerate((OCTOBER, NOVEMBER), start=2):
        read.insert(
            "finance.budgets", line=line, scope="all", name="(all)", month=month, amount_usd=1
        )
    read.insert(
        "finance.budgets", line=9, scope="workspace", name="w-1", month=NOVEMBER, amount_usd=100
    )
    read.build()

    assert read.rows("select month from marts.dim_months where not has_agent_bill order by 1") == [
        (NOVEMBER,),
        (date(2026, 12, 1),),
    ]
    assert read.rows("select distinct month from marts.fct_month_bridge") == [(OCTOBER,)]
    assert read.rows(
        "select month, actual_usd, status, exhausted_on from marts.fct_budgets"
        " order by month, scope"
    ) == [
        (OCTOBER, 2, "exceeded", date(2026, 10, 10)),
        (NOVEMBER, None, "exceeded", date(2026, 11, 10)),
        (NOVEMBER, None, "not_enough_history", None),
    ]
    site: dict[str, Any] = Entities(read.con).document(lambda _: [])
    assert site["workspaces"][0]["unbilled"] == [
        NOVEMBER + timedelta(days=each) for each in range(10, 35)
    ]


@pytest.mark.parametrize("is_accepted", [False, True])
def test_an_invoice_for_a_month_with_a_refused_bill(read: Warehouse, *, is_accepted: bool) -> None:
    """The invoice of a month whose bill is known in part is not held against that part."""
    asked(read, "agent_billing_days", "2026-08-31", "2026-11-11")
    asked(read, "agent_billing_days", "2026-11-11", "2026-12-06", status=403)
    owned(read)
    invoiced(read, NOVEMBER, 5, is_accepted=is_accepted)
    read.build_all()

    assert read.rows(
        "select status, billed_usd, difference_usd from marts.fct_invoices"
        " where usage_month = '2026-11-01'"
    ) == [("bill_unknown", None, None)]
    assert read.rows("select state, billed_usd from reports.rpt_invoices") == [
        ("bill unknown", None)
    ]
    accrued = read.rows(
        "select sum(accrual_usd) from marts.fct_accruals where usage_month = '2026-11-01'"
    )
    assert accrued == [(2 - 5,)]  # of the day that is known, and no rounding for the others
    assert read.rows(ACCRUALS, NOVEMBER) == [("preview, bill known in part",)]
    assert read.rows(ACCRUALS, OCTOBER) == [("preview",)]
    assert read.rows(
        "select workspace_id, month, unknown_bill_count from reports.rpt_statements"
        " where month between '2026-10-01' and '2026-11-01' order by all"
    ) == [(scope, *of) for scope in ("(all)", WORKSPACE) for of in ((OCTOBER, 0), (NOVEMBER, 20))]
    assert read.rows("from marts.fct_journal_lines where role = 'rounding'") == []
    assert not failing(read)


def test_a_bill_without_a_cost(read: Warehouse) -> None:
    """An agent's day whose bill by agent has no cost is one charge, of that bill and its tokens."""
    asked(read, "agent_billing_days", "2026-08-31", "2026-12-06")
    for model in ("claude-haiku-5", "claude-sonnet-5"):
        read.given(
            "usage_hours", date="2026-11-12", hour="2026-11-12 09:00Z", agent_id="a-1",
            provider="anthropic", model=model, cost_usd=1, tokens_in=100,
        )  # fmt: skip
    read.given("agent_billing_days", date="2026-11-12", cost_usd=None, billed_usd=2)
    read.given("billing_days", date="2026-11-12", cost_usd=2, billed_usd=2, tokens_in=200)
    owned(read)
    invoiced(read, NOVEMBER, 5, is_accepted=True)
    read.build_all()

    assert read.rows(
        "select model, metered_cost_usd, billed_usd, surcharge_usd, tokens_in"
        " from marts.fct_charges"
        " where utc_date = '2026-11-12'"
    ) == [("(unknown)", None, 2, None, 200)]
    assert read.rows("select distinct month from marts.fct_month_bridge") == [(OCTOBER,)]
    assert read.rows("select status, difference_usd from marts.fct_invoices where is_accepted") == [
        ("accepted", 1)  # as the bill is known
    ]
    assert not failing(read)


@pytest.mark.parametrize("hours", [["4"], ["0", "0"], ["4", "-4"]])
def test_a_bill_without_an_amount_of_a_day_that_cost_nothing(
    warehouse: Warehouse, hours: list[str]
) -> None:
    """Its surcharge is unknown on every line of its charges, and so is what it is billed."""
    owned(warehouse)
    billed(warehouse, OCTOBER, "a-1", "0", billed_usd=None)
    for number, cost in enumerate(hours):
        warehouse.given(
            "usage_hours", agent_id="a-1", date="2026-10-10", hour="2026-10-10 12:00Z",
            provider="anthropic", model=f"m-{number}", cost_usd=cost,
        )  # fmt: skip
    warehouse.build()

    assert warehouse.rows("select distinct billed_usd, surcharge_usd from marts.fct_charges") == [
        (None, None)
    ]
    assert warehouse.rows("select billed_usd from marts.fct_month_lines") == [(None,)]


@pytest.mark.parametrize("column", ["cost_usd", "billed_usd"])
def test_a_closed_month_keeps_a_day_that_is_unknown_since(read: Warehouse, column: str) -> None:
    """A line that loses an amount after the close stays as the books have it, and its invoice."""
    asked(read, "agent_billing_days", "2026-08-31", "2026-12-06")
    owned(read)
    invoiced(read, NOVEMBER, 2)
    for month in (SEPTEMBER, OCTOBER, NOVEMBER):
        close(read, month)
    read._con.execute("update raw.billing_days set billed_usd = 3 where date = '2026-11-10'")
    amounts = {"cost_usd": 2, "billed_usd": 3} | {column: None}
    ((version,),) = read.rows("select max(version_id) from raw.agent_billing_days")
    read.replaced(
        version, "agent_billing_days", agent_id="a-1", date="2026-11-10",
        load_id="20261204T050000Z-004-meters", **amounts,
    )  # fmt: skip
    read.build_all()

    assert read.rows("select state, today from reports.rpt_invoices") == [("matched", None)]
    assert read.rows(
        "select sum(accrual_usd) from marts.fct_accruals"
        " where not is_booked and usage_month = '2026-11-01'"
    ) in ([(0,)], [(None,)])
    assert not failing(read) - {"closed_lines_are_what_their_loads_gave"}  # no load is recorded


def test_an_invoice_of_an_unknown_bill_that_is_taken_back(read: Warehouse) -> None:
    """Nothing of it stays booked, though its parts were booked by what was billed then."""
    asked(read, "agent_billing_days", "2026-08-31", "2026-11-11")
    asked(read, "agent_billing_days", "2026-11-11", "2026-12-06", status=403)
    owned(read)
    invoiced(read, NOVEMBER, 8)
    for month in (SEPTEMBER, OCTOBER, NOVEMBER):
        close(read, month)
    read._con.execute("delete from finance.invoices")
    read.build_all()
    assert read.rows(f"{ACCRUALS} and month = usage_month", NOVEMBER) == [
        ("booked, bill known in part",)
    ]
    assert read.rows(f"{ACCRUALS} and month = usage_month", OCTOBER) == [("booked",)]

    assert read.rows(
        "select sum(invoiced_usd) from marts.fct_accruals"
        " where not is_booked and usage_month = '2026-11-01'"
    ) == [(0,)]


def test_an_account_without_bills_by_agent(read: Warehouse) -> None:
    """Where the API never gave a bill by agent, that of a month of runs is unknown."""
    read.con.execute("delete from raw.agent_billing_days")
    asked(read, "agent_billing_days", "2026-08-31", "2026-12-06", status=403)
    read.given("runs", created_at="2026-11-10 12:00Z", cost_usd=2)
    read.build()

    months = "where agent_id = 'a-1' and month = '2026-11-01'"
    assert read.row(
        f"select metered_cost_usd, billed_usd from marts.fct_agent_months {months}"
    ) == (None, None)
    lines = months.replace("month", "usage_month")
    assert read.row(f"select metered_cost_usd, billed_usd from marts.fct_month_lines {lines}") == (
        None,
        None,
    )
    of_owners = answer(read, "cost_by_owner")
    assert {(row["cost_usd"], row["billed_usd"], row["own_key_usd"]) for row in of_owners} == {
        (2, None, None)
    }


def test_a_day_without_a_bill_is_in_no_bridge(read: Warehouse) -> None:
    """Where the API gives no bill of an agent's day, its month is in no bridge and no budget."""
    asked(read, "agent_billing_days", "2026-08-31", "2026-12-06")
    read.given("agent_billing_days", date="2026-11-11", cost_usd=3, billed_usd=None)
    read.given("billing_days", date="2026-11-11", cost_usd=3)
    read.given(
        "usage_hours",
        date="2026-11-11",
        hour="2026-11-11 09:00Z",
        agent_id="a-1",
        provider="anthropic",
        cost_usd=3,
    )
    read.insert("finance.budgets", line=2, scope="all", name="(all)", month=NOVEMBER, amount_usd=9)
    read.build_all()

    assert read.rows("select distinct month from marts.fct_month_bridge") == [(OCTOBER,)]
    assert read.rows("select actual_usd, status from marts.fct_budgets") == [
        (None, "not_enough_history")
    ]
    assert not failing(read)


def test_a_bill_without_a_cost_beside_another(read: Warehouse) -> None:
    """The surcharge of the month is what is known of it: of the agent whose bill has a cost."""
    asked(read, "agent_billing_days", "2026-08-31", "2026-12-06")
    for agent_id, cost, bill in (("a-1", 10, 11), ("a-2", None, 5)):
        of = {"date": "2026-11-12", "agent_id": agent_id, "cost_usd": cost}
        read.given("agent_billing_days", billed_usd=bill, **of)
        metered = {"hour": "2026-11-12 09:00Z", "provider": "anthropic", "model": "m"}
        read.given("usage_hours", **(of | metered | {"cost_usd": 10 if cost else 5}))
    read.given("billing_days", date="2026-11-12", cost_usd=15, billed_usd=16)
    read.build_all()

    assert read.rows(
        "select surcharge_usd from marts.fct_workspace_months where month = '2026-11-01'"
    ) == [(1,)]
    assert {each for each in failing(read) if "month" in each} == set()


def test_a_line_without_a_bill_is_in_no_sum_of_it(read: Warehouse) -> None:
    """Beside lines that have one, it makes the bill of day and month unknown, and is counted."""
    read.given("agent_billing_days", date="2026-11-11", cost_usd=3, billed_usd=None)
    read.given("billing_days", date="2026-11-10", provider="openai", cost_usd=3, billed_usd=None)
    read.given("platform_rollups", date="2026-11-10", cost_usd=1, billed_usd=1, run_count=1)
    read.given("platform_rollups", date="2026-11-11", cost_usd=1, billed_usd=None, run_count=1)
    read.build()

    assert read.rows(
        "select billed_usd from audit.reconciliation_days"
        " where utc_date in ('2026-10-10', '2026-11-10') order by utc_date"
    ) == [(2,), (None,)]
    assert read.rows(
        "select utc_date, unknown_bill_count from reports.rpt_bill_days"
        " where utc_date > '2026-11-01' order by utc_date"
    ) == [(date(2026, 11, 10), 0), (date(2026, 11, 11), 1)]


def test_a_line_without_a_known_bill_has_none_in_the_books(read: Warehouse) -> None:
    """The only charge of an agent has no bill: its line of the month is unknown, not zero."""
    asked(read, "agent_billing_days", "2026-08-31", "2026-12-06")
    read.given("agent_billing_days", agent_id="a-9", date="2026-11-11", cost_usd=3, billed_usd=None)
    read.build()

    assert read.row(
        "select metered_cost_usd, billed_usd, surcharge_usd from marts.fct_month_lines"
        " where agent_id = 'a-9'"
    ) == (3, None, None)


def test_a_bill_that_ends_within_the_month_is_no_total(read: Warehouse) -> None:
    """From the day on that the API refuses the bill, the way from runs to the bill has no end."""
    asked(read, "billing_days", "2026-11-11", "2026-12-06", status=403)
    read.build()

    amounts = dict(
        read.rows("select step, amount_usd from audit.cost_to_bill where month = '2026-11-01'")
    )
    assert amounts["metered"] == 2
    assert (amounts["meter to bill"], amounts["surcharge"], amounts["billed"]) == (None, None, None)


def test_a_run_older_than_the_meters_has_no_bill(read: Warehouse) -> None:
    """The books and the statement of a month that was not metered have no amount, not zero."""
    asked(read, "agent_billing_days", "2026-08-31", "2026-12-06")
    read.given("runs", run_id="r-old", created_at="2026-07-03 12:00Z", cost_usd=7)
    read.build()

    assert read.row(
        "select cost_usd, metered_cost_usd, billed_usd, tokens_in from marts.fct_month_lines"
        " where usage_month = '2026-07-01'"
    ) == (7, None, None, None)
    assert read.row(
        "select line_cost_usd, line_billed_usd, to_book_usd from reports.rpt_statements"
        " where month = '2026-07-01' and workspace_id <> '(all)'"
    ) == (None, None, None)


def test_a_comparison_needs_known_costs(read: Warehouse) -> None:
    """A day of which the cost of more than one in five runs is unknown is compared with none."""
    asked(read, "agent_billing_days", "2026-08-31", "2026-12-06")
    for weeks in range(5):
        day = date(2026, 12, 4) - timedelta(weeks=weeks)
        for number in range(10):
            cost = None if weeks == 0 and number else 1
            read.given("runs", run_id=f"{day}-{number}", created_at=f"{day} 12:00Z", cost_usd=cost)
        read.given("run_counts", date=day, run_count=10)
        read.given("agent_rollups", date=day, run_count=10, cost_usd=10)
    read.build()

    assert read.row("""
        select yesterday_cost_usd, yesterday_run_count, month_unknown_cost_count, usual_cost_usd
        from reports.rpt_headlines where workspace_id <> '(all)' and agent_id = '(all)'
    """) == (1, 10, 9, None)


def test_a_failure_rate_needs_known_outcomes(warehouse: Warehouse) -> None:
    """Where the API counts no outcomes, a listed run that failed is no rate of all runs."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    for source in (*METERS[:-1], "agent_billing_days"):
        asked(warehouse, source, "2026-08-31", "2026-12-06")
    asked(warehouse, "run_counts", "2026-08-31", "2026-12-06", status=403)
    warehouse.given("runs", created_at="2026-12-02 12:00Z", status="failed", cost_usd=1)
    warehouse.given("agent_rollups", date="2026-12-02", run_count=10, cost_usd=10)
    warehouse.build_all()

    queries = folder("queries")
    by_agent = (queries / "adhoc" / "failure_rate_by_agent.sql").read_text(encoding="utf-8")
    lines = (queries / "pack" / "lines.sql").read_text(encoding="utf-8")
    of_month = {"month": date(2026, 12, 1)}
    for sql, values in ((by_agent, None), (lines, of_month)):
        ((rate,),) = warehouse.con.execute(
            f"select failure_rate from ({sql}) where failed_count > 0", values
        ).fetchall()
        assert rate is None


@pytest.mark.parametrize("listed_cost", [1, 2])
def test_adjustments_count_by_the_roll_up(warehouse: Warehouse, listed_cost: int) -> None:
    """Where the API does not count runs, an adjustment is of the roll-up's, as the day is."""
    first, second = (
        warehouse.run_batch(batch) for batch in ("20261120T050000Z", "20261121T050000Z")
    )
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-11-21 05:00Z'")
    asked(warehouse, "usage_hours", "2026-11-12", "2026-11-22")
    asked(warehouse, "run_counts", "2026-11-12", "2026-11-22", status=403)
    run = warehouse.given("runs", cost_usd=1, load_id=first)
    sums = warehouse.given(
        "agent_rollups", date="2026-11-19", run_count=10, cost_usd=10, load_id=first
    )
    warehouse.replaced(
        sums, "agent_rollups", date="2026-11-19", run_count=11, cost_usd=14, load_id=second
    )
    if listed_cost != 1:
        warehouse.replaced(run, "runs", cost_usd=listed_cost, load_id=second)
    warehouse.build()

    assert warehouse.rows(
        "select previous_cost_usd, current_cost_usd, previous_run_count, current_run_count"
        " from marts.fct_adjustments"
    ) == [(Decimal(10), Decimal(14), 10, 11)]
