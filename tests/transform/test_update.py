"""Relations are brought up to date: the cases in which a guess would miss a change."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from analytics.files import folder
from analytics.transform import build as building
from analytics.transform import build_state, changes
from analytics.transform.build import build, update
from analytics.transform.changes import UnseenChangeError
from analytics.transform.checks import run_checks
from analytics.transform.models import CHECK_RESULTS, ModelError
from analytics.warehouse.database import attached_marts, open_warehouse
from analytics.warehouse.layout import Layout
from tests.batches import Killed
from tests.transform.changed import (
    BATCH_AT,
    NOON,
    RUNS,
    batch,
    change_its_old_session,
    change_owners,
    change_runs,
    change_them_again,
    cost_the_last_digit_more,
    cost_what_is_metered,
    fill,
    find_an_older_run,
    leave_a_day,
    let_time_pass,
    move_its_day,
    move_to_another_session,
    publish,
    raise_costs,
    read_in_vain,
    read_its_last_request_again,
    read_meters_of_months,
    read_what_it_was_for,
    rename,
    run_beside_it,
    run_without_an_agent,
    swap_costs,
    use_a_key_later,
    use_without_an_agent,
)
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

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


@pytest.mark.parametrize(
    "changes",
    [
        [leave_a_day, read_its_last_request_again, let_time_pass],
        [change_runs],
        [change_runs, change_them_again],
        [move_to_another_session, change_its_old_session, read_in_vain],
        [rename, use_without_an_agent, change_owners],
        [raise_costs, swap_costs],
        [publish, find_an_older_run],
        [read_meters_of_months, use_a_key_later, read_what_it_was_for],
        [read_meters_of_months, run_without_an_agent, move_its_day, run_beside_it],
    ],
    ids=lambda changes: changes[-1].__name__,
)
def test_is_what_a_full_build_makes(
    built: Warehouse, changes: list[Callable[[Warehouse, str], None]]
) -> None:
    """After changes, all relations, brought up to date, are those of a full build."""
    before = contents(built)
    for number, change in enumerate(changes):
        change(built, batch(built, f"2026112{2 + number}T050000Z"))
        assert update(built.con, timezone="UTC")
    updated = contents(built)
    build(built.con, timezone="UTC")

    anew = contents(built)
    assert [name for name in anew if updated[name] != anew[name]] == []
    assert updated != before


def test_what_reads_no_more_than_it_has_to(built: Warehouse) -> None:
    """A run without a session, and a schedule, touch their own runs alone, and no session."""
    built.given("runs", run_id="r-9", load_id=batch(built, "20261122T050000Z"))
    assert update(built.con, timezone="UTC")
    load = batch(built, "20261123T050000Z")
    built.given("runs", run_id="r-10", load_id=load)
    built.given("schedules", last_run_id="r-9", load_id=load)
    updated = update(built.con, timezone="UTC")

    assert updated
    rows = {each.name: each.rows for each in updated[0]}
    assert (rows["marts.fct_runs"], rows["marts.fct_sessions"]) == (2, 0)


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


def test_a_check_of_all_rows_counts_what_it_finds(built: Warehouse) -> None:
    """DuckDB 2.0 says of two rows that none exist where statistics have a join give nothing."""
    built.con.execute("set disabled_optimizers = ''")
    found = {each.name: each.violation_count for each in run_checks(built.con)}

    assert found["every_run_leads_to_its_request"] == len(RUNS)


def test_the_last_digit_below_nothing_is_a_change(tmp_path: Path) -> None:
    """A month of which nothing is unexplained has less than nothing, by a tenth decimal."""
    with empty_warehouse(tmp_path / "data", Layout) as warehouse:
        warehouse.execute("update ledger.workspaces set last_batch_at = ?", BATCH_AT)
        read_meters_of_months(warehouse, batch(warehouse, "20261121T050000Z"))
        cost_what_is_metered(warehouse, batch(warehouse, "20261122T050000Z"))
        build(warehouse.con, timezone="UTC")
        cost_the_last_digit_more(warehouse, batch(warehouse, "20261123T050000Z"))
        assert update(warehouse.con, timezone="UTC")

        unexplained = "select unexplained_usd from dim_months where month = '2026-11-01'"
        assert warehouse.row(unexplained) == (Decimal("-1E-10"),)


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
