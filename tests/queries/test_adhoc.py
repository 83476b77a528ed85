"""The ad hoc queries, each run as it is on a published file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.resources import folder
from analytics.warehouse.layout import Layout
from tests.queries.metered import asked
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
def test_answers(
    published: duckdb.DuckDBPyConnection, empty: duckdb.DuckDBPyConnection, path: Path
) -> None:
    """It answers with rows, with none where nothing ran; names are unique, money is DECIMAL."""
    sql = path.read_text(encoding="utf-8")
    result = published.execute(sql)
    kinds = {name: str(kind) for name, kind, *_ in result.description}

    assert len(kinds) == len(result.description)
    assert result.fetchall()
    assert empty.execute(sql).fetchall() == []
    assert "HUGEINT" not in kinds.values()
    for name, kind, *_ in published.execute(f"describe {sql}").fetchall():
        assert kind.startswith("DECIMAL") or "usd" not in name


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_says_what_it_asks(path: Path) -> None:
    """The first line is the question, whole. What ends it is the last complete day or batch.

    The newest row is no clock. Where days after the last complete one are left out, it says so.
    """
    text = path.read_text(encoding="utf-8")
    question, *_ = text.splitlines()
    by_day = re.search(r"date\)?\s*<= workspaces\.last_complete_date", text)

    assert question.startswith("-- ")
    assert question.endswith("?")
    assert any(word in text for word in ENDS)
    assert "latest as (" not in text
    if by_day or any(name in text for name in ("fct_forecasts", "rpt_movers", "rpt_periods")):
        assert re.search("complete day|yesterday", question)


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
    """A rate is of all runs of the days together; without known outcomes there is none."""
    for day, status in ((17, "failed"), (18, "succeeded"), (18, "succeeded"), (19, "cancelled")):
        of = {"status": status, "created_at": f"2026-11-{day} 12:00Z"}
        warehouse.given("runs", run_id=f"{day}-{status}", **of)
        warehouse.given("runs", run_id=f"{day}-{status}-2", agent_id="a-2", **of)
    warehouse.given("run_counts", date="2026-11-18", status="failed", run_count=1)
    warehouse.given("run_counts", date="2026-11-18", status="succeeded", run_count=2)
    warehouse.given("agent_rollups", agent_id="a-2", date="2026-11-18", run_count=9, cost_usd=1)
    read(warehouse, "2026-11-20 18:00Z")

    agent, other = ask(warehouse, "failure_rate_by_agent")

    assert (agent["failed_count"], agent["succeeded_count"]) == (2, 2)
    assert agent["failure_rate"] == 0.5
    assert agent["failure_rate_low"] < 0.5 < agent["failure_rate_high"]
    assert (other["failed_count"], other["failure_rate"]) == (1, None)


@pytest.mark.parametrize(
    ("first", "last_month"), [("2026-02-01", (15, 4)), ("2026-02-02", (None, None))]
)
def test_month_to_date(
    warehouse: Warehouse, first: str, last_month: tuple[int | None, int | None]
) -> None:
    """This month so far stands against the same days of last month, if each of them was read.

    Runs that were never listed count, so that an older month does not look cheap.
    """
    for day, cost in (("02-28", 1), ("02-10", 10), ("03-01", 100), ("03-10", 1000)):
        warehouse.given("runs", run_id=day, created_at=f"2026-{day} 12:00Z", cost_usd=cost)
    warehouse.given("run_counts", date="2026-02-10", run_count=4)
    warehouse.given("agent_rollups", date="2026-02-10", run_count=4, cost_usd=15)
    read(warehouse, "2026-03-11 05:00Z", first=first, last="2026-03-11")

    (row,) = ask(warehouse, "month_to_date_against_last_month")

    assert (row["this_month_usd"], row["this_month_runs"]) == (1100, 2)
    assert (row["last_month_usd"], row["last_month_runs"]) == last_month


def test_cost_to_bill(warehouse: Warehouse) -> None:
    """Steps add up over workspaces, or are of one; what is unknown of one is unknown of all."""
    warehouse.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Cafe")
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z'")
    asked(warehouse, "2026-10-31", "2026-12-06")
    asked(warehouse, "2026-10-31", "2026-12-06", "w-2", usage_hours="2026-10-31")
    for workspace_id in ("w-1", "w-2"):
        of_day = {"workspace_id": workspace_id, "date": "2026-11-10", "cost_usd": 10}
        warehouse.given("billing_days", billed_usd=12, **of_day)
    warehouse.build()

    def steps(workspace: str) -> dict[str, Any]:
        file = folder("queries") / "adhoc" / "cost_to_bill.sql"
        sql = file.read_text(encoding="utf-8").replace("'%'", f"'{workspace}'")
        rows = warehouse.rows(f"select step, amount_usd from ({sql}) where month = '2026-11-01'")
        return dict(rows)

    assert (steps("%")["metered"], steps("%")["meter to bill"]) == (None, None)
    assert (steps("%")["surcharge"], steps("%")["billed"]) == (4, 24)
    assert (steps("Bakery")["meter to bill"], steps("Bakery")["billed"]) == (10, 12)


def test_unit_costs(warehouse: Warehouse) -> None:
    """A success bears the cost of all runs, and of an unknown one what is unknown.

    A million tokens cost what those with a known cost did.
    """
    for week, costs in (("2026-11-10", 5 * [1]), ("2026-11-17", [2, 2, 2, 2, None])):
        for number, cost in enumerate(costs):
            created = f"{week} 1{number}:00Z"
            warehouse.given("runs", run_id=created, created_at=created, cost_usd=cost)
    for hour, cost in ((9, 10), (10, None)):
        warehouse.given(
            "usage_hours", hour=f"2026-11-17 {hour:02}:00Z", date="2026-11-17", agent_id="a-1",
            provider="anthropic", model="m", cost_usd=cost, tokens_in=1_000_000, tokens_out=0,
        )  # fmt: skip
    for agent_id, statuses in (("a-2", ("succeeded", "failed", "cancelled")), ("a-3", ("failed",))):
        for status in statuses:
            of = {"agent_id": agent_id, "status": status, "created_at": "2026-11-10 10:00Z"}
            warehouse.given("runs", run_id=f"{agent_id}-{status}", cost_usd=1, **of)
    read(warehouse, "2026-11-20 05:00Z")

    agent, others, failed = sorted(
        ask(warehouse, "cost_per_successful_run"), key=itemgetter("agent_name")
    )
    assert (others["usd_per_success"], failed["usd_per_success"]) == (3, None)
    (model,) = ask(warehouse, "cost_by_model_and_provider")
    (mover,) = ask(warehouse, "agents_more_expensive_than_last_week")
    assert (agent["succeeded_count"], agent["cost_usd"], agent["usd_per_success"]) == (10, 13, None)
    assert (model["metered_cost_usd"], model["usd_per_million_tokens"]) == (10, 10)
    assert (mover["last_week_usd_per_run"], mover["this_week_usd_per_run"]) == (1, None)
    assert warehouse.rows(
        "select run_cost_usd, judged_cost_usd from reports.rpt_days"
        " where agent_id = 'a-1' order by date"
    ) == [(5, 5), (8, None)]


@pytest.mark.parametrize("unknown_week", [0, 1])
def test_an_agent_of_unknown_cost_is_no_mover(warehouse: Warehouse, unknown_week: int) -> None:
    """An agent with a week of unknown cost is not compared, whatever the workspace's other runs."""
    for number in range(14 * 10):
        day = date(2026, 11, 21) + timedelta(days=number // 10)
        is_unknown = number % 10 == 0 and number // 70 == unknown_week
        warehouse.given(
            "runs", run_id=f"r-{number}", agent_id="a-2" if number % 10 else "a-1",
            created_at=f"{day} 12:00Z", cost_usd=None if is_unknown else 1,
        )  # fmt: skip
    read(warehouse, "2026-12-05 05:00Z", first="2026-11-01")

    assert ask(warehouse, "agents_more_expensive_than_last_week") == []
    assert warehouse.rows("from reports.rpt_movers") == []
