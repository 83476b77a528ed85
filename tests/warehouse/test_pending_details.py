"""Ended runs whose costs and log events are still to be read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.extract.details import SAMPLE
from analytics.extract.landing import Landing
from analytics.levain import (
    Answer,
    AnswerBrokenError,
    ForbiddenError,
    LevainError,
    ServerFailedError,
)
from analytics.warehouse.layout import Layout
from analytics.warehouse.store import WarehouseStore
from tests.warehouse.conftest import READ_AT, raw, run_record

REFUSED = ForbiddenError("GET https://api/log/events", 403, "")
FAILED = ServerFailedError("GET https://api/log/events", 500, "")
UNREADABLE = AnswerBrokenError("/log/events", "`events` is not a list")


class WorkspaceBatch:
    """Loads of a workspace in turn; the test moves the days."""

    def __init__(self, layout: Layout, store: WarehouseStore, workspace_id: str = "w1") -> None:
        self._layout = layout
        self._workspace_id = workspace_id
        self.store = store
        self._loads = 0
        self.now = READ_AT

    def lists(self, **fields: object) -> None:
        """Load run `r1` as in a list, with these fields."""
        self.store.load(self.land_list(**fields))

    def land_list(self, **fields: object) -> Path:
        """Land run `r1` as in a list, without loading it."""
        landing = self._landing("lists")
        landing.add("runs", self._answer(), [raw(run_record("r1", **fields))])
        return landing.commit()

    def details(self, failure: LevainError | None = None) -> None:
        """Load the details of `r1`; with a failure, without its events."""
        landing = self._landing("details")
        landing.add("run_costs", self._answer(), [], run_id="r1")
        if failure is None:
            landing.add("run_log_events", self._answer(), [], run_id="r1")
        else:
            landing.add_missing("run_log_events", failure, self.now, run_id="r1")
        self.store.load(landing.commit())

    def pending(self) -> list[tuple[str, str]]:
        """Return the run and source of all pending details, in their order."""
        return self.store.collected_details(range(self.store.collect_pending_details()))

    def pending_runs(self) -> list[str]:
        """Return the runs with pending details, in their order."""
        return list(dict.fromkeys(run_id for run_id, _ in self.pending()))

    def close(self) -> None:
        """Load the closing step of the batch."""
        landing = self._landing("workspace")
        landing.add("workspaces", self._answer(), [raw({"workspace_id": self._workspace_id})])
        self.store.load(landing.commit())

    def end(self, ends: bool) -> None:
        """Close the batch if `ends`."""
        if ends:
            self.close()

    def _landing(self, step: str) -> Landing:
        self._loads += 1
        load_id = f"20261120T060000Z-{self._loads:06}-{step}"
        return Landing(self._layout.landing, self._workspace_id, load_id, keep_errors=True)

    def _answer(self) -> Answer:
        return Answer("/x", {}, 200, self.now, 2, [])


@pytest.fixture
def batch(layout: Layout, con: duckdb.DuckDBPyConnection) -> WorkspaceBatch:
    return WorkspaceBatch(layout, WarehouseStore(con, "w1"))


@pytest.mark.parametrize("ends", [False, True], ids=["same batch", "next batch"])
def test_due_until_read(batch: WorkspaceBatch, *, ends: bool) -> None:
    """An ended run is pending, in its batch or a later one, until both details are stored."""
    batch.lists(status="running", finished_at=None)
    assert batch.pending_runs() == []

    batch.lists()
    batch.end(ends)
    assert batch.pending_runs() == ["r1"]

    batch.details(FAILED)
    assert batch.pending() == [("r1", "run_log_events")]

    batch.end(ends)
    batch.details()
    assert batch.pending_runs() == []

    batch.end(ends)
    assert batch.pending_runs() == []


@pytest.mark.parametrize("ends", [False, True], ids=["same batch", "next batch"])
def test_due_again_when_the_cost_changes(batch: WorkspaceBatch, *, ends: bool) -> None:
    """A cost that changes after the details were read makes them pending again.

    This holds within a batch too: an interrupted batch goes on with its loads.
    """
    batch.lists()
    batch.details()
    batch.end(ends)
    batch.lists(cost_usd=0.5)
    batch.end(ends)

    assert batch.pending_runs() == ["r1"]


@pytest.mark.parametrize("ends", [False, True], ids=["same batch", "next batch"])
def test_not_due_when_anything_else_changes(batch: WorkspaceBatch, *, ends: bool) -> None:
    """A run with another change, or with another terminal status, is not read again."""
    batch.lists()
    batch.details()
    batch.end(ends)
    batch.lists(agent_id="a2", status="failed")

    assert batch.pending_runs() == []


def test_what_a_batch_leaves_is_written_down_once(
    batch: WorkspaceBatch, con: duckdb.DuckDBPyConnection
) -> None:
    """`ledger.pending_details` holds the pending runs at the end of a batch, and no others."""
    kept = []
    for step in (batch.lists, batch.close, batch.close, batch.details, batch.close):
        step()
        kept.append(len(con.execute("select 1 from ledger.pending_details").fetchall()))

    assert kept == [0, 2, 2, 2, 0]


@pytest.mark.parametrize("failure", [FAILED, UNREADABLE], ids=["failed", "unreadable"])
@pytest.mark.parametrize(("days", "due"), [(6, ["r1"]), (9, [])])
def test_what_is_missing_for_a_week_is_given_up(
    batch: WorkspaceBatch, days: int, due: list[str], failure: LevainError
) -> None:
    """Details that the API failed to return for a week, since first asked, are no longer pending.

    The loads alone say since when, so that a rebuild comes to the same.
    """
    batch.lists()
    batch.details(failure)
    batch.close()
    batch.now += timedelta(days=days)
    batch.details(failure)

    assert batch.pending_runs() == due

    batch.close()
    assert batch.pending_runs() == due


def test_one_failure_gives_nothing_up(batch: WorkspaceBatch) -> None:
    """Details of a run of long ago, or that waited long to be asked for, stay due after it."""
    batch.lists(id="r0", created_at="2026-10-01T09:00:00+00:00")
    batch.lists()
    batch.close()
    batch.now += timedelta(days=9)
    for _ in range(SAMPLE):
        batch.details(REFUSED)

    assert batch.pending_runs() == ["r0", "r1"]

    batch.close()
    assert batch.pending_runs() == ["r0", "r1"]


def test_a_week_counts_anew_after_a_change(batch: WorkspaceBatch) -> None:
    """Details that are due again, because the cost changed, may be missing for another week."""
    batch.lists()
    batch.details(FAILED)
    batch.close()
    batch.now += timedelta(days=9)
    batch.lists(cost_usd=0.5)
    batch.details(FAILED)
    batch.close()

    assert batch.pending() == [("r1", "run_log_events")]


def test_what_failed_before_comes_last(batch: WorkspaceBatch) -> None:
    """The newest runs are first, except those whose details the API failed to return."""
    batch.lists(id="r0", created_at="2026-11-19T09:00:00+00:00")
    batch.lists()
    first = batch.pending_runs()
    batch.details(UNREADABLE)
    batch.close()

    assert (first, batch.pending_runs()) == (["r1", "r0"], ["r0", "r1"])


@pytest.mark.parametrize(
    ("changes", "due"),
    [
        ([{"cost_usd": 2}, {"cost_usd": 1}], ["r1"]),
        ([{"status": "running"}, {}], ["r1"]),
        ([{"agent_id": "a2"}, {"agent_id": "a3"}], []),
    ],
    ids=["cost there and back", "running and ended again", "another agent"],
)
def test_each_change_counts_for_itself(
    batch: WorkspaceBatch, changes: list[dict[str, object]], due: list[str]
) -> None:
    """Within a batch, details belong to the version of the run before them."""
    batch.lists(cost_usd=1)
    batch.details()
    batch.close()
    before, after = ({"cost_usd": 1} | change for change in changes)
    batch.lists(**before)
    batch.details()
    batch.lists(**after)

    assert batch.pending_runs() == due


def test_workspaces_and_the_order_of_names_do_not_matter(
    layout: Layout, con: duckdb.DuckDBPyConnection, batch: WorkspaceBatch
) -> None:
    """Batches of another workspace and a late folder change nothing."""
    other = WorkspaceBatch(layout, WarehouseStore(con, "w2"), "w2")
    late = batch.land_list()
    batch.close()
    other.lists()
    other.details()
    other.close()
    batch.store.load(late)

    assert (batch.pending_runs(), other.pending()) == (["r1"], [])
