"""Relations are brought up to date: the cases in which a guess would miss a change."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from analytics.resources import folder
from analytics.transform import build as building
from analytics.transform import build_state, changes
from analytics.transform.build import build, update
from analytics.transform.changes import UnseenChangeError
from analytics.transform.checks import run_checks
from analytics.transform.models import CHECK_RESULTS, ModelError
from analytics.warehouse.database import attached_marts, open_warehouse
from analytics.warehouse.layout import Layout
from tests.batches import Killed
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)
BATCH_AT = datetime(2026, 11, 21, 5, tzinfo=UTC)

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a warehouse of some runs, sessions and sums, as a batch has built it."""
    root = tmp_path_factory.mktemp("origin") / "data"
    with empty_warehouse(root, Layout) as warehouse:
        fill(warehouse)
    return root


@pytest.fixture
def built(origin: Path, tmp_path: Path) -> Iterator[Warehouse]:
    """A copy of it."""
    layout = Layout(Path(shutil.copytree(origin, tmp_path / "data")))
    with open_warehouse(layout) as con, attached_marts(con, layout.marts):
        con.execute("set threads = 2")  # relations of the build file are built side by side
        yield Warehouse(con)


RUNS = {  # agent, session, and days before
    "r-0": ("a-1", "s-1", 0), "r-1": ("a-1", "s-1", 0), "r-2": ("a-2", "s-2", 0),
    "r-3": ("a-3", "s-3", 5), "r-4": ("a-3", "s-4", 5), "r-5": ("a-3", "s-4", 6),
    "r-6": ("a-4", "s-5", 7), "r-7": ("a-4", "s-5", 8), "r-8": ("a-4", "s-6", 9),
}  # fmt: skip


def fill(warehouse: Warehouse) -> None:
    warehouse.execute(
        "update ledger.workspaces set first_batch_at = ?, last_batch_at = ?", BATCH_AT, BATCH_AT
    )
    batch(warehouse, "20261121T050000Z", published_at=None)
    first = {"load_id": "20261121T050000Z-001-runs"}
    warehouse.insert("ledger.loads", workspace_id=WORKSPACE, **first)
    warehouse.insert(
        "ledger.requests", workspace_id=WORKSPACE, request=1, source="usage_hours", status=200,
        window_start="2026-11-10", window_end="2026-11-22", fetched_at=BATCH_AT, **first,
    )  # fmt: skip
    for agent in ("a-1", "a-2", "a-3", "a-4"):
        warehouse.given("agents", agent_id=agent, agent_name=agent.upper(), **first)
    for agent in ("a-1", "a-2"):
        warehouse.given("usage_hours", agent_id=agent, cost_usd="1.5", **first)
    for number, run_id in enumerate(RUNS):
        warehouse.given("runs", **run(run_id, created_at=made_at(run_id, number)), **first)
    build(warehouse.con, timezone="UTC")
    run_checks(warehouse.con)


def made_at(run_id: str, hours: int = 0) -> datetime:
    return NOON + timedelta(days=-RUNS[run_id][2], hours=hours % 3)


def run(run_id: str, **columns: Any) -> dict[str, Any]:
    agent_id, session_id, _ = RUNS[run_id]
    of = {"run_id": run_id, "agent_id": agent_id, "session_id": session_id, "cost_usd": "0.5"}
    return of | {"created_at": made_at(run_id)} | columns


def batch(warehouse: Warehouse, began: str, **columns: Any) -> str:
    """Record a batch that ended; return a load of it, for its records."""
    warehouse.run_batch(began, **columns)
    return f"{began}-009-workspace"


def version_of(warehouse: Warehouse, run_id: str) -> int:
    (version,) = warehouse.row("select max(version_id) from raw.runs where run_id = ?", run_id)
    return int(version)


def read_again(warehouse: Warehouse, load: str, run_id: str, **columns: Any) -> None:
    version = version_of(warehouse, run_id)
    warehouse.replaced(version, "runs", load_id=load, **run(run_id, **columns))


def find_an_older_run(warehouse: Warehouse, load: str) -> None:
    """A run that began its session before all runs that are known of it."""
    warehouse.given(
        "runs", run_id="r-20", session_id="s-2", agent_id="a-2", load_id=load,
        created_at=NOON - timedelta(days=3),
    )  # fmt: skip


