"""Headline figures of the report: what is compared with what, and what is not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.queries.sample import BREAD, NOON, own
from tests.transform.given import WORKSPACE, Warehouse

ALL = "workspace_id = '(all)'"


def runs_of_days(warehouse: Warehouse, first: date, last: date, **columns: object) -> None:
    """A run at noon of each day, and a meter that has read every day of October and November."""
    warehouse.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=1,
        source="usage_hours", status=200, window_start="2026-09-01", window_end="2026-12-01",
    )  # fmt: skip
    warehouse.con.execute(
        "update ledger.workspaces set last_batch_at = timestamptz '2026-11-20 05:00:00+00'"
    )
    for number in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(number)
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        warehouse.given("runs", **({"run_id": f"r-{day}", "created_at": noon} | columns))


def test_runs_are_bounded(warehouse: Warehouse) -> None:
    """Of each month the 10 most expensive runs are kept, of the latest two the 300 newest."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-12-01 05:00:00+00'")
    for number in range(20):
        created_at = datetime(2026, 7, 1, number, tzinfo=UTC)
        warehouse.given("runs", run_id=f"r-old-{number:02}", cost_usd=number, created_at=created_at)
        warehouse.given("runs", run_id=f"r-idle-{number:02}", agent_id="idle", cost_usd=number,
                        created_at=created_at)  # fmt: skip
    for number in range(320):
        warehouse.given(
            "runs", run_id=f"r-{number:03}", cost_usd=320 - number if number >= 5 else 1000,
            created_at=datetime(2026, 11, 1 + number // 24, number % 24, tzinfo=UTC),
        )  # fmt: skip
    warehouse.build()

    kept = {
        each
        for (each,) in warehouse.rows(
            "select run_id from reports.rpt_runs where agent_id <> 'idle'"
        )
    }
    assert kept == {f"r-old-{number}" for number in range(10, 20)} | {
        f"r-{number:03}" for number in (*range(10), *range(20, 320))
    }
    newest = warehouse.rows(
        "select run_id from reports.rpt_newest_runs where agent_id = 'idle' order by created_at"
    )
    assert newest == [(f"r-idle-{number}",) for number in range(15, 20)]


def test_headlines_are_sums_of_days(warehouse: Warehouse) -> None:
    """A headline figure is the sum of the days of its period."""
    runs_of_days(warehouse, date(2026, 9, 1), date(2026, 11, 20), cost_usd=1)
    warehouse.given("runs", run_id="r-more", cost_usd=9, status="failed", created_at=NOON)
    warehouse.build()

    assert warehouse.rows("""
        select yesterday, yesterday_cost_usd, usual_cost_usd, month_cost_usd, month_failed_count,
            month_days_cost_usd, previous_days_cost_usd, last_month_cost_usd,
            month_before_cost_usd, recent_cost_usd, before_recent_cost_usd, recent_finished_count
        from reports.rpt_headlines where agent_id in ('(all)', 'a-1')
    """) == 3 * [(
        date(2026, 11, 19), 10, 1, 29, 1, 28, 19, 31, 30, 39, 30, 31,
    )]  # fmt: skip


def test_the_usual_cost_of_a_new_agent(warehouse: Warehouse) -> None:
    """Days before an agent's first are not usual ones of its; with one day there is none."""
    runs_of_days(warehouse, date(2026, 9, 1), date(2026, 11, 20), cost_usd=1)
    for agent_id, days in (("a-2", (5, 12)), ("a-3", (12,))):
        for each in days:
            warehouse.given(
                "runs", run_id=f"{agent_id}-{each}", agent_id=agent_id, cost_usd=3,
                created_at=datetime(2026, 11, each, 12, tzinfo=UTC),
            )  # fmt: skip
    warehouse.build()

    assert warehouse.rows("""
        select agent_id, yesterday_cost_usd, usual_cost_usd from reports.rpt_headlines
        where agent_id like 'a-%' order by 1
    """) == [("a-1", 1, 1), ("a-2", 0, 3), ("a-3", 0, None)]


def test_no_comparison_of_what_is_not_covered(warehouse: Warehouse) -> None:
    """What is partly unknown itself is compared with nothing, of an owner neither."""
    runs_of_days(warehouse, date(2026, 9, 1), date(2026, 10, 31), cost_usd=1)
    runs_of_days(warehouse, date(2026, 11, 1), date(2026, 11, 20), cost_usd=None)
    own(warehouse, {"owner": BREAD})
    warehouse.build()

    assert warehouse.row(f"""
        select usual_cost_usd, previous_days_cost_usd, month_before_cost_usd, recent_cost_usd,
            before_recent_cost_usd, before_recent_succeeded_count, before_recent_finished_count
        from reports.rpt_headlines where {ALL}
    """) == (None, None, 30, 11, None, None, 30)
    assert warehouse.row(f"""
        select recent_cost_usd, before_recent_cost_usd from reports.rpt_owners
        where {ALL} and owner = '{BREAD}'
    """) == (11, None)


@pytest.mark.parametrize(
    ("refused_from", "changes"),
    [(date(2026, 11, 13), (None, None, None, 1)), (date(2026, 9, 1), (0, 0, 0, 1))],
)
def test_no_comparison_with_and_without_the_platform(
    warehouse: Warehouse, refused_from: date, changes: tuple[int | None, ...]
) -> None:
    """Costs of two periods are compared where the platform's is known of both, or of neither."""
    runs_of_days(warehouse, date(2026, 9, 1), date(2026, 11, 20), cost_usd=1)
    for number in range(date(2026, 9, 1).toordinal(), refused_from.toordinal()):
        warehouse.given("platform_rollups", date=date.fromordinal(number), cost_usd=2)
    warehouse.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=2,
        source="platform_rollups", status=404, window_start=refused_from, window_end="2026-12-01",
    )  # fmt: skip
    warehouse.build()

    known = 3 if refused_from.month == 11 else 1
    assert warehouse.row(f"""
        select yesterday_cost_usd - usual_cost_usd, month_days_cost_usd - previous_days_cost_usd,
            recent_cost_usd - before_recent_cost_usd, last_month_cost_usd - month_before_cost_usd,
            yesterday_cost_usd, last_month_cost_usd
        from reports.rpt_headlines where {ALL}
    """) == (*changes[:3], changes[3] * known, 1, 31 * known)
    assert warehouse.rows("from reports.rpt_movers where agent_id = '(platform)'") == []


