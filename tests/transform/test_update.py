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
from analytics.transform.build import UnseenChangeError, build, is_whole, update
from analytics.transform.checks import run_checks
from analytics.transform.models import ModelError
from analytics.warehouse.database import attached_marts, open_warehouse
from analytics.warehouse.layout import Layout
from tests.conftest import uncommented
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
    for agent in ("a-1", "a-2"):
        warehouse.given("agents", agent_id=agent, agent_name=agent.upper(), **first)
        warehouse.given("usage_hours", agent_id=agent, cost_usd="1.5", **first)
    for number, (agent, session) in enumerate([("a-1", "s-1"), ("a-1", "s-1"), ("a-2", "s-2")]):
        warehouse.given(
            "runs", run_id=f"r-{number}", agent_id=agent, session_id=session, cost_usd="0.5",
            created_at=NOON + timedelta(hours=number), **first,
        )  # fmt: skip
    with uncommented():
        build(warehouse.con, timezone="UTC")
    run_checks(warehouse.con)


def batch(warehouse: Warehouse, began: str, **columns: Any) -> str:
    """Record a batch that ended; return a load of it, for its records."""
    warehouse.run_batch(began, **columns)
    return f"{began}-009-workspace"


def rename(warehouse: Warehouse, load: str) -> None:
    (version,) = warehouse.row("select version_id from raw.agents where agent_id = 'a-1'")
    warehouse.replaced(version, "agents", load_id=load, agent_name="Baker")


def find_an_older_run(warehouse: Warehouse, load: str) -> None:
    """A run that began the session before all runs that are known of it."""
    warehouse.given(
        "runs", run_id="r-9", session_id="s-2", agent_id="a-2", load_id=load,
        created_at=NOON - timedelta(days=3),
    )  # fmt: skip


def move_a_run(warehouse: Warehouse, load: str) -> None:
    """A run that is read again as of another day, agent and session."""
    warehouse.replaced(
        version_of(warehouse, "r-0"), "runs", load_id=load, run_id="r-0", agent_id="a-2",
        session_id="s-3", created_at=NOON - timedelta(days=2), cost_usd="2.25",
    )  # fmt: skip


def empty_a_session(warehouse: Warehouse, load: str) -> None:
    """The only run of a session, which is read again as of another one."""
    warehouse.replaced(
        version_of(warehouse, "r-2"), "runs", load_id=load, run_id="r-2", agent_id="a-2",
        session_id="s-1", created_at=NOON + timedelta(hours=2), cost_usd="0.5",
    )  # fmt: skip


def lose_a_run(warehouse: Warehouse, _: str) -> None:
    """The only run of a session, of which another program removed all versions."""
    warehouse.execute("delete from raw.runs where run_id = 'r-2'")


def let_time_pass(warehouse: Warehouse, _: str) -> None:
    """Nothing but the time of the last batch: days become complete."""
    warehouse.execute(
        "update ledger.workspaces set last_batch_at = ?", BATCH_AT + timedelta(days=9)
    )


def start_a_child(warehouse: Warehouse, load: str) -> None:
    """A run whose parent is known, and one whose parent is not."""
    warehouse.given("runs", run_id="r-5", parent_run_id="r-0", load_id=load)
    warehouse.given("runs", run_id="r-6", parent_run_id="r-7", load_id=load)


def find_the_parent(warehouse: Warehouse, load: str) -> None:
    """A run that started another one, which is read before it."""
    warehouse.given("runs", run_id="r-8", parent_run_id="r-9", load_id=load)
    with uncommented():
        assert update(warehouse.con, timezone="UTC")
    later = batch(warehouse, "20261122T060000Z")
    warehouse.given("runs", run_id="r-9", parent_run_id="r-0", load_id=later)


def take_a_run_away(warehouse: Warehouse, load: str) -> None:
    """A run, the parent of another, of which no version is in force any more."""
    start_a_child(warehouse, load)
    with uncommented():
        assert update(warehouse.con, timezone="UTC")
    later = batch(warehouse, "20261122T060000Z")
    warehouse.insert(
        "raw.superseded", version_id=version_of(warehouse, "r-0"), workspace_id=WORKSPACE,
        load_id=later,
    )  # fmt: skip