def change_runs(warehouse: Warehouse, load: str) -> None:
    """Runs of sessions, agents and days apart, each of which changes rows of others."""
    find_an_older_run(warehouse, load)
    # One is read again as of another day, agent and session, with another cost.
    read_again(
        warehouse, load, "r-0", agent_id="a-2", session_id="s-9", cost_usd="2.25",
        created_at=NOON - timedelta(days=2),
    )  # fmt: skip
    # The only run of a session is read again as of another one.
    read_again(warehouse, load, "r-3", session_id="s-4")
    # A parent is known, others are not.
    for child, parent in (("r-21", "r-6"), ("r-22", "r-19"), ("r-23", "r-24")):
        warehouse.given("runs", run_id=child, parent_run_id=parent, load_id=load)
    # Two may change; the first is read again unchanged, and the second open.
    for run_id in ("r-5", "r-8"):
        warehouse.insert("ledger.provisional_runs", workspace_id=WORKSPACE, run_id=run_id)
    read_again(warehouse, load, "r-8", status="running")


def change_them_again(warehouse: Warehouse, load: str) -> None:
    """What the next batch finds of them."""
    # A run that started another one, which was read before it, and has a parent itself.
    warehouse.given("runs", run_id="r-24", parent_run_id="r-1", load_id=load)
    # No version of a parent is in force any more.
    warehouse.insert(
        "raw.superseded", version_id=version_of(warehouse, "r-6"), workspace_id=WORKSPACE,
        load_id=load,
    )  # fmt: skip
    # Without a new version, one run is final, and one is given up that the API does not know.
    warehouse.execute("delete from ledger.provisional_runs")


def raise_costs(warehouse: Warehouse, load: str) -> None:
    """Of two runs of different agents and sessions."""
    for run_id, cost in (("r-1", "1"), ("r-2", "5")):
        read_again(warehouse, load, run_id, cost_usd=cost)


def swap_costs(warehouse: Warehouse, load: str) -> None:
    """Each has that of the other one now: no sum over both changes."""
    for run_id, cost in (("r-1", "5"), ("r-2", "1")):
        read_again(warehouse, load, run_id, cost_usd=cost)


def rename(warehouse: Warehouse, load: str) -> None:
    (version,) = warehouse.row("select version_id from raw.agents where agent_id = 'a-1'")
    warehouse.replaced(
        version, "agents", load_id=load, agent_name="Baker", seen_at=BATCH_AT + timedelta(hours=1)
    )


def let_time_pass(warehouse: Warehouse, _: str) -> None:
    """Nothing but the time of the last batch: days become complete."""
    warehouse.execute(
        "update ledger.workspaces set last_batch_at = ?", BATCH_AT + timedelta(days=9)
    )


def publish(warehouse: Warehouse, _: str) -> None:
    """A publication, after which a day of the batch before counts as published."""
    warehouse.execute("update ledger.loads set published_at = ?", BATCH_AT)


def use_without_an_agent(warehouse: Warehouse, load: str) -> None:
    """Usage and runs that name no agent, on days that have no other."""
    warehouse.given("agent_billing_days", agent_id=None, cost_usd=5, billed_usd=6, load_id=load)
    warehouse.given(
        "runs", run_id="r-20", agent_id=None, cost_usd=3, load_id=load,
        created_at=NOON - timedelta(days=2),
    )  # fmt: skip
    warehouse.given("run_costs", run_id="r-20", cost_usd=3, load_id=load)


def read_in_vain(warehouse: Warehouse, load: str) -> None:
    """Costs of a run are read, and there are none."""
    warehouse.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id=load, request=1, source="run_costs",
        status=200, run_id="r-4", record_count=0, fetched_at=BATCH_AT,
    )  # fmt: skip


def change_owners(warehouse: Warehouse, _: str) -> None:
    """Rules of the user's own file: of an agent from a day on, and of what names no agent."""
    for number, agent in enumerate(("a-1", "(platform)", "(none)"), start=1):
        warehouse.insert(
            "finance.owner_rules", precedence=number, line=number, workspace="*", agent=agent,
            owner="Ann", valid_from="2026-11-20" if agent == "a-1" else None,
        )  # fmt: skip


