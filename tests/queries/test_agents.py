"""stg_agents, int_agents, dim_agents and dim_workspaces: what each is called, and since when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from analytics.errors import UsageError
from analytics.published.agents import find_agent
from analytics.resources import folder
from tests.transform.given import SEEN, WORKSPACE, Warehouse

LATER = SEEN + timedelta(days=1)


def test_current_name(warehouse: Warehouse) -> None:
    """An agent has its newest name everywhere, also on runs from before it was renamed."""
    first = warehouse.given("agents", agent_name="Baker", agent_slug="baker", status="draft")
    warehouse.replaced(
        first, "agents", agent_name="Chef", agent_slug="chef", status="active", seen_at=LATER
    )
    warehouse.given("runs")

    warehouse.build()

    assert warehouse.row(
        "select agent_slug, agent_name, status, is_listed, first_seen_at"
        " from marts.dim_agents where line_type = 'agent'"
    ) == ("chef", "Chef", "active", True, SEEN)
    for table in ("fct_runs", "fct_agent_days", "fct_agent_months"):
        assert warehouse.row(f"select agent_slug, agent_name from marts.{table}") == (
            "chef",
            "Chef",
        )


def test_deleted_agent(warehouse: Warehouse) -> None:
    """An agent that left the list keeps its last name and is no more listed."""
    gone = warehouse.given("agents", agent_name="Baker", agent_slug="baker", status="active")
    warehouse.insert("raw.superseded", version_id=gone)
    warehouse.given("runs")

    warehouse.build()

    assert warehouse.row(
        "select agent_name, status, is_listed from marts.dim_agents where line_type = 'agent'"
    ) == (
        "Baker",
        "active",
        False,
    )


def test_current_limits(warehouse: Warehouse) -> None:
    """An agent has the limits of its last record, which may have none; a deleted one keeps them."""
    first = warehouse.given("agents", max_budget_usd="2.5", timeout_minutes=60)
    warehouse.replaced(first, "agents", max_budget_usd=None, timeout_minutes=30, seen_at=LATER)
    gone = warehouse.given("agents", agent_id="a-2", max_budget_usd="1", timeout_minutes=5)
    warehouse.insert("raw.superseded", version_id=gone)
    warehouse.given("runs", agent_id="a-2")
    warehouse.given("runs", run_id="r-3", agent_id="a-3")

    warehouse.build()

    assert [("a-1", None, 30), ("a-2", Decimal(1), 5), ("a-3", None, None)] == warehouse.rows(
        "select agent_id, max_budget_usd, timeout_minutes"
        " from marts.dim_agents where line_type = 'agent' order by 1"
    )


def test_agent_of_the_roll_ups(warehouse: Warehouse) -> None:
    """An agent that no list shows has the name of its latest day's roll-up."""
    warehouse.given("agent_rollups", date="2026-11-18", agent_name="New", agent_slug="new")
    warehouse.given(
        "agent_rollups", date="2026-11-17", agent_name="Old", agent_slug="old", seen_at=LATER
    )
    warehouse.given("agent_rollups", date="2026-11-19", agent_name=None, agent_slug=" ")
    warehouse.given("agent_rollups", date="2026-11-19", agent_id=None, agent_name="Platform")

    warehouse.build()

    assert warehouse.rows(
        "select agent_id, agent_slug, agent_name, status, is_listed"
        " from marts.dim_agents where line_type = 'agent'"
    ) == [("a-1", "new", "New", None, False)]


def test_list_before_roll_up(warehouse: Warehouse) -> None:
    """The list's name holds against a roll-up that was read later."""
    warehouse.given("agents", agent_name="Listed")
    warehouse.given("agent_rollups", agent_name="Summed", agent_slug="summed", seen_at=LATER)

    warehouse.build()

    assert warehouse.row(
        "select agent_slug, agent_name, is_listed from marts.dim_agents where line_type = 'agent'"
    ) == (
        "summed",
        "Listed",
        True,
    )


def test_name(warehouse: Warehouse) -> None:
    """A name is kept as it is; without one the slug stands in, and then the identifier."""
    warehouse.given("agents", agent_id="a-1", agent_name="Baker", agent_slug="baker")
    warehouse.given("agents", agent_id="a-2", agent_name=None, agent_slug="baker")
    warehouse.given("agents", agent_id="a-3", agent_name="  ", agent_slug="")
    warehouse.given("agents", agent_id="a-4", agent_name="<script>alert('🍞')</script>")
    warehouse.given("agents", agent_id="a-5", agent_name="=cmd()|' /c calc'!A0")

    warehouse.build()

    assert warehouse.rows(
        "select agent_name from marts.dim_agents where line_type = 'agent' order by agent_id"
    ) == [
        ("Baker",),
        ("baker",),
        ("a-3",),
        ("<script>alert('🍞')</script>",),
        ("=cmd()|' /c calc'!A0",),
    ]


