"""Bills that the API does not give: what closes book of their months, and take back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from analytics.report.entities import Entities
from analytics.transform.checks import run_checks
from tests.queries.closing import close
from tests.queries.invoiced import NOVEMBER, OCTOBER, invoiced, owned
from tests.queries.metered import asked, metered
from tests.transform.given import WORKSPACE, Warehouse

OPEN = "select sum({}) from marts.fct_accruals where not is_booked and usage_month = '2026-11-01'"


def failing(warehouse: Warehouse) -> set[str]:
    """The checks that fail, but for two, of roll-ups and requests that are given in part."""
    given_in_part = {"requests_key_is_unique", "roll_ups_agree_with_the_hourly_meter"}
    return {each.name for each in run_checks(warehouse.con) if not each.ok} - given_in_part


def metered_months(warehouse: Warehouse, **refused: str) -> Warehouse:
    """An agent whose usage was metered on a day of each month, and refused meters."""
    warehouse._con.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    asked(warehouse, "2026-08-31", "2026-12-06", **refused)
    for month in (9, 10, 11):
        metered(warehouse, date=f"2026-{month}-10", hour=f"2026-{month}-10 09:00Z")
    owned(warehouse)
    return warehouse


@pytest.fixture
def refused(warehouse: Warehouse) -> Warehouse:
    """The bill by agent is refused from 11 November on."""
    return metered_months(warehouse, agent_billing_days="2026-11-11")


@pytest.mark.parametrize("is_accepted", [False, True])
def test_a_month_with_a_refused_bill(refused: Warehouse, *, is_accepted: bool) -> None:
    """Its known day is accrued, its invoice held against nothing; no bridge, no budget has it."""
    invoiced(refused, NOVEMBER, 5, is_accepted=is_accepted)
    for line, month in enumerate((OCTOBER, NOVEMBER), start=2):
        refused.insert(
            "finance.budgets", line=line, scope="all", name="(all)", month=month, amount_usd=1
        )
    refused.build_all()

    assert refused.rows(OPEN.format("accrual_usd")) == [(2 - 5,)]  # and no rounding for others
    assert refused.rows("from marts.fct_journal_lines where role = 'rounding'") == []
    assert refused.rows("select distinct month from marts.fct_month_bridge") == [(OCTOBER,)]
    assert refused.rows("select month, actual_usd, status from marts.fct_budgets order by 1") == [
        (OCTOBER, 2, "exceeded"),
        (NOVEMBER, None, "exceeded"),
    ]
    assert refused.rows(
        "select month, unknown_bill_count from reports.rpt_statements"
        f" where month between '2026-10-01' and '2026-11-01' and workspace_id = '{WORKSPACE}'"
    ) == [(OCTOBER, 0), (NOVEMBER, 20)]
    site: dict[str, Any] = Entities(refused.con).document(lambda _: [])
    assert site["workspaces"][0]["unbilled"] == [
        NOVEMBER + timedelta(days=each) for each in range(10, 35)
    ]
    assert not failing(refused)


def test_a_closed_month_keeps_a_day_that_is_unknown_since(warehouse: Warehouse) -> None:
    """A line that loses an amount after the close stays as the books have it, and its invoice."""
    read = metered_months(warehouse)
    invoiced(read, NOVEMBER, 2)
    close(read, NOVEMBER)
    read._con.execute("update raw.billing_days set billed_usd = 3 where date = '2026-11-10'")
    ((version,),) = read.rows("select max(version_id) from raw.agent_billing_days")
    read.replaced(
        version, "agent_billing_days", agent_id="a-1", date="2026-11-10",
        load_id="20261204T050000Z-004-meters", cost_usd=2, billed_usd=None,
    )  # fmt: skip
    read.build_all()

    assert read.rows("select state, today from reports.rpt_invoices") == [("matched", None)]
    assert read.rows(OPEN.format("accrual_usd")) in ([(0,)], [(None,)])
    assert not failing(read) - {"closed_lines_are_what_their_loads_gave"}  # no load is recorded


def test_an_invoice_of_an_unknown_bill_that_is_taken_back(refused: Warehouse) -> None:
    """Nothing of it stays booked, though its parts were booked by what was billed then."""
    invoiced(refused, NOVEMBER, 8)
    close(refused, NOVEMBER)
    refused._con.execute("delete from finance.invoices")
    refused.build()

    assert refused.rows(
        "select distinct state from reports.rpt_accruals where month = usage_month"
    ) == [("booked, bill known in part",)]
    assert refused.rows(OPEN.format("invoiced_usd")) == [(0,)]
