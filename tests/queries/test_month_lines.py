"""fct_month_lines: lines of the books, frozen once their month is closed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.queries.closing import close
from tests.queries.metered import metered, read_workspace, run
from tests.queries.sample import own
from tests.transform.given import Warehouse

NOVEMBER = date(2026, 11, 1)


@pytest.fixture
def read(warehouse: Warehouse) -> Warehouse:
    """A workspace in which an agent that changed hands was billed, and another one had a run."""
    read_workspace(warehouse)
    own(warehouse, {"agent": "a-1", "owner": "Ann", "valid_to": "2026-11-18"})
    for day, billed in (("2026-11-18", "2.2"), ("2026-11-19", "3.3")):
        metered(warehouse, date=day, hour=f"{day} 12:00Z", cost_usd=2, billed_usd=billed)
    run(warehouse, "r-1", status="failed")
    run(warehouse, "r-2", agent_id="a-2", cost_usd=None)
    return warehouse


def lines(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        "select agent_id, owner, revision, billed_usd, cost_usd, run_count, failed_count,"
        " run_cost_usd from marts.fct_month_lines where month = ? order by agent_id, owner",
        NOVEMBER,
    )


def test_a_line_for_each_owner(read: Warehouse) -> None:
    """A line has the charges of an owner, and beside them the runs; one may have either alone."""
    read.build()

    assert lines(read) == [
        ("a-1", "(none)", None, Decimal("3.3"), 2, 1, 1, 2),
        ("a-1", "Ann", None, Decimal("2.2"), 2, 0, 0, 0),
        ("a-2", "(none)", None, 0, 0, 1, 0, None),
    ]


def test_lines_of_a_closed_month_are_frozen(read: Warehouse) -> None:
    """What changes after the close leaves the lines of the month as they were booked."""
    read.build()
    before = lines(read)
    close(read, NOVEMBER)
    run(read, "r-3")
    metered(read, agent_id="a-3", cost_usd=9)
    read.build_all()

    assert lines(read) == [(*line[:2], 1, *line[3:]) for line in before]


def test_pages_tell_the_state_of_the_books(read: Warehouse) -> None:
    """The row of a month's page says whether the books have it, and since when."""
    state = "select distinct state, book_state from reports.rpt_months where month = ?"
    read.build()
    before = read.rows(state, NOVEMBER)
    close(read, NOVEMBER)

    assert before == [("open", "not closed, open")]
    assert read.rows(state, NOVEMBER) == [("closed", "closed, revision 1, 2026-12-05 00:00 UTC")]


def test_pages_tell_what_changed_since_the_close(read: Warehouse) -> None:
    """The rows of a closed month and of its lines have the booked amounts, once they changed."""
    changes = (
        "select agent_id, booked_billed_usd, adjusted_billed_usd, booked_cost_usd,"
        " adjusted_cost_usd, adjusted_in from reports.rpt_months"
        " where workspace_id <> '(all)' and adjusted_in is not null order by agent_id"
    )
    close(read, NOVEMBER)
    unchanged = read.rows(changes)
    metered(read, agent_id="a-3", cost_usd=9, billed_usd=10)
    read.build_all()

    assert unchanged == []
    assert read.rows(changes) == [
        ("(all)", Decimal("5.5"), 10, 4, 9, "December 2026"),
        ("a-3", 0, 10, 0, 9, "December 2026"),
    ]