def test_seen_and_run(warehouse: Warehouse) -> None:
    """First seen is the earliest sign of a line, last run the latest of any source."""
    created = datetime(2026, 11, 18, tzinfo=UTC)
    warehouse.given("agents", seen_at=LATER)
    warehouse.given("runs", run_id="r-1", created_at=created, seen_at=SEEN)
    warehouse.given("runs", run_id="r-2", agent_id=None, created_at=LATER)
    warehouse.given("runs", run_id="r-3", agent_id=None, created_at=created, seen_at=LATER)
    warehouse.build()
    assert warehouse.rows(
        "select agent_id, first_seen_at, last_run_at from marts.dim_agents order by agent_id"
    ) == [("(none)", SEEN, LATER), ("(platform)", None, None), ("a-1", SEEN, created)]

    warehouse.given("agent_rollups", last_run_at=SEEN)
    warehouse.build()

    assert warehouse.row("select last_run_at from marts.dim_agents where line_type = 'agent'") == (
        SEEN,
    )


def test_a_run_that_moves(warehouse: Warehouse) -> None:
    """An agent's last run is still its own; a session has the names of its first run."""
    row = {"run_id": "r-1", "created_at": LATER, "session_id": "s"}
    first = warehouse.given("runs", **row)
    warehouse.given("agents", agent_id="a-2", agent_slug="bee")
    warehouse.given("runs", run_id="r-2", agent_id="a-2", created_at=LATER, session_id="s")
    warehouse.replaced(first, "runs", agent_id=None, **row)
    warehouse.build()

    assert warehouse.rows(
        "select agent_id, last_run_at is null from marts.dim_agents order by agent_id"
    ) == [("(none)", False), ("(platform)", True), ("a-1", True), ("a-2", False)]
    assert warehouse.rows("select agent_id, agent_slug from marts.fct_sessions") == [
        ("(none)", None)
    ]


def test_same_agent_in_two_workspaces(warehouse: Warehouse) -> None:
    """An identifier in two workspaces is two agents."""
    warehouse.given("agents", agent_name="Ours")
    warehouse.given("agents", workspace_id="w-2", agent_name="Theirs")
    warehouse.given("runs", workspace_id="w-2")

    warehouse.build()

    assert warehouse.rows(
        "select workspace_id, agent_name from marts.dim_agents where line_type = 'agent' order by 1"
    ) == [
        (WORKSPACE, "Ours"),
        ("w-2", "Theirs"),
    ]
    assert warehouse.rows("select agent_name from marts.fct_runs") == [("Theirs",)]


def test_workspaces(warehouse: Warehouse) -> None:
    """A workspace has its batches, and its identifier where it has no name."""
    warehouse.insert(
        "ledger.workspaces", workspace_id="w-2", first_batch_at=SEEN, last_batch_at=LATER
    )

    warehouse.build()

    assert warehouse.rows("from marts.dim_workspaces order by workspace_id") == [
        (WORKSPACE, "Bakery", "UTC", None, None, None, None),
        ("w-2", "w-2", "UTC", SEEN, LATER, LATER.date(), date(2026, 11, 20)),
    ]


def test_workspaces_of_one_name_are_told_apart(warehouse: Warehouse) -> None:
    """Where a name of the workspace does not tell which line is meant, its identifier does."""
    warehouse.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Bakery")
    for workspace_id in (WORKSPACE, "w-2"):
        warehouse.given("runs", workspace_id=workspace_id, agent_id=None)
    warehouse.build_all()

    with pytest.raises(UsageError, match=r"Say which with --workspace: w-1: .*; w-2: "):
        find_agent(warehouse.con, "(none)", "Bakery")


def test_a_reused_name_and_slug_is_told_apart_by_the_identifier(warehouse: Warehouse) -> None:
    """Two agents of a month with one name and slug are two names in the pack, as are two slugs."""
    slugs = {"a-1": "baker", "a-2": "baker", "a-3": "miller", "a-4": "miller-2", "a-5": "alone"}
    names = {"a-3": "Miller", "a-4": "Miller", "a-5": "Alone"}
    for agent_id, slug in slugs.items():
        name = names.get(agent_id, "Baker")
        warehouse.given("agents", agent_id=agent_id, agent_name=name, agent_slug=slug)
        warehouse.given("runs", run_id=agent_id, agent_id=agent_id)
    warehouse.build_all()
    sql = (folder("queries") / "pack" / "lines.sql").read_text(encoding="utf-8")
    found = warehouse.con.execute(
        f"select agent_name from ({sql}) order by agent_id",
        {"month": date(2026, 11, 1)},
    ).fetchall()

    assert [name for (name,) in found] == [
        "Baker (a-1)", "Baker (a-2)", "Miller (miller)", "Miller (miller-2)", "Alone",
    ]  # fmt: skip
