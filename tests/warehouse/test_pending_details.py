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
from analytics.warehouse.landed import BATCH_ID
from analytics.warehouse.layout import Layout
from analytics.warehouse.load import load_folder
from analytics.warehouse.pending_details import collect_pending_details, collected_details
from analytics.warehouse.store import Store
from tests.warehouse.conftest import READ_AT, raw, run_record

FAILURES: dict[str, LevainError] = {
    "refused": ForbiddenError("GET https://api/log/events", 403, ""),
    "failed": ServerFailedError("GET https://api/log/events", 500, ""),
    "unreadable": AnswerBrokenError("/log/events", "`events` is not a list"),
}
CHANGES: dict[str, dict[str, object]] = {
    "ended": {},
    "running": {"status": "running", "finished_at": None},
    "costlier": {"cost_usd": 0.5},
    "another agent": {"agent_id": "a2", "status": "failed"},
    "a third agent": {"agent_id": "a3", "status": "failed"},
    "older run": {"id": "r0", "created_at": "2026-10-01T09:00:00+00:00"},
}


class Batches:
    """Loads of a workspace in turn; the test moves the days."""

    def __init__(self, layout: Layout, store: Store, workspace_id: str = "w1") -> None:
        self._layout = layout
        self._workspace_id = workspace_id
        self.store = store
        self._loads = 0
        self.now = READ_AT

    def after(self, steps: str) -> list[str]:
        """Return the runs with pending details after these steps, in their order."""
        for step in steps.split(", "):
            if step in CHANGES:
                load_folder(self.store.con, self.land_list(**CHANGES[step]))
            elif step == "close":
                self.close()
            elif step.endswith(" days"):
                self.now += timedelta(days=int(step.split()[0]))
            else:
                self.details(FAILURES.get(step))
        return list(dict.fromkeys(run_id for run_id, _ in self.pending()))

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
        load_folder(self.store.con, landing.commit())

    def pending(self) -> list[tuple[str, str]]:
        """Return the run and source of all pending details, in their order."""
        return collected_details(self.store, range(collect_pending_details(self.store)))

    def close(self) -> None:
        """Load the closing step of the batch."""
        landing = self._landing("workspace")
        landing.add("workspaces", self._answer(), [raw({"workspace_id": self._workspace_id})])
        load_folder(self.store.con, landing.commit())

    def _landing(self, step: str) -> Landing:
        self._loads += 1
        load_id = f"{self.now:{BATCH_ID}}-{self._loads:06}-{step}"
        return Landing(self._layout.landing, self._workspace_id, load_id, keep_errors=True)

    def _answer(self) -> Answer:
        return Answer("/x", {}, 200, self.now, 2, [])


@pytest.fixture
def batch(layout: Layout, con: duckdb.DuckDBPyConnection) -> Batches:
    return Batches(layout, Store(con, "w1"))


@pytest.mark.parametrize("ends", [False, True], ids=["in one batch", "over batches"])
@pytest.mark.parametrize(
    ("steps", "due"),
    [
        ("running", ""),
        ("running, close, ended", "r1"),
        ("ended, close, failed, close", "r1"),
        ("ended, close, failed, close, read", ""),
        # a cost that changes after the details were read makes them due again, nothing else does
        ("ended, read, close, costlier", "r1"),
        ("ended, read, close, another agent", ""),
        # details that fail for a week since first asked, whatever the failure, are given up
        ("ended, failed, close, 6 days, failed", "r1"),
        ("ended, failed, close, 9 days, failed", ""),
        ("ended, unreadable, close, 6 days, unreadable", "r1"),
        ("ended, unreadable, close, 9 days, unreadable", ""),
        ("ended, failed, close, 9 days, costlier, failed", "r1"),  # for another week
        # one failure gives nothing up, also of a run that waited long to be asked for
        ("older run, ended, close, 9 days" + ", refused" * SAMPLE, "r0 r1"),
        # within a batch, details belong to the version of the run before them
        ("ended, read, close, costlier, read, ended", "r1"),
        ("ended, read, close, running, read, ended", "r1"),
        ("ended, read, close, another agent, read, a third agent", ""),
    ],
)
def test_when_details_are_due(batch: Batches, steps: str, due: str, *, ends: bool) -> None:
    """An ended run is pending until both details are stored, in its batch or a later one."""
    assert " ".join(batch.after(steps + ", close" * ends)) == due


def test_what_failed_before_comes_last(batch: Batches) -> None:
    """The newest runs are first, except those whose details the API failed to return."""
    assert batch.after("older run, ended") == ["r1", "r0"]
    assert batch.after("unreadable, close") == ["r0", "r1"]
    assert batch.pending()[-1] == ("r1", "run_log_events")


def test_what_a_batch_leaves_is_written_down_once(
    batch: Batches, con: duckdb.DuckDBPyConnection
) -> None:
    """`ledger.pending_details` holds the pending runs at the end of a batch, and no others."""
    kept = []
    for step in ("ended", "close", "close", "read", "close"):
        batch.after(step)
        kept.append(len(con.execute("select 1 from ledger.pending_details").fetchall()))

    assert kept == [0, 2, 2, 2, 0]


def test_workspaces_and_the_order_of_names_do_not_matter(
    layout: Layout, con: duckdb.DuckDBPyConnection, batch: Batches
) -> None:
    """Batches of another workspace and a late folder change nothing."""
    other = Batches(layout, Store(con, "w2"), "w2")
    late = batch.land_list()
    batch.close()
    assert other.after("ended, read, close") == []
    load_folder(con, late)

    assert {run_id for run_id, _ in batch.pending()} == {"r1"}
