"""Months whose bill is not known, or in part: statement and workbook say so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from analytics.export.pack import write_pack
from analytics.format import numbers
from tests.finance.conftest import month_end_of
from tests.queries.metered import asked
from tests.report.pages import Page
from tests.spreadsheets import read_cells
from tests.transform.given import Warehouse, empty_warehouse

NONE, PART, WHOLE = (date(2026, month, 1) for month in (8, 9, 10))
IN_PART = "; the bill is known in part"


def fill(warehouse: Warehouse) -> None:
    """Months of two agents, each with 10 dollars of usage."""
    warehouse.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    asked(warehouse, "2026-07-31", "2026-12-06")
    for agent_id in ("one", "two"):
        warehouse.given("agents", agent_id=agent_id, agent_slug=agent_id)
    for month, bills in {NONE: (None, None), PART: (12, None), WHOLE: (12, 13)}.items():
        for agent_id, bill in zip(("one", "two"), bills, strict=True):
            warehouse.given(
                "agent_billing_days", date=month.replace(day=10), agent_id=agent_id, cost_usd=10,
                billed_usd=bill,
            )  # fmt: skip
    for run_id, cost in (("r-1", None), ("r-2", None), ("r-3", 1)):
        created_at = "2026-10-10 12:00Z"
        warehouse.given("runs", run_id=run_id, agent_id="one", cost_usd=cost, created_at=created_at)
    for day in ("2026-10-20", "2026-10-21"):
        warehouse.given("platform_rollups", date=day, cost_usd=None, run_count=1)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with empty_warehouse(tmp_path_factory.mktemp("months") / "data") as warehouse:
        fill(warehouse)
        warehouse.build_all()
        yield warehouse


def test_a_bill_that_is_not_known(warehouse: Warehouse, tmp_path: Path) -> None:
    """Nothing is billed, nor to be booked, of a month of whose bill nothing is known."""
    month_end = month_end_of(warehouse, NONE)

    assert IN_PART in month_end.facts["State"]
    assert month_end.total["metered_cost_usd"] == 20
    for name in ("billed_usd", "surcharge_usd"):
        assert (month_end.total[name], month_end.to_book[name]) == (None, None)
    assert len(month_end.blocks[0].lines) == 2  # not the one line of agents without cost
    write_pack(warehouse.con, NONE, tmp_path, None)
    page = Page(tmp_path / "statement.html")
    assert page.headlines["To book"] == [numbers.UNKNOWN]
    assert "1 UTC day whose bill is not known in full." in page.root.text
    (workbook,) = tmp_path.glob("*.xlsx")
    cells = read_cells(workbook)["Statement"]
    assert (cells["A10"], cells["H10"]) == ("Total August 2026", 20)
    assert (cells["A12"], cells["H12"]) == ("Total to book", 20)
    assert not {f"{column}{row}" for column in "EF" for row in (7, 8, 9, 10, 12)} & cells.keys()


def test_what_is_known_in_part_says_so(warehouse: Warehouse) -> None:
    """Usage of unknown bill is no rounding: the state of the month says that it lacks some."""
    for month in (PART, WHOLE):
        state = month_end_of(warehouse, month).facts["State"]
        assert (IN_PART in state) == (month == PART)


def test_runs_and_days_of_unknown_cost(warehouse: Warehouse) -> None:
    """A month whose cost lacks that of runs, or the platform's of days, says of how many."""
    state = month_end_of(warehouse, WHOLE).facts["State"]

    assert state.endswith("; 2 runs of unknown cost; 2 days of unknown platform cost")
