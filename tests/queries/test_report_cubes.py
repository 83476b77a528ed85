"""Headline figures of the report: what is compared with what, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.queries.sample import BREAD, NOON, own
from tests.transform.given import Warehouse, empty_warehouse

SEPTEMBER, LAST = date(2026, 9, 1), date(2026, 11, 20)


def read(warehouse: Warehouse, name: str, source: str, first: date, status: int = 200) -> None:
    """A meter of a workspace was asked for from a day on."""
    warehouse.insert(
        "ledger.requests", workspace_id=name, load_id="load-1", request=1, source=source,
        status=status, window_start=first, window_end="2026-12-01",
    )  # fmt: skip


def daily(warehouse: Warehouse, name: str, first: date = SEPTEMBER, known: date = date.max) -> None:
    """A workspace that was read from a day on, with a run of $1 at noon of each day until known."""
    warehouse.insert("ledger.workspaces", workspace_id=name, last_batch_at="2026-11-20 05:00:00+00")
    read(warehouse, name, "usage_hours", first)
    for number in range((LAST - first).days + 1):
        day = first + timedelta(days=number)
        warehouse.given(
            "runs", workspace_id=name, run_id=f"r-{day}", cost_usd=1 if day < known else None,
            created_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A workspace for each rule; tests only read it."""
    with empty_warehouse(tmp_path_factory.mktemp("site") / "data") as warehouse:
        warehouse._con.execute("delete from ledger.workspaces")
        own(warehouse, {"owner": BREAD})

        def given(name: str, run_id: str, **of: Any) -> None:
            warehouse.given("runs", workspace_id=name, run_id=run_id, **({"created_at": NOON} | of))

        daily(warehouse, "plain")
        given("plain", "r-more", cost_usd=9, status="failed")
        daily(warehouse, "agents")
        for agent_id, of_year in (
            ("a-2", "11-05"), ("a-2", "11-12"), ("a-3", "11-12"), ("a-9", "07-09"),
        ):  # fmt: skip
            of = {"agent_id": agent_id, "created_at": f"2026-{of_year} 12:00Z"}
            given("agents", f"{agent_id}-{of_year}", cost_usd=3, **of)
        daily(warehouse, "unknown", known=date(2026, 11, 1))
        daily(warehouse, "late", first=date(2026, 11, 12))
        for name, refused_from in (("refused", date(2026, 11, 13)), ("without", SEPTEMBER)):
            daily(warehouse, name)
            read(warehouse, name, "platform_rollups", refused_from, status=404)
            for number in range((refused_from - SEPTEMBER).days):
                day = SEPTEMBER + timedelta(days=number)
                warehouse.given("platform_rollups", workspace_id=name, date=day, cost_usd=2)
        for name in ("moved", "unlisted"):
            daily(warehouse, name)
            given(name, "r-more", cost_usd=2)
            for date_, cost in (("2026-11-10", 1), ("2026-11-18", 3)):
                hour = {"hour": f"{date_} 09:00Z", "cost_usd": cost}
                warehouse.given("usage_hours", workspace_id=name, agent_id="a-1", **hour)
        given("moved", "r-new", agent_id="a-2", cost_usd=5)
        of_day = {"workspace_id": "unlisted", "date": "2026-11-18"}
        warehouse.given("agent_rollups", run_count=9, cost_usd=1, **of_day)
        warehouse.insert(
            "ledger.requests", workspace_id="unlisted", load_id="load-2", request=1, status=403,
            source="usage_hours", window_start="2026-11-15", window_end="2026-11-16",
        )  # fmt: skip
        daily(warehouse, "stale")
        given("stale", "r-more", cost_usd=2, created_at="2026-09-18 12:00Z")
        warehouse._con.execute(
            "update ledger.workspaces set last_batch_at = '2026-09-20 05:00Z'"
            " where workspace_id = 'stale'"
        )
        warehouse.build()
        yield warehouse


def headline(site: Warehouse, workspace: str, columns: str) -> tuple[Any, ...]:
    return site.row(
        f"select {columns} from reports.rpt_headlines"
        " where workspace_id = ? and line_type = 'workspace'",
        workspace,
    )


def test_headlines_are_sums_of_days(site: Warehouse) -> None:
    """A headline figure is the sum of the days of its period."""
    assert headline(
        site, "plain", "yesterday::varchar, yesterday_cost_usd, usual_cost_usd, month_cost_usd,"
        " month_failed_count, month_days_cost_usd, previous_days_cost_usd, last_month_cost_usd,"
        " month_before_cost_usd, recent_cost_usd, before_recent_cost_usd, recent_finished_count",
    ) == ("2026-11-19", 10, 1, 29, 1, 28, 19, 31, 30, 39, 30, 31)  # fmt: skip