def let_a_run_be_final(warehouse: Warehouse, _: str) -> None:
    """A run that was read again unchanged: no new version, but it is final now."""
    warehouse.insert("ledger.provisional_runs", workspace_id=WORKSPACE, run_id="r-1")
    with uncommented():
        assert update(warehouse.con, timezone="UTC")
    warehouse.execute("delete from ledger.provisional_runs")


def give_up_a_run(warehouse: Warehouse, load: str) -> None:
    """An open run that the API has twice not known: no new version, but it may not change now."""
    warehouse.replaced(
        version_of(warehouse, "r-1"), "runs", load_id=load, run_id="r-1", status="running"
    )
    let_a_run_be_final(warehouse, load)


def publish(warehouse: Warehouse, _: str) -> None:
    """A publication, after which a day of the batch before counts as published."""
    warehouse.execute("update ledger.loads set published_at = ?", BATCH_AT)
    with uncommented():
        assert update(warehouse.con, timezone="UTC")
    find_an_older_run(warehouse, batch(warehouse, "20261122T060000Z"))


def change_an_owner(warehouse: Warehouse, _: str) -> None:
    """A rule of the user's own file, from a day on."""
    warehouse.insert(
        "finance.owner_rules", precedence=1, line=2, workspace="*", agent="a-1", owner="Ann",
        valid_from="2026-11-20",
    )  # fmt: skip


def own_what_names_no_agent(warehouse: Warehouse, load: str) -> None:
    """Rules for usage and runs that name no agent, on days that have no other."""
    warehouse.given("agent_billing_days", agent_id=None, cost_usd=5, billed_usd=6, load_id=load)
    warehouse.given(
        "runs", run_id="r-8", agent_id=None, cost_usd=3, load_id=load,
        created_at=NOON - timedelta(days=2),
    )  # fmt: skip
    warehouse.given("run_costs", run_id="r-8", cost_usd=3, load_id=load)
    with uncommented():
        assert update(warehouse.con, timezone="UTC")
    for number, agent in enumerate(("(platform)", "(none)"), start=1):
        warehouse.insert(
            "finance.owner_rules", precedence=number, line=number, workspace="*", agent=agent,
            owner="Ann",
        )  # fmt: skip


def version_of(warehouse: Warehouse, run_id: str) -> int:
    (version,) = warehouse.row("select version_id from raw.runs where run_id = ?", run_id)
    return int(version)


@pytest.mark.parametrize(
    "change",
    [
        rename,
        find_an_older_run,
        move_a_run,
        empty_a_session,
        lose_a_run,
        let_time_pass,
        start_a_child,
        find_the_parent,
        take_a_run_away,
        let_a_run_be_final,
        give_up_a_run,
        publish,
        change_an_owner,
        own_what_names_no_agent,
    ],
)
def test_is_what_a_full_build_makes(
    built: Warehouse, change: Callable[[Warehouse, str], None]
) -> None:
    """After a change, all relations, brought up to date, are those of a full build."""
    before = contents(built)
    change(built, batch(built, "20261122T050000Z"))
    with uncommented():
        assert update(built.con, timezone="UTC")
        updated = contents(built)
        build(built.con, timezone="UTC")

    anew = contents(built)
    assert [name for name in anew if updated[name] != anew[name]] == []
    assert updated != before


@pytest.mark.parametrize("change", [move_a_run, empty_a_session])
def test_many_runs_are_looked_for_in_all_blocks(
    built: Warehouse, change: Callable[[Warehouse, str], None]
) -> None:
    """Of more runs than times are looked up of, relations are read whole, to the same rows."""
    with mock.patch("analytics.transform.clustering._MOST", 0):
        test_is_what_a_full_build_makes(built, change)


def contents(warehouse: Warehouse) -> Rows:
    """Read all relations that a build makes, but the results of checks."""
    names = warehouse.rows("""
        select schema_name || '.' || table_name from duckdb_tables()
        where schema_name in ('intermediate', 'marts', 'audit', 'reports') order by all
    """)
    return {
        name: warehouse.con.execute(f"from {name} order by all").fetchall() for (name,) in names
    }


