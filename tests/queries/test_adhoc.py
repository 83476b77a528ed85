"""The ad hoc queries, each run as it is on a published file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.resources import folder
from analytics.warehouse.layout import Layout
from tests.queries.sample import fill
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

# What ends with the last complete day, or with the last batch; the models do by definition.
ENDS = (
    "last_complete_date",
    "last_batch_at",
    "fct_forecasts",
    "fct_month_bridge",
    "rpt_movers",
    "rpt_periods",
)

QUERIES = sorted((folder("queries") / "adhoc").glob("*.sql"))


def publish(folder: Path, *, with_sample: bool) -> duckdb.DuckDBPyConnection:
    """The published file, opened as any reader opens it."""
    with empty_warehouse(folder / "data", Layout) as warehouse:
        if with_sample:
            fill(warehouse)
        warehouse.build_all()
    shutil.copy(folder / "data" / "build.duckdb", folder / "analytics.duckdb")
    return duckdb.connect(folder / "analytics.duckdb", read_only=True)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with publish(tmp_path_factory.mktemp("published"), with_sample=True) as con:
        yield con


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with publish(tmp_path_factory.mktemp("empty"), with_sample=False) as con:
        yield con


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_answers(published: duckdb.DuckDBPyConnection, path: Path) -> None:
    """On data of every kind a query answers with rows, and no two columns of a name."""
    result = published.execute(path.read_text(encoding="utf-8"))
    names = [name for name, *_ in result.description]

    assert result.fetchall()
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_opens_with_its_question(path: Path) -> None:
    """The first line is the question, whole, as lists of queries show it."""
    first, *_ = path.read_text(encoding="utf-8").splitlines()

    assert first.startswith("-- ")
    assert first.endswith("?")


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_ends_with_a_day_of_the_batch(path: Path) -> None:
    """The last complete day, or the last batch, ends what is asked; the newest row is no clock."""
    text = path.read_text(encoding="utf-8")

    assert any(word in text for word in ENDS)
    assert "latest as (" not in text


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_question_without_today_says_so(path: Path) -> None:
    """Where days after the last complete one are left out, the question in lists says so."""
    text = path.read_text(encoding="utf-8")
    question, *_ = text.splitlines()
    by_day = re.search(r"date\)?\s*<= workspaces\.last_complete_date", text)

    if by_day or any(name in text for name in ("fct_forecasts", "rpt_movers", "rpt_periods")):
        assert re.search("complete day|yesterday", question)


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_runs_on_nothing(empty: duckdb.DuckDBPyConnection, path: Path) -> None:
    """On a file without runs a query has no answer, but no error either."""
    assert empty.execute(path.read_text(encoding="utf-8")).fetchall() == []


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_types(published: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Every amount of money is a DECIMAL, and no number is wider than other tools read."""
    described = published.execute(f"describe {path.read_text(encoding='utf-8')}").fetchall()

    for name, kind, *_ in described:
        assert kind != "HUGEINT"
        if "usd" in name:
            assert kind.startswith("DECIMAL")


def read(
    warehouse: Warehouse, batch: str, first: str = "2026-10-20", last: str = "2026-12-20"
) -> None:
    """A batch (`2026-12-05 05:00Z`) that has read the meters of those days."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = ?", [batch])
    for request, source in enumerate(("usage_hours", "run_counts", "agent_billing_days")):
        warehouse.insert(
            "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=request,
            source=source, agent_id="a-1", status=200, window_start=first, window_end=last,
        )  # fmt: skip


def ask(warehouse: Warehouse, name: str) -> list[dict[str, Any]]:
    warehouse.build()
    result = warehouse.execute((folder("queries") / "adhoc" / f"{name}.sql").read_text())
    names = [name for name, *_ in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def test_cost_with_child_runs(warehouse: Warehouse) -> None:
    """A run's family is itself and all below it; parents in a circle do no harm."""
    parents = {
        "top": None,
        "child": "top",
        "grandchild": "child",
        "alone": None,
        "x": "y",
        "y": "x",
    }
    for run_id, parent in parents.items():
        warehouse.given("runs", run_id=run_id, parent_run_id=parent, cost_usd="0.1")
    read(warehouse, "2026-11-20 18:00Z")

    family, *circle = ask(warehouse, "cost_with_child_runs")

    assert len(circle) <= 1
    assert family["root_run_id"] == "top"
    assert family["descendant_count"] == 2
    assert family["own_cost_usd"] == Decimal("0.1")
    assert family["family_cost_usd"] == Decimal("0.3")