def test_what_was_not_read_is_unknown(warehouse: Warehouse) -> None:
    """Before the first day that was read, figures are null and no week is in the trend."""
    runs_of_days(warehouse, date(2026, 11, 12), date(2026, 11, 20), cost_usd=1)
    warehouse.con.execute("update ledger.requests set window_start = '2026-11-12'")
    warehouse.build()

    assert warehouse.row(f"""
        select last_month_cost_usd, last_month_run_count, usual_cost_usd, trend[12:]
        from reports.rpt_headlines where {ALL}
    """) == (None, None, None, [None, Decimal(7)])
    assert warehouse.rows("from reports.rpt_movers") == []


def test_movers(warehouse: Warehouse) -> None:
    """A mover has the cost and the runs of both weeks, and the cause that its runs tell."""
    runs_of_days(warehouse, date(2026, 10, 1), date(2026, 11, 20), cost_usd=1)
    warehouse.given("runs", run_id="r-new", agent_id="a-2", cost_usd=5, created_at=NOON)
    warehouse.given("runs", run_id="r-more", cost_usd=2, created_at=NOON)
    warehouse.build()

    assert warehouse.rows("""
        select agent_id, previous_cost_usd, current_cost_usd, previous_run_count,
            current_run_count, cause
        from reports.rpt_movers where kind = 'agent' order by change_rank
    """) == [
        ("a-2", 0, 5, 0, 1, "new"),
        ("a-1", 7, 9, 7, 8, "changed"),
    ]


def test_versions_and_models_move_only_where_all_of_both_weeks_is_known(
    warehouse: Warehouse,
) -> None:
    """An unlisted run is of no known version, and a refused meter tells of no model."""
    runs_of_days(warehouse, date(2026, 10, 1), date(2026, 11, 20), cost_usd=1)
    warehouse.given("runs", run_id="r-more", cost_usd=2, created_at=NOON)
    for day, cost in (("2026-11-10", 1), ("2026-11-18", 3)):
        warehouse.given("usage_hours", agent_id="a-1", hour=f"{day} 09:00Z", cost_usd=cost)
    warehouse.build()
    kinds = "select kind, change_usd from reports.rpt_movers order by kind"
    assert warehouse.rows(kinds) == [("agent", 2), ("model", 2), ("version", 2)]

    warehouse.given("agent_rollups", date="2026-11-18", run_count=9, cost_usd=1)
    warehouse.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id="load-2", request=1,
        source="usage_hours", status=403, window_start="2026-11-15", window_end="2026-11-16",
    )  # fmt: skip
    warehouse.build()
    assert warehouse.rows(kinds) == [("agent", 2)]


def test_an_agent_rests(warehouse: Warehouse) -> None:
    """The periods of an agent without a run for 91 days end with the 91st day after its last."""
    runs_of_days(warehouse, date(2026, 9, 1), date(2026, 11, 20), cost_usd=1)
    warehouse.given(
        "runs", run_id="r-old", agent_id="a-2", created_at=datetime(2026, 7, 9, 12, tzinfo=UTC)
    )
    warehouse.build()

    assert warehouse.rows(
        "select agent_id, today from reports.rpt_headlines where line_type = 'agent' order by 1"
    ) == [("a-1", date(2026, 11, 20)), ("a-2", date(2026, 10, 8))]