def test_headlines_of_agents(site: Warehouse) -> None:
    """Days before an agent's first are not usual ones; its periods end 91 days after its last."""
    assert site.rows("""
        select agent_id, yesterday_cost_usd, usual_cost_usd, today::varchar
        from reports.rpt_headlines where workspace_id = 'agents' and line_type = 'agent' order by 1
    """) == [
        ("a-1", 1, 1, "2026-11-20"),
        ("a-2", 0, 3, "2026-11-20"),
        ("a-3", 0, None, "2026-11-20"),
        ("a-9", 0, 0, "2026-10-08"),
    ]


def test_no_comparison_of_what_is_not_covered(site: Warehouse) -> None:
    """What is partly unknown itself is compared with nothing, of an owner neither."""
    assert headline(
        site, "unknown", "usual_cost_usd, previous_days_cost_usd, month_before_cost_usd,"
        " recent_cost_usd, before_recent_cost_usd, before_recent_finished_count",
    ) == (None, None, 30, 11, None, 30)  # fmt: skip
    assert site.row(
        "select recent_cost_usd, before_recent_cost_usd from reports.rpt_owners"
        " where workspace_id = 'unknown' and owner = ?", BREAD,
    ) == (11, None)  # fmt: skip


@pytest.mark.parametrize(
    ("workspace", "changes"),
    [("refused", (None, None, None, 3, 1, 93)), ("without", (0, 0, 0, 1, 1, 31))],
)
def test_no_comparison_with_and_without_the_platform(
    site: Warehouse, workspace: str, changes: tuple[int | None, ...]
) -> None:
    """Costs of two periods are compared where the platform's is known of both, or of neither."""
    assert changes == headline(
        site, workspace, "yesterday_cost_usd - usual_cost_usd,"
        " month_days_cost_usd - previous_days_cost_usd, recent_cost_usd - before_recent_cost_usd,"
        " last_month_cost_usd - month_before_cost_usd, yesterday_cost_usd, last_month_cost_usd",
    )  # fmt: skip
    assert site.rows("from reports.rpt_movers where agent_id = '(platform)'") == []


def test_what_was_not_read_is_unknown(site: Warehouse) -> None:
    """Before the first day that was read, figures are null and no week is in the trend."""
    assert headline(
        site, "late", "last_month_cost_usd, last_month_run_count, usual_cost_usd, trend[12:]"
    ) == (None, None, None, [None, 7])
    assert site.rows("from reports.rpt_movers where workspace_id = 'late'") == []


def test_movers(site: Warehouse) -> None:
    """A mover has the cost and the runs of both weeks, and the cause that its runs tell.

    Versions and models move only where all of both weeks is known: an unlisted run is of no known
    version, and a refused meter tells of no model.
    """
    assert site.rows("""
        select kind, agent_id, previous_cost_usd, current_cost_usd, previous_run_count,
            current_run_count, cause
        from reports.rpt_movers where workspace_id = 'moved' and kind = 'agent' order by change_rank
    """) == [("agent", "a-2", 0, 5, 0, 1, "new"), ("agent", "a-1", 7, 9, 7, 8, "changed")]
    kinds = "select distinct kind from reports.rpt_movers where workspace_id = ? order by 1"
    assert site.rows(kinds, "moved") == [("agent",), ("model",), ("version",)]
    assert site.rows(kinds, "unlisted") == [("agent",)]


def test_movers_of_all_workspaces(site: Warehouse) -> None:
    """Changes are ranked among those of all only if they are of these days."""
    assert site.rows(
        "select distinct workspace_id = 'stale', recency, site_rank is null"
        " from reports.rpt_movers order by 1"
    ) == [(False, "current", False), (True, "stale", True)]


def test_runs_are_bounded(warehouse: Warehouse) -> None:
    """Of each month the 10 most expensive runs are kept, of the latest two the 300 newest."""
    warehouse._con.execute("update ledger.workspaces set last_batch_at = '2026-12-01 05:00:00+00'")
    for number in range(20):
        of = {"cost_usd": number, "created_at": datetime(2026, 7, 1, number, tzinfo=UTC)}
        warehouse.given("runs", run_id=f"r-old-{number:02}", **of)
        warehouse.given("runs", run_id=f"r-idle-{number:02}", agent_id="idle", **of)
    for number in range(320):
        warehouse.given(
            "runs", run_id=f"r-{number:03}", cost_usd=320 - number if number >= 5 else 1000,
            created_at=datetime(2026, 11, 1 + number // 24, number % 24, tzinfo=UTC),
        )  # fmt: skip
    warehouse.build()

    def ids(relation: str, where: str) -> list[str]:
        sql = f"select run_id from reports.{relation} where {where} order by 1"
        return [run_id for (run_id,) in warehouse.rows(sql)]

    assert ids("rpt_runs", "agent_id <> 'idle'") == sorted(
        [f"r-old-{number}" for number in range(10, 20)]
        + [f"r-{number:03}" for number in (*range(10), *range(20, 320))]
    )
    assert ids("rpt_newest_runs", "agent_id = 'idle'") == [f"r-idle-{n}" for n in range(15, 20)]
