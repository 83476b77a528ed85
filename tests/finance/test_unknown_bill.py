"""A month whose bill is not known, or in part: statement and workbook say so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analytics.batch.readiness import books_own_keys, early_reasons, states_of
from analytics.format import numbers
from analytics.published.export.entries import find_journal
from analytics.published.export.files import without_formula
from analytics.published.export.month_end import MonthEnd, read_month_end
from analytics.published.export.pack import write_pack
from analytics.published.export.statement_page import statement_page
from tests.queries.metered import metered
from tests.queries.test_unknown_amounts import METERS, asked
from tests.spreadsheets import read_cells
from tests.transform.given import WORKSPACE, Warehouse, warehouse

__all__ = ["warehouse"]

NOVEMBER = date(2026, 11, 1)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
IN_PART = "; the bill is known in part"


def month_of(warehouse: Warehouse, **bills: int | None) -> MonthEnd:
    """A month of an agent for each of these bills, whose usage cost 10 dollars."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    asked(warehouse, "2026-10-31", "2026-12-06")
    for agent_id, bill in bills.items():
        warehouse.given("agents", agent_id=agent_id, agent_slug=agent_id)
        warehouse.given(
            "agent_billing_days", date="2026-11-10", agent_id=agent_id, cost_usd=10, billed_usd=bill
        )
    warehouse.build()
    return read_november(warehouse)


def read_november(warehouse: Warehouse) -> MonthEnd:
    con = warehouse.con
    return read_month_end(con, NOVEMBER, None, find_journal(con, NOVEMBER, None))


def test_a_bill_that_is_not_known(warehouse: Warehouse, tmp_path: Path) -> None:
    """Nothing is billed, nor to be booked, of a month of whose bill nothing is known."""
    month_end = month_of(warehouse, one=None, two=None)

    assert month_end.facts["State"].endswith(IN_PART)
    assert month_end.total["metered_cost_usd"] == 20
    for name in ("billed_usd", "surcharge_usd"):
        assert (month_end.total[name], month_end.to_book[name]) == (None, None)
    assert len(month_end.blocks[0].lines) == 2  # not the one line of agents without cost
    page = statement_page(month_end)
    dash = numbers.UNKNOWN
    assert f"surcharge {dash} \u2212 own-key cost $0.00 = billed {dash}." in page
    write_pack(warehouse.con, NOVEMBER, tmp_path, None)
    (workbook,) = tmp_path.glob("*.xlsx")
    cells = read_cells(workbook)["Statement"]
    assert (cells["A10"], cells["H10"]) == ("Total November 2026", 20)
    assert (cells["A12"], cells["H12"]) == ("Total to book", 20)
    assert not {f"{column}{row}" for column in "EF" for row in (7, 8, 9, 10, 12)} & cells.keys()


def test_runs_of_unknown_cost(warehouse: Warehouse) -> None:
    """A month whose cost lacks that of some runs says of how many."""
    for run_id, cost in (("r-1", None), ("r-2", None), ("r-3", 1)):
        warehouse.given("runs", run_id=run_id, agent_id="one", cost_usd=cost)

    assert "; 2 runs of unknown cost" in month_of(warehouse, one=10).facts["State"]


def test_a_platform_of_unknown_cost(warehouse: Warehouse) -> None:
    """A month whose cost lacks the platform's of some days says of how many."""
    for day in ("2026-11-20", "2026-11-21"):
        warehouse.given("platform_rollups", date=day, cost_usd=None, run_count=1)

    assert "; 2 days of unknown platform cost" in month_of(warehouse, one=10).facts["State"]


def test_a_bill_that_is_known_in_part(warehouse: Warehouse) -> None:
    """What has no bill is a term of its own, and no rounding."""
    month_end = month_of(warehouse, one=12, two=None)

    assert month_end.facts["State"].endswith(IN_PART)
    assert (
        "Metered cost $20.00 + surcharge $2.00 \u2212 own-key cost $0.00 \u2212 usage of unknown"
        " bill $10.00 = billed $12.00."
    ) in statement_page(month_end)


def test_a_bill_that_is_known(warehouse: Warehouse) -> None:
    """A month whose bill is whole says nothing of it."""
    month_end = month_of(warehouse, one=12, two=13)

    assert IN_PART not in month_end.facts["State"]
    assert "own-key cost $0.00 = billed $25.00." in statement_page(month_end)


@pytest.mark.parametrize("text", ["=1+1", 'x;"=1+1;y', "x;'=1", '"-1', "x; \"'@a"])
def test_a_formula_behind_quotes(text: str) -> None:
    """No text begins a formula, also where a semicolon ends a cell and quotes are taken off."""
    assert not any(
        each.strip(" \"'").startswith(("=", "-", "@")) and "'" not in each
        for each in without_formula(text).split(";")
    )