def leave_a_day(warehouse: Warehouse, load: str) -> None:
    """A run of October, a part of whose cost is not metered yet and may be until the 20th."""
    warehouse.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id=load, request=9, source="usage_hours",
        status=200, window_start="2026-10-01", window_end="2026-11-10", fetched_at=BATCH_AT,
    )  # fmt: skip
    day = {"agent_id": "a-5", "seen_at": "2026-10-03 05:00Z", "load_id": load}
    run_of = {"run_id": "r-30", "cost_usd": 5, "tokens_in": 0}
    times = {"created_at": "2026-10-02 22:00Z", "finished_at": "2026-10-02 23:00Z"}
    warehouse.given("runs", **run_of, **times, **day)
    warehouse.given("run_costs", **run_of, ended_at="2026-10-20 01:00Z", load_id=load)
    warehouse.given("agent_rollups", date="2026-10-02", run_count=1, cost_usd=5, **day)
    warehouse.given("usage_hours", hour="2026-10-02 22:00Z", date="2026-10-02", cost_usd=3, **day)


def read_its_last_request_again(warehouse: Warehouse, load: str) -> None:
    """It was of the 10th: what was left over on the 20th is so on a day that has no record."""
    (version,) = warehouse.row("select version_id from raw.run_costs where run_id = 'r-30'")
    warehouse.replaced(
        version, "run_costs", run_id="r-30", cost_usd=5, tokens_in=0, load_id=load,
        ended_at="2026-10-10 01:00Z",
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        [leave_a_day, read_its_last_request_again],
        [change_runs, change_them_again],
        [rename, use_without_an_agent, change_owners],
        [let_time_pass],
        [read_in_vain],
        [raise_costs, swap_costs],
        [publish, find_an_older_run],
    ],
)
def test_is_what_a_full_build_makes(
    built: Warehouse, changes: list[Callable[[Warehouse, str], None]]
) -> None:
    """After each change, all relations, brought up to date, are those of a full build."""
    before = contents(built)
    for number, change in enumerate(changes):
        change(built, batch(built, f"2026112{2 + number}T050000Z"))
        assert update(built.con, timezone="UTC")
    updated = contents(built)
    build(built.con, timezone="UTC")

    anew = contents(built)
    assert [name for name in anew if updated[name] != anew[name]] == []
    assert updated != before


def contents(warehouse: Warehouse) -> Rows:
    """Read all relations that a build makes, but the results of checks."""
    names = warehouse.rows("""
        select schema_name || '.' || table_name from duckdb_tables()
        where schema_name in ('intermediate', 'marts', 'audit', 'reports') order by all
    """)
    return {
        name: warehouse.con.execute(f"from {name} order by all").fetchall()
        for (name,) in names
        if name not in CHECK_RESULTS
    }


def test_nothing_is_built_where_nothing_changed(built: Warehouse) -> None:
    """A second update builds no row but those that follow the results of checks."""
    updated = update(built.con, timezone="UTC")

    assert updated
    assert {each.name for each in updated[0] if each.rows} <= {"marts.fct_findings"}


@pytest.mark.parametrize("what", ["time zone", "model", "library"])
def test_all_is_built_anew(built: Warehouse, tmp_path: Path, what: str) -> None:
    """Of another time zone, model or library, nothing is brought up to date."""
    queries = Path(shutil.copytree(folder("queries"), tmp_path / "queries"))
    if what == "model":
        model = queries / "marts" / "fct_runs.sql"
        model.write_text(model.read_text() + "\n")
    version = "0" if what == "library" else duckdb.__version__
    with mock.patch("analytics.transform.build_state.duckdb.__version__", version):
        timezone = "Asia/Tokyo" if what == "time zone" else "UTC"
        assert update(built.con, timezone=timezone, queries=queries) is None


def test_rows_that_no_batch_wrote(built: Warehouse) -> None:
    """A row that is gone is missed at once, one that was changed by the next audit.

    So is a record that is gone from the warehouse.
    """
    con = built.con
    con.execute("update build_file.marts.fct_runs set cost_usd = 9 where run_id = 'r-1'")
    assert update(con, timezone="UTC")
    with mock.patch.object(building, "AUDITED", 1), pytest.raises(UnseenChangeError) as changed:
        update(con, timezone="UTC")
    build(con, timezone="UTC")
    con.execute("delete from build_file.marts.fct_runs where run_id = 'r-1'")
    with pytest.raises(UnseenChangeError) as gone:
        update(con, timezone="UTC")

    assert str(changed.value) == "marts.fct_runs"
    assert str(gone.value) == "marts.fct_runs"
    assert update(con, timezone="UTC") is None
    build(con, timezone="UTC")
    con.execute("delete from raw.runs where run_id = 'r-2'")
    with pytest.raises(UnseenChangeError, match=r"^raw\.runs$"):
        update(con, timezone="UTC")