def test_nothing_is_built_where_nothing_changed(built: Warehouse) -> None:
    """A second update builds no row but those that show the results of checks."""
    with uncommented():
        updated = update(built.con, timezone="UTC")

    assert updated
    assert {each.name for each in updated[0] if each.rows} <= {
        "reports.rpt_reconciliation",
        "reports.rpt_workspace_health",
    }


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
    """A row that is gone is missed at once, one that was changed by the next audit."""
    con = built.con
    con.execute("update build_file.marts.fct_runs set cost_usd = 9 where run_id = 'r-1'")
    assert update(con, timezone="UTC")
    with mock.patch.object(building, "AUDITED", 1), pytest.raises(UnseenChangeError) as changed:
        update(con, timezone="UTC")
    with uncommented():
        build(con, timezone="UTC")
    con.execute("delete from build_file.marts.fct_runs where run_id = 'r-1'")
    with pytest.raises(UnseenChangeError) as gone:
        update(con, timezone="UTC")

    assert changed.value.relations == ["marts.fct_runs"]
    assert gone.value.relations == ["marts.fct_runs"]
    assert update(con, timezone="UTC") is None


def test_a_relation_of_the_build_file_that_cannot_be_built(built: Warehouse) -> None:
    """After an error beside other relations, the file is of two builds, until all is built anew."""
    load = batch(built, "20261122T050000Z")
    built.given("runs", run_id="r-9", load_id=load)
    built.con.execute("alter table build_file.marts.fct_runs drop column cost_usd")

    with pytest.raises(ModelError, match="fct_runs"), uncommented():
        update(built.con, timezone="UTC")

    assert not is_whole(built.con)
    assert update(built.con, timezone="UTC") is None
    build(built.con, timezone="UTC")
    assert is_whole(built.con)
    assert built.row("select count(*), max(cost_usd) > 0 from fct_runs") == (4, True)


def test_a_part_that_its_inputs_do_not_give(built: Warehouse) -> None:
    """An audit finds a part whose rows its inputs no longer give, though nothing told of it."""
    built.con.execute("update raw.usage_hours set cost_usd = 7 where agent_id = 'a-2'")

    with mock.patch.object(building, "AUDITED", 1), pytest.raises(UnseenChangeError) as found:
        update(built.con, timezone="UTC")

    assert "marts.fct_usage_hours" in found.value.relations


def test_checks_of_what_changed_find_it(built: Warehouse) -> None:
    """A check that passed before fails where what changed contradicts it, and names all of it."""
    load = batch(built, "20261122T050000Z")
    built.given("runs", run_id="r-9", load_id=load)
    with uncommented():
        updated = update(built.con, timezone="UTC")
    assert updated
    built.con.execute("update build_file.marts.fct_runs set is_final = true where run_id = 'r-9'")
    built.con.execute(
        "update build_file.marts.fct_runs set is_terminal = false where run_id = 'r-9'"
    )

    failed = {each.name: each for each in run_checks(built.con, update=updated[1]) if not each.ok}

    assert failed["final_runs_have_ended"].violations[0]["run_id"] == "r-9"


def test_a_new_day_touches_what_reads_what_it_changes(built: Warehouse) -> None:
    """All days differ in the last one; models that read whether they have ended are not built."""
    with uncommented():
        warehouse_days = built.row("select count(*) from intermediate.int_metered_days")
        built.execute(
            "update ledger.workspaces set last_batch_at = ?", BATCH_AT + timedelta(days=1)
        )
        updated = update(built.con, timezone="UTC")
    assert updated is not None
    rows = {each.name: each.rows for each in updated[0]}

    assert warehouse_days == (12,)
    assert rows["intermediate.int_metered_days"] == 13
    assert built.row("select count(*) from intermediate.int_agent_days_vs_api") == (2,)
    assert rows["intermediate.int_agent_days_vs_api"] == 0
