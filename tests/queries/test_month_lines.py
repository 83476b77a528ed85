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

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)


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
        "select agent_id, owner, revision, billed_usd, metered_cost_usd, run_count, failed_count,"
        " cost_usd from marts.fct_month_lines where usage_month = ? order by agent_id, owner",
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


def test_a_line_says_how_much_is_unknown(read: Warehouse) -> None:
    """Runs of unknown cost are counted, and failed cost has its high end: none where none is."""
    run(read, "r-4", agent_id="a-2", status="failed", cost_usd=None)
    read.build()
    close(read, NOVEMBER)
    sql = "select agent_id, unknown_cost_count, failed_cost_usd, failed_cost_high_usd from"
    expected = [("a-1", 0, 2, 2), ("a-1", 0, 0, 0), ("a-2", 2, None, None)]

    for relation in ("marts.fct_month_lines", "finance.closed_lines"):
        assert read.rows(f"{sql} {relation} order by agent_id, owner") == expected


def test_lines_of_a_closed_month_are_frozen(read: Warehouse) -> None:
    """What changes after the close leaves the lines of the month as they were booked."""
    read.build()
    before = lines(read)
    close(read, NOVEMBER)
    run(read, "r-3")
    metered(read, agent_id="a-3", cost_usd=9)
    read.build_all()

    assert lines(read) == [(*line[:2], 1, *line[3:]) for line in before]


def test_statements_tell_the_state_of_the_books(read: Warehouse) -> None:
    """The statement of a month says whether the books have it, and since when."""
    state = "select distinct state, book_state from reports.rpt_statements where month = ?"
    read.build()
    before = read.rows(state, NOVEMBER)
    close(read, NOVEMBER)

    assert before == [("open", "not closed, open")]
    assert read.rows(state, NOVEMBER) == [("closed", "closed, revision 1, 2026-12-05 00:00 UTC")]


@pytest.fixture
def adjusted(read: Warehouse) -> Warehouse:
    """The month closed and billed higher since; the next one, closed with that, billed, too."""
    close(read, NOVEMBER)
    metered(read, agent_id="a-3", cost_usd=9, billed_usd=10)
    metered(read, date="2026-12-02", hour="2026-12-02 12:00Z", cost_usd=5, billed_usd=4)
    close(read, DECEMBER)
    run(read, "r-4", agent_id="a-3")
    metered(read, agent_id="a-4", cost_usd="0.0000000002", billed_usd="0.0000000001")
    read.build_all()
    return read


def test_steps_lead_from_the_close_to_today(adjusted: Warehouse) -> None:
    """The close and the adjustments of each later month add up to the bill and runs of today."""
    sums = "sum(metered_cost_usd), sum(surcharge_usd), sum(own_key_usd), sum(billed_usd)"
    steps = adjusted.rows("""
        select step, metered_cost_usd, billed_usd, run_count from reports.rpt_closed_to_today
        where workspace_id = 'w-1' and month = '2026-11-01' order by step_number
    """)
    of_all = adjusted.rows(f"""
        select {sums}, sum(run_count) from reports.rpt_closed_to_today where workspace_id = '(all)'
    """)

    assert steps == [
        ("Closed, revision 1", 4, Decimal("5.5"), 2),
        ("Adjustments booked in December 2026", 9, 10, 0),
        (
            "Adjustments to be booked in January 2027",
            Decimal("0.0000000002"),
            Decimal("0.0000000001"),
            1,
        ),
    ]
    assert of_all == adjusted.rows(f"""
        select {sums}, sum(run_count) from marts.fct_agent_months where month = '2026-11-01'
    """)


def test_a_month_that_was_not_adjusted_has_no_steps(read: Warehouse) -> None:
    """A closed month of which nothing changed leads nowhere."""
    close(read, NOVEMBER)

    assert read.rows("from reports.rpt_closed_to_today") == []


def test_statements_have_what_is_booked_and_what_changed(adjusted: Warehouse) -> None:
    """A month books its lines and the adjustments of earlier ones; its own since stand apart."""
    statements = """
        select line_billed_usd, earlier_billed_usd, to_book_usd, closed_billed_usd,
            adjusted_billed_usd, adjusted_in
        from reports.rpt_statements where workspace_id = ? order by month
    """

    assert adjusted.rows(statements, "w-1") == [
        (
            Decimal("5.5"), 0, Decimal("5.5"), Decimal("5.5"), Decimal("10.0000000001"),
            "December 2026, January 2027",
        ),
        (4, 10, 14, 4, None, None),
        (0, Decimal("0.0000000001"), Decimal("0.0000000001"), None, None, None),
    ]  # fmt: skip
    assert adjusted.rows(statements, "(all)") == adjusted.rows(statements, "w-1")