@pytest.mark.parametrize("error", [ModelError, Killed])
def test_half_an_update_is_built_anew(built: Warehouse, error: type[BaseException]) -> None:
    """After an error in the build file, or a kill between both files, the next builds all anew."""
    built.given("runs", run_id="r-9", load_id=batch(built, "20261122T050000Z"))
    if error is ModelError:
        built.con.execute("alter table build_file.marts.fct_runs drop column cost_usd")

    killed = mock.patch.object(build_state, "_name_build_file", side_effect=Killed)
    with killed, pytest.raises(error):
        update(built.con, timezone="UTC")

    assert update(built.con, timezone="UTC") is None
    build(built.con, timezone="UTC")
    assert built.row("select count(*), max(cost_usd) > 0 from fct_runs") == (10, True)


def test_a_part_that_its_inputs_do_not_give(built: Warehouse) -> None:
    """An audit finds a part whose rows its inputs no longer give, though nothing told of it."""
    built.con.execute("update raw.usage_hours set cost_usd = 7 where agent_id = 'a-2'")

    with mock.patch.object(building, "AUDITED", 1), pytest.raises(UnseenChangeError) as found:
        update(built.con, timezone="UTC")

    assert "marts.fct_usage_hours" in str(found.value)


@pytest.mark.parametrize("audited", [10, 1])
def test_checks_of_what_changed_find_it(built: Warehouse, audited: int) -> None:
    """A check that passed before fails where what changed contradicts it, and names all of it.

    So it does after an audit, which builds a sample of other runs.
    """
    load = batch(built, "20261122T050000Z")
    built.given("runs", run_id="r-9", load_id=load)
    sample = f"select '{WORKSPACE}' as workspace_id, 'r-8' as run_id"
    with (
        mock.patch.object(building, "AUDITED", audited),
        mock.patch.object(changes, "_SAMPLE", sample),
    ):
        updated = update(built.con, timezone="UTC")
    assert updated
    built.con.execute(
        "update build_file.marts.fct_runs set is_final = true, is_terminal = false"
        " where run_id = 'r-9'"
    )

    failed = {each.name: each for each in run_checks(built.con, update=updated[1]) if not each.ok}

    assert failed["final_runs_have_ended"].violations[0]["run_id"] == "r-9"


def test_a_control_is_asked_of_what_it_alone_reads(tmp_path: Path) -> None:
    """A roll-up that is read again with another cost fails a control, whose column has no model."""
    load = {"load_id": "20261121T050000Z-001-runs", "agent_id": "a-1"}
    tokens = {"tokens_in": 10, "tokens_out": 10}
    with empty_warehouse(tmp_path / "data", Layout) as warehouse:
        warehouse.execute("update ledger.workspaces set last_batch_at = ?", BATCH_AT)
        batch(warehouse, "20261121T050000Z")
        warehouse.insert("ledger.loads", workspace_id=WORKSPACE, load_id=load["load_id"])
        for number, source in enumerate(("agent_rollups", "run_counts", "usage_hours")):
            warehouse.insert(
                "ledger.requests", workspace_id=WORKSPACE, request=number, source=source,
                status=200, window_start="2026-11-19", window_end="2026-11-20",
                fetched_at=BATCH_AT, **load,
            )  # fmt: skip
        warehouse.given(
            "runs", run_id="r-1", cost_usd=100, created_at=NOON, finished_at=NOON, **tokens, **load
        )
        warehouse.given("run_counts", run_count=1, **load)
        warehouse.given("usage_hours", cost_usd=100, **tokens, **load)
        sums = {"run_count": 1, "agent_id": "a-1", **tokens}
        version = warehouse.given("agent_rollups", **(load | sums), cost_usd=100)
        build(warehouse.con, timezone="UTC")
        run_checks(warehouse.con)
        before = agreed(warehouse)
        again = batch(warehouse, "20261122T050000Z")
        warehouse.replaced(version, "agent_rollups", load_id=again, cost_usd=60, **sums)
        updated = update(warehouse.con, timezone="UTC")
        assert updated
        run_checks(warehouse.con, update=updated[1])

        assert (before, agreed(warehouse)) == (True, False)


def agreed(warehouse: Warehouse) -> bool:
    """Whether listed runs agree with the API's sums, as the last checks say."""
    ((is_ok,),) = warehouse.rows(
        "select is_ok from audit.check_results where check_name = 'listed_days_agree_with_the_api'"
    )
    return bool(is_ok)