def test_a_month_that_is_not_over_by_this_machines_clock() -> None:
    """An API whose clock is ahead makes no month final: from the first moment after it on it is."""
    over = datetime(2026, 12, 1, tzinfo=UTC)

    def reasons(now: datetime) -> list[str]:
        return early_reasons([], NOVEMBER, 0, now, with_own_keys=False)

    assert reasons(over) == []
    assert reasons(over - timedelta(minutes=1)) == [
        "this machine's clock says 2026-11-30 23:59 UTC, when it is not over"
    ]


def test_a_refused_bill_is_a_reason_not_to_close(warehouse: Warehouse) -> None:
    """The refusal names it, beside the days that stay open for it."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    asked(warehouse, "2026-09-30", "2026-12-06", agent_billing_days="2026-11-29")
    for day in ("2026-10-10", "2026-11-10"):
        warehouse.given("usage_hours", date=day, hour=f"{day} 09:00Z", cost_usd=1)
        warehouse.given("agent_billing_days", date=day, cost_usd=1, billed_usd=1)
    warehouse.build()

    def reasons(month: date) -> list[str]:
        return early_reasons(states_of(warehouse.con, month), month, 3, LATER, with_own_keys=False)

    refused = "the API does not give the bill by agent of each day"
    assert "open day" not in reasons(date(2026, 10, 1))[0]
    assert refused not in reasons(date(2026, 10, 1))[0]
    assert "2 open days" in reasons(NOVEMBER)[0]
    assert reasons(NOVEMBER)[0].endswith(refused)


def test_a_workspace_that_was_last_read_before_the_month(warehouse: Warehouse) -> None:
    """It may have figures of the month, unless nobody has read it for longer; its id is told."""
    asked(warehouse, "2026-09-30", "2026-12-06")
    for workspace_id, last_batch_at in (
        ("w-1", "2026-12-05 05:00Z"),
        ("w-2", "2026-10-31 05:00Z"),
        ("w-3", "2026-08-10 05:00Z"),
    ):
        if workspace_id != WORKSPACE:
            warehouse.insert(
                "ledger.workspaces", workspace_id=workspace_id, workspace_name=workspace_id
            )
        warehouse.con.execute(
            "update ledger.workspaces set last_batch_at = ? where workspace_id = ?",
            [last_batch_at, workspace_id],
        )
    warehouse.con.execute("update ledger.workspaces set workspace_name = 'Twins'")
    warehouse.given("usage_hours", date="2026-11-10", hour="2026-11-10 09:00Z", cost_usd=1)
    warehouse.build()
    states = states_of(warehouse.con, NOVEMBER)

    assert [each.workspace_id for each in states] == ["w-1", "w-2"]
    assert "Twins (w-2): data reach to 2026-10-31, before 2026-12-04" in early_reasons(
        states, NOVEMBER, 3, LATER, with_own_keys=False
    )


@pytest.mark.parametrize("refused", ["billing_days", "provider_keys"])
def test_a_step_to_the_bill_that_is_not_known(
    warehouse: Warehouse, tmp_path: Path, refused: str
) -> None:
    """Statement and pack are written; what cannot be said is a dash."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    warehouse.given("agents", agent_id="a-1", agent_slug="one")
    metered(warehouse, date="2026-11-10", hour="2026-11-10 09:00Z")
    until = {refused: "2026-11-20"} if refused in METERS else {}
    asked(warehouse, "2026-10-31", "2026-12-06", **until)
    if not until:
        warehouse.insert(
            "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=2, status=403,
            source=refused, fetched_at="2026-11-01 05:00Z",
        )  # fmt: skip
    warehouse.build()
    month_end = read_november(warehouse)

    assert numbers.UNKNOWN in row_of(statement_page(month_end), "surcharge")
    write_pack(warehouse.con, NOVEMBER, tmp_path, None)


@pytest.mark.parametrize("account", [None, "2010"])
def test_keys_that_are_not_given(warehouse: Warehouse, account: str | None) -> None:
    """They are a reason not to close where their cost is booked."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    asked(warehouse, "2026-10-31", "2026-12-06")
    for load_id, fetched_at in (("load-1", "2026-11-01 05:00Z"), ("load-2", "2026-12-05 05:00Z")):
        warehouse.insert(
            "ledger.requests", workspace_id=WORKSPACE, load_id=load_id, request=9, status=403,
            source="provider_keys", fetched_at=fetched_at,
        )  # fmt: skip
    if account:
        warehouse.insert("finance.accounts", role="provider_payable", account=account)
    warehouse.build()
    is_booked = books_own_keys(warehouse.con)
    reasons = early_reasons(
        states_of(warehouse.con, NOVEMBER), NOVEMBER, 3, LATER, with_own_keys=is_booked
    )

    assert is_booked == bool(account)
    assert any("provider keys" in each for each in reasons) == bool(account)


def row_of(page: str, name: str) -> str:
    """The row of a statement that begins so."""
    return next(row for row in page.split("<tr")[1:] if name in row)
