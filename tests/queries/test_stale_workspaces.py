"""A workspace that nobody reads any more: what pages say of all workspaces has none of its days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.queries.closing import close
from tests.queries.invoiced import DECEMBER, JANUARY, NOVEMBER, OCTOBER
from tests.queries.metered import read_from
from tests.transform.given import Warehouse

STALE = "w-2"


@pytest.fixture(params=["2026-09-20 05:00Z", "2026-11-18 05:00Z"], ids=["stale", "behind"])
def both(warehouse: Warehouse, request: pytest.FixtureRequest) -> tuple[Warehouse, bool]:
    """Two workspaces, of which one cost much in its last week; and whether that is long ago."""
    last = datetime.fromisoformat(request.param).date()
    warehouse.insert("ledger.workspaces", workspace_id=STALE, workspace_name="Retired")
    for workspace_id, agent_id, until, dear in (
        ("w-1", "a-1", date(2026, 11, 20), 10),
        (STALE, "a-9", last, 500),
    ):
        read_from(warehouse, date(2026, 6, 1), workspace_id)
        warehouse.given("agents", workspace_id=workspace_id, agent_id=agent_id, agent_slug=agent_id)
        for back in range(1, 100):
            created = datetime(until.year, until.month, until.day, 12, tzinfo=UTC)
            warehouse.given(
                "runs", workspace_id=workspace_id, run_id=f"{agent_id}-{back}", agent_id=agent_id,
                created_at=created - timedelta(days=back), cost_usd=dear if back < 8 else 10,
            )  # fmt: skip
    warehouse._con.execute(
        "update ledger.workspaces set last_batch_at = ? where workspace_id = ?",
        [request.param, STALE],
    )
    warehouse.build()
    return warehouse, last.month == 9


def test_figures_beside_those_of_others(both: tuple[Warehouse, bool]) -> None:
    """What is of other days is unknown in the table of all workspaces, and sums are the site's.

    Changes and unusual days are ranked among all only if they are of these days.
    """
    warehouse, is_stale = both
    rows = warehouse.rows("""
        select month_cost_usd, last_month_cost_usd, recent_cost_usd is null, trend is null
        from reports.rpt_workspaces order by workspace_id
    """)

    assert rows[0] == (190, 310, False, False)
    assert rows[1] == ((None, None, True, True) if is_stale else (3600, 310, False, False))
    assert warehouse.rows(
        "select sum(month_cost_usd), sum(last_month_cost_usd) from reports.rpt_workspaces"
    ) == warehouse.rows(
        "select month_cost_usd, last_month_cost_usd from reports.rpt_headlines"
        " where workspace_id = '(all)'"
    )
    assert warehouse.rows(
        "select change_usd > 0, change_rank, site_rank, recency from reports.rpt_movers"
        " where kind = 'agent'"
    ) == [(True, 1, None, "stale") if is_stale else (True, 1, 1, "current")]
    assert warehouse.rows(
        "select recency, count(*) from reports.rpt_unusual_days group by all"
    ) == [("stale" if is_stale else "current", 7)]


def test_a_workspace_that_is_gone(warehouse: Warehouse) -> None:
    """A month after it was last read, its days are none that the site lacks."""
    warehouse.insert("ledger.workspaces", workspace_id=STALE, workspace_name="Gone")
    for workspace_id in ("w-1", STALE):
        read_from(warehouse, date(2026, 9, 1), workspace_id)
        of = {"workspace_id": workspace_id, "run_id": workspace_id}
        warehouse.given("runs", created_at="2026-09-10 12:00Z", cost_usd=7, **of)
    states = []
    for last_batch_at in ("2026-11-10 05:00Z", "2026-10-10 05:00Z"):
        warehouse._con.execute(
            "update ledger.workspaces set last_batch_at = if(workspace_id = ?, ?, ?)",
            [STALE, last_batch_at, "2026-11-20 05:00Z"],
        )
        warehouse.build()
        states += warehouse.rows(
            "select state from reports.rpt_dates"
            " where workspace_id = '(all)' and date = '2026-11-15'"
        )

    assert states == [("incomplete",), ("complete",)]


def test_the_months_of_a_workspace_that_was_forgotten(warehouse: Warehouse) -> None:
    """It has its closed months, and those after them in which nobody was read, but no others."""
    warehouse.insert("ledger.workspaces", workspace_id=STALE, workspace_name="Gone")
    for workspace_id, month in (
        (STALE, "2026-10"), ("w-1", "2026-10"), ("w-1", "2026-11"), ("w-1", "2027-01"),
    ):  # fmt: skip
        warehouse.given(
            "runs", workspace_id=workspace_id, run_id=month, created_at=f"{month}-10 12:00Z"
        )
    close(warehouse, OCTOBER)
    for table in ("ledger.workspaces", "raw.runs"):
        warehouse._con.execute(f"delete from {table} where workspace_id = ?", [STALE])
    warehouse.build()

    assert warehouse.rows("select workspace_id, month, status from marts.dim_months") == [
        ("w-1", OCTOBER, "closed"),
        ("w-1", NOVEMBER, "open"),
        ("w-1", DECEMBER, "open"),
        ("w-1", JANUARY, "open"),
        (STALE, OCTOBER, "closed"),
        (STALE, DECEMBER, "open"),
    ]


def test_a_day_that_is_over_at_home_alone(warehouse: Warehouse) -> None:
    """East of UTC, a batch before midnight there compares the days that are over in both zones."""
    read_from(warehouse, date(2026, 6, 1))
    warehouse.given("agents", agent_id="a-1", agent_slug="baker")
    for back in range(100):
        warehouse.given(
            "runs", run_id=f"r-{back}", cost_usd=10 if back < 8 else 4,
            created_at=datetime(2026, 11, 20, 12, tzinfo=UTC) - timedelta(days=back),
        )  # fmt: skip
    warehouse._con.execute("update ledger.workspaces set last_batch_at = '2026-11-20 17:15Z'")
    warehouse.build("Asia/Tokyo")

    assert warehouse.row("""
        select today::varchar, yesterday::varchar, yesterday_cost_usd, usual_cost_usd,
            recent_cost_usd, before_recent_cost_usd, month_cost_usd, month_days_cost_usd,
            previous_days_cost_usd, trend[-2:], yesterday_incomplete_day_count
        from reports.rpt_headlines where workspace_id = '(all)'
    """) == ("2026-11-21", "2026-11-19", 10, 4, 162, 120, 128, 118, 76, [28, 70], 0)  # fmt: skip
    assert warehouse.row("select change_usd from reports.rpt_movers where kind = 'agent'") == (42,)
    assert warehouse.rows(
        "select state, max(date)::varchar from reports.rpt_dates where workspace_id = '(all)'"
        " and date > '2026-11-10' group by all order by all"
    ) == [("complete", "2026-11-19"), ("provisional", "2026-11-21")]