def test_agents_more_expensive_than_last_week(warehouse: Warehouse) -> None:
    """The seven days that were over at the last batch stand against the seven before."""
    days = [("05", 100), ("06", 5), ("12", 1), ("13", 7), ("19", 2), ("20", 50)]
    for number, (day, cost) in enumerate(days):
        created = f"2025-01-{day} 12:00Z"
        warehouse.given("runs", run_id=f"r-{number}", created_at=created, cost_usd=cost)
    read(warehouse, "2025-01-20 18:00Z", first="2025-01-01", last="2025-01-20")

    (agent,) = ask(warehouse, "agents_more_expensive_than_last_week")

    assert agent["last_week_usd"] == Decimal(6)
    assert agent["this_week_usd"] == Decimal(9)
    assert agent["change_usd"] == Decimal(3)


def test_costs_are_of_all_runs(warehouse: Warehouse) -> None:
    """Costs of agents hold unlisted runs, rank with them, and end with the last complete day."""
    for agent_id, cost in (("a-1", "0.3"), ("a-2", "1"), (None, "4"), ("a-3", None)):
        for day in (12, 25) if cost is None else (12, 18, 25, 27):
            warehouse.given(
                "runs", run_id=f"{agent_id}-{day}", agent_id=agent_id, cost_usd=cost,
                created_at=f"2026-11-{day} 12:00Z",
            )  # fmt: skip
    for day, cost in ((12, "7"), (25, "2.5")):
        of_day = {"date": f"2026-11-{day}", "run_count": 9}
        warehouse.given("run_counts", **of_day)
        warehouse.given("agent_rollups", cost_usd=cost, **of_day)
    warehouse.given("platform_rollups", date="2026-11-25", cost_usd="0.5", run_count=1)
    read(warehouse, "2026-11-27 18:00Z", first="2026-11-01", last="2026-11-27")

    month = ask(warehouse, "cost_by_agent_last_30_days")
    costlier = ask(warehouse, "agents_more_expensive_than_last_week")
    (unlisted,) = ask(warehouse, "unlisted_runs")

    assert [(row["agent_name"], row["cost_usd"]) for row in month] == [
        ("No agent", Decimal(12)), ("a-1", Decimal("9.8")), ("a-2", Decimal(3)),
        ("Platform", Decimal("0.5")), ("a-3", None),
    ]  # fmt: skip
    assert month[1]["listed_cost_usd"] + month[1]["unlisted_cost_usd"] == month[1]["cost_usd"]
    assert [
        (row["agent_name"], row["last_week_usd"], row["this_week_usd"]) for row in costlier
    ] == [("a-1", Decimal("0.3"), Decimal("2.5")), ("Platform", Decimal(0), Decimal("0.5"))]
    assert (costlier[0]["last_week_runs"], costlier[0]["this_week_runs"]) == (1, 9)
    assert (unlisted["agent_name"], unlisted["run_count"], unlisted["unlisted_run_count"]) == (
        "a-1", 19, 16,
    )  # fmt: skip
    assert unlisted["unlisted_cost_usd"] == Decimal("8.9")
    assert unlisted["detail_coverage"] == pytest.approx(3 / 19)


def test_failure_rate_by_agent(warehouse: Warehouse) -> None:
    """A rate is of all runs of the days together, with the interval that so few runs allow."""
    for day, status in ((17, "failed"), (18, "succeeded"), (18, "succeeded"), (19, "cancelled")):
        warehouse.given(
            "runs", run_id=f"{day}-{status}", status=status, created_at=f"2026-11-{day} 12:00Z"
        )
    warehouse.given("run_counts", date="2026-11-18", status="failed", run_count=1)
    warehouse.given("run_counts", date="2026-11-18", status="succeeded", run_count=2)
    read(warehouse, "2026-11-20 18:00Z")

    (agent,) = ask(warehouse, "failure_rate_by_agent")

    assert (agent["failed_count"], agent["succeeded_count"]) == (2, 2)
    assert agent["failure_rate"] == 0.5
    assert agent["failure_rate_low"] < 0.5 < agent["failure_rate_high"]


