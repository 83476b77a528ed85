"""Runs that move to another workspace with their agent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import duckdb
import pytest

from analytics.warehouse.moved_runs import (
    MOVED_STEP,
    arrived_agents,
    arrived_days,
    arrived_runs,
    shared_runs,
)
from analytics.warehouse.store import Store
from tests.warehouse.conftest import DAY, READ_AT, Load, current, run_record

LATER = READ_AT + timedelta(days=1)
WINDOW = (DAY, DAY + timedelta(days=1))


@pytest.fixture
def old(con: duckdb.DuckDBPyConnection, load: Load) -> Store:
    """A workspace with a run of an agent, its model, its count, and usage of a day before it."""
    load("agents", [{"id": "a1"}])
    load("runs", [run_record()])
    load("run_costs", [{"model": "m", "provider": "p", "cost_usd": 0.25}], run_id="r1")
    counted = {"date": f"{DAY}", "status": "succeeded", "count": 1}
    load("run_counts", [counted], agent_id="a1", window=WINDOW)
    earlier = DAY - timedelta(days=1)
    load("usage_hours", [{"hour": f"{earlier}T10:00:00Z", "agent_id": "a1"}], window=(earlier, DAY))
    return Store(con, "w1")


@pytest.fixture
def new(con: duckdb.DuckDBPyConnection) -> Store:
    """Another workspace, without records."""
    return Store(con, "w2")


@pytest.fixture
def later(load: Load) -> Callable[..., object]:
    """Load records of the other workspace a day later."""
    return partial(load, workspace_id="w2", read_at=LATER)


def test_a_run_counts_where_the_api_still_returns_it(
    con: duckdb.DuckDBPyConnection, load: Load, old: Store, new: Store, later: Load
) -> None:
    """A run that another workspace has, and that the API does not know here, has left.

    So has all that the old workspace has of it, until it comes back.
    """
    in_force = partial(current, con, "runs", "workspace_id")
    later("agents", [{"id": "a1"}])
    later("runs", [run_record()])
    assert shared_runs(old) == shared_runs(new) == ["r1"]

    gone = load("runs", [], run_id="r1", status=404, step=MOVED_STEP)

    assert in_force() == [("w2",)]
    assert current(con, "run_costs", "run_id") == current(con, "run_counts", "agent_id") == []
    assert gone.touched_days == {DAY - timedelta(days=1)}
    assert shared_runs(old) == []

    load("runs", [run_record()], read_at=LATER + timedelta(days=1))

    assert in_force() == [("w1",), ("w2",)]
    assert shared_runs(new) == ["r1"]


@pytest.mark.parametrize("other", [{"agent_id": "a2"}, {"created_at": "2026-11-19T10:00:01+00:00"}])
def test_runs_that_share_their_id_alone_stay(
    old: Store, later: Load, other: dict[str, str]
) -> None:
    """A run of another agent, or of another time, is another run."""
    later("agents", [{"id": "a1"}])
    later("runs", [run_record(**other)])

    assert shared_runs(old) == []


@pytest.mark.usefixtures("old")
def test_runs_of_an_agent_that_arrived_are_asked_for(new: Store, later: Load) -> None:
    """A workspace asks once for the runs that another one has of an agent that it lists."""
    later("agents", [{"id": "a1"}, {"id": "a2"}])
    agents = arrived_agents(new, {"a1", "a2"})
    found = arrived_runs(new, agents)
    later("runs", [], run_id="r1", status=404)

    assert (agents, found, arrived_runs(new, agents)) == ({"a1"}, ["r1"], [])
    assert arrived_days(new, agents) == {DAY - timedelta(days=1)}