def test_cost_per_successful_run(warehouse: Warehouse) -> None:
    """A success bears the cost of failed and cancelled runs too; with none it is null."""
    for number, status in enumerate(["succeeded", "succeeded", "failed", "cancelled"]):
        warehouse.given("runs", run_id=f"r-{number}", status=status, cost_usd=1)
    warehouse.given("runs", run_id="r-9", agent_id="a-2", status="failed", cost_usd=1)
    read(warehouse, "2026-11-20 18:00Z")

    costs = {
        row["agent_name"]: row["usd_per_success"]
        for row in ask(warehouse, "cost_per_successful_run")
    }

    assert costs == {"a-1": Decimal(2), "a-2": None}


def test_month_to_date(warehouse: Warehouse) -> None:
    """This month so far stands against the same days of last month, not all of it."""
    for number, day in enumerate(["02-28", "02-10", "03-01", "03-10"]):
        created = f"2026-{day} 12:00Z"
        warehouse.given("runs", run_id=f"r-{number}", created_at=created, cost_usd=10**number)

    read(warehouse, "2026-03-11 05:00Z", first="2026-02-01", last="2026-03-11")

    (row,) = ask(warehouse, "month_to_date_against_last_month")

    assert row["this_month_usd"] == Decimal(1100)
    assert row["last_month_usd"] == Decimal(10)


def test_month_to_date_with_unlisted_runs(warehouse: Warehouse) -> None:
    """Runs that were never listed count, so that an older month does not look cheap."""
    for day in ("2026-02-10", "2026-03-10"):
        warehouse.given("runs", run_id=day, created_at=f"{day} 12:00Z", cost_usd=2)
    warehouse.given("run_counts", date="2026-02-10", run_count=3)
    warehouse.given("agent_rollups", date="2026-02-10", run_count=3, cost_usd=5)
    read(warehouse, "2026-03-12 05:00Z", first="2026-02-01", last="2026-03-12")

    (row,) = ask(warehouse, "month_to_date_against_last_month")

    assert (row["this_month_usd"], row["this_month_runs"]) == (Decimal(2), 1)
    assert (row["last_month_usd"], row["last_month_runs"]) == (Decimal(5), 3)


@pytest.mark.parametrize(("first", "last_month_usd"), [("2026-02-02", None), ("2026-02-01", 10)])
def test_month_to_date_of_days_that_were_not_read(
    warehouse: Warehouse, first: str, last_month_usd: int | None
) -> None:
    """A month is compared only where each of the same days of the month before was read."""
    for day, cost in (("2026-02-10", 10), ("2026-03-10", 2)):
        warehouse.given("runs", run_id=day, created_at=f"{day} 12:00Z", cost_usd=cost)
    read(warehouse, "2026-03-12 05:00Z", first=first, last="2026-03-12")

    (row,) = ask(warehouse, "month_to_date_against_last_month")

    assert (row["this_month_usd"], row["last_month_usd"]) == (2, last_month_usd)


def test_slow_tools(warehouse: Warehouse) -> None:
    """A run's results answer its uses in their order, and one without an answer still counts."""
    warehouse.given("runs")
    events: list[dict[str, Any]] = [
        {"event_kind": "tool_use", "tool_name": "bash"},
        {"event_kind": "thinking"},
        {"event_kind": "tool_use", "tool_name": "read"},
        {"event_kind": "tool_result", "is_error": True, "duration_ms": 3000},
        {"event_kind": "tool_result", "is_error": False, "duration_ms": 1000},
        {"event_kind": "tool_use", "tool_name": "read"},
    ]
    for seq, event in enumerate(events):
        warehouse.given("run_log_events", seq=seq, **event)

    read(warehouse, "2026-11-20 18:00Z")

    tools = ask(warehouse, "slow_tools")

    assert [
        (tool["tool_name"], tool["use_count"], tool["error_count"], tool["total_seconds"])
        for tool in tools
    ] == [("bash", 1, 1, 3), ("read", 2, 0, 1)]
