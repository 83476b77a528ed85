"""The rows that a load adds and replaces, and the runs that it leaves to be read again."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from analytics.warehouse.layout import Layout
from analytics.warehouse.load import load_folder
from analytics.warehouse.store import WarehouseStore
from tests.warehouse.conftest import DAY, READ_AT, Load, current, run_record

NEXT = DAY + timedelta(days=1)


def all_rows(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    tables = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where schema_name in ('raw', 'ledger')"
    ).fetchall()
    return {
        name: con.execute(f"select * from {name} order by all").fetchall() for (name,) in tables
    }


def test_a_folder_loaded_twice_changes_nothing(
    layout: Layout, load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """Loading the same landing folder again leaves every table as it is, and counts nothing."""
    load("runs", [run_record("a"), run_record("b", status="running")])
    (folder,) = (layout.landing / "w1").iterdir()
    before = all_rows(con)

    again = load_folder(con, folder)

    assert all_rows(con) == before
    assert (again.record_count, again.new_version_count) == (0, 0)


def test_the_same_records_make_no_new_version(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """An unchanged record adds no row."""
    load("runs", [run_record()])
    loaded = load("runs", [run_record()])

    assert loaded.new_version_count == 0
    assert con.execute("select count(*) from raw.runs").fetchall() == [(1,)]


def test_a_value_may_span_lines(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """A nested value with line breaks stays on one landing line."""
    loaded = load("runs", [run_record("a", targets=b'{\n  "x": 1\r\n}'), run_record("b")])

    assert loaded.quarantined_count == 0
    assert current(con, "runs", "run_id") == [("a",), ("b",)]


def test_every_version_is_kept(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """Each change of a run adds a row, also a change back to an earlier state."""
    for cost in (0.1, 0.2, 0.1):
        load("runs", [run_record(cost_usd=cost)])

    assert [(Decimal("0.1"),)] == current(con, "runs", "cost_usd")
    assert [(Decimal("0.1"),), (Decimal("0.2"),), (Decimal("0.1"),)] == con.execute(
        "select cost_usd from raw.runs order by version_id"
    ).fetchall()


def test_of_two_answers_in_a_load_the_later_holds(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """A run that was read twice within a load is stored in its later state."""
    load("runs", [run_record(status="running"), run_record(status="failed")])

    assert current(con, "runs", "status") == [("failed",)]


def test_a_version_leads_back_to_its_line(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """Each row names its load, request and line, and the time of its first reading."""
    load("runs", [run_record("a"), run_record("b")])

    assert con.execute(
        "select load_id, request, line, seen_at from raw.runs where run_id = 'b'"
    ).fetchall() == [("20261120T060000Z-001-x", 0, 2, READ_AT)]


def test_a_window_replaces_its_days(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """A day that is read again loses its earlier rows; other days keep theirs."""
    window = (DAY, NEXT)
    other = (DAY - timedelta(days=1), DAY)
    load("agent_rollups", [{"agent_id": "a", "cost_usd": 9}], window=other)
    load("agent_rollups", [{"agent_id": "a", "cost_usd": 1}, {"agent_id": "b"}], window=window)
    load("agent_rollups", [{"agent_id": "a", "cost_usd": 2}], window=window)

    assert [(other[0], "a", Decimal(9)), (DAY, "a", Decimal(2))] == current(
        con, "agent_rollups", "date, agent_id, cost_usd"
    )


def test_the_list_of_agents_is_replaced_as_a_whole(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """An agent that is no longer listed is superseded; its row stays in `raw`."""
    load("agents", [{"id": "a", "name": "Old"}, {"id": "b", "name": "Gone"}])
    load("agents", [{"id": "a", "name": "New"}])

    assert current(con, "agents", "agent_id, agent_name") == [("a", "New")]
    assert con.execute("select count(*) from raw.agents").fetchall() == [(3,)]


def test_an_agents_limits_are_exact(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """Limits are stored digit for digit; one that is missing, null or no object is null."""
    limits = b'{"max_budget": 0.1000000001, "timeout_minutes": 60}'
    loaded = load(
        "agents",
        [
            {"id": "a", "config": limits},
            {"id": "b", "config": b'{"max_budget": 1, "timeout_minutes": null}'},
            {"id": "c", "config": None},
            {"id": "d", "config": "none"},
            {"id": "e"},
        ],
    )

    assert loaded.quarantined_count == 0
    assert [
        ("a", Decimal("0.1000000001"), 60),
        ("b", Decimal(1), None),
        ("c", None, None),
        ("d", None, None),
        ("e", None, None),
    ] == current(con, "agents", "agent_id, max_budget_usd, timeout_minutes")


def version(number: int, status: str, **fields: Any) -> dict[str, Any]:
    return {"id": f"v{number}", "agent_id": "a", "version": number, "status": status} | fields


def test_an_agents_versions_are_replaced_as_a_whole(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """Versions that are read again take the place of the old ones; other agents' stay."""
    commit = {"parent_version": 1, "last_commit_at": "2026-11-19T10:00:00+00:00"}
    load("agent_versions", [version(1, "active")], agent_id="b")
    load("agent_versions", [version(1, "active"), version(2, "draft", **commit)], agent_id="a")
    loaded = load("agent_versions", [version(2, "active", **commit)], agent_id="a")

    assert loaded.new_version_count == 1
    assert current(con, "agent_versions", "agent_id, agent_version_id, agent_version, status") == [
        ("a", "v2", 2, "active"),
        ("b", "v1", 1, "active"),
    ]
    assert con.execute(
        "select status, last_commit_at from raw.agent_versions where parent_version = 1"
        " order by version_id"
    ).fetchall() == [(status, READ_AT - timedelta(hours=20)) for status in ("draft", "active")]

    load("agent_versions", [], agent_id="a")
    assert current(con, "agent_versions", "agent_id") == [("b",)]


def test_versions_are_due_of_agents_that_only_sums_name(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """Versions are read of an agent that no list shows but a roll-up; the platform has none."""
    load("agent_rollups", [{"agent_id": "a"}, {"agent_id": None}], window=(DAY, NEXT))

    assert WarehouseStore(con, "w1").agents_with_unread_versions() == ["a"]


@pytest.mark.parametrize("odd", [{"version": "two"}, {"version": [2]}, {"version": None}])
def test_an_odd_version_leaves_the_last_one(
    load: Load, con: duckdb.DuckDBPyConnection, odd: dict[str, Any]
) -> None:
    """A version that cannot be understood stays as it was; one without an id is quarantined."""
    load("agent_versions", [version(1, "active"), version(2, "draft")], agent_id="a")
    records = [version(1, "archived"), version(2, "active", **odd), {"version": 3}]
    loaded = load("agent_versions", records, agent_id="a")

    assert loaded.quarantined_count == 2
    assert current(con, "agent_versions", "agent_version, status") == [
        (1, "archived"),
        (2, "draft"),
    ]


@pytest.mark.parametrize(("status", "kept"), [(200, []), (403, [("p",)])])
def test_an_empty_window_replaces_too(
    load: Load, con: duckdb.DuckDBPyConnection, status: int, kept: list[tuple[str]]
) -> None:
    """A day that is read again without rows loses its rows; one that is refused keeps them."""
    load("billing_days", [{"date": str(DAY), "provider": "p"}], window=(DAY, NEXT))
    load("billing_days", [], window=(DAY, NEXT), status=status)

    assert current(con, "billing_days", "provider") == kept


def test_hours_belong_to_their_utc_day(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """An hour given with an offset replaces, and is replaced, with its UTC day."""
    hours = [{"hour": "2026-11-20T01:00:00+02:00", "model": "m", "cost_usd": 1}]
    load("usage_hours", hours, window=(DAY, NEXT))

    assert current(con, "usage_hours", "date") == [(DAY,)]


@pytest.mark.parametrize("counts", [(2, 2), (1, 2), (2, 1), (0, 3, 1, 2), (3, 0)])
def test_equal_rows_of_a_window_all_count(
    load: Load, con: duckdb.DuckDBPyConnection, counts: tuple[int, ...]
) -> None:
    """As many equal rows are current as the last response contained."""
    row = {"date": str(DAY), "provider": "p", "cost_usd": 1}
    for count in counts:
        load("billing_days", [row] * count, window=(DAY, NEXT))

    assert len(current(con, "billing_days", "provider")) == counts[-1]


def test_a_runs_details_are_replaced_as_a_whole(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """The model costs of a run are those of its last response; another run's stay."""
    load("run_costs", [{"model": "x", "total_cost": 1}], run_id="other")
    load("run_costs", [{"model": "x", "total_cost": 1}, {"model": "y"}], run_id="r1")
    load("run_costs", [{"model": "x", "total_cost": 3}], run_id="r1")

    assert [("other", "x", Decimal(1)), ("r1", "x", Decimal(3))] == current(
        con, "run_costs", "run_id, model, cost_usd"
    )


@pytest.mark.parametrize(
    ("fields", "read_after", "waits"),
    [
        pytest.param({"status": "running", "finished_at": None}, 1000, True, id="open"),
        pytest.param({"status": "dreaming"}, 1000, True, id="a status that is new to us"),
        pytest.param({"status": "failed"}, 47, True, id="ended lately"),
        pytest.param({"status": "failed"}, 49, False, id="ended long ago"),
        pytest.param({"status": "cancelled", "finished_at": None}, 1000, True, id="no end known"),
    ],
)
def test_which_runs_wait_to_settle(
    load: Load,
    con: duckdb.DuckDBPyConnection,
    fields: dict[str, Any],
    read_after: int,
    waits: bool,
) -> None:
    """A run is provisional until it was read 48 hours or more after its end."""
    ended = READ_AT - timedelta(hours=read_after)
    load("runs", [run_record(**({"finished_at": ended.isoformat()} | fields))])

    assert waits == bool(con.execute("select 1 from ledger.provisional_runs").fetchall())


def test_a_run_without_an_end_settles_from_when_it_was_seen(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """Without `finished_at`, the hours count from the first reading with a terminal status."""
    record = run_record(status="cancelled", finished_at=None)
    waiting = []
    for hours in (0, 47, 49, 50):
        load("runs", [record], read_at=READ_AT + timedelta(hours=hours))
        waiting.append(len(con.execute("select 1 from ledger.provisional_runs").fetchall()))

    assert waiting == [1, 1, 0, 0]


def test_touched_days_span_a_changed_runs_life(load: Load) -> None:
    """A new or changed run touches every UTC day from its creation to its end."""
    run = run_record(created_at="2026-11-17T23:00:00Z", finished_at="2026-11-19T01:00:00Z")

    assert {date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 19)} == load(
        "runs", [run]
    ).touched_days
    assert set() == load("runs", [run]).touched_days


def test_the_ledger_proves_what_was_loaded(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """The ledger holds each file with its hash, and each load with its counts."""
    load("runs", [run_record("a"), run_record("b", tokens_in="x")])

    files = con.execute("select file_name, length(sha256) from ledger.files order by 1").fetchall()
    assert files == [("requests.ndjson.zst", 64), ("runs.ndjson.zst", 64)]
    assert con.execute(
        "select record_count, new_version_count, superseded_count, quarantined_count"
        " from ledger.loads"
    ).fetchall() == [(2, 1, 0, 1)]


def usage(agent_id: str, tokens_in: Any, hour: str = "2026-11-19T09:00:00Z") -> dict[str, Any]:
    return {
        "hour": hour,
        "agent_id": agent_id,
        "model": "m",
        "provider": "p",
        "tokens_in": tokens_in,
    }


def test_a_row_set_aside_leaves_its_last_version_in_force(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """A quarantined row of a day keeps its last version; the day's other rows are replaced."""
    window = (DAY, DAY + timedelta(days=1))
    load("usage_hours", [usage("a1", 1), usage("a2", 2), usage("a3", 3)], window=window)
    load("usage_hours", [usage("a1", 10), usage("a2", "twelve"), usage("a3", 3)], window=window)
    odd = current(con, "usage_hours", "agent_id, tokens_in")
    load("usage_hours", [usage("a1", 10), usage("a2", 12)], window=window)

    assert odd == [("a1", 10), ("a2", 2), ("a3", 3)]
    assert current(con, "usage_hours", "agent_id, tokens_in") == [("a1", 10), ("a2", 12)]


def test_an_odd_row_spares_no_other_day(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """A row that vanished from another day of the window is superseded all the same."""
    window = (DAY - timedelta(days=1), DAY + timedelta(days=1))
    before = "2026-11-18T09:00:00Z"
    load("usage_hours", [usage("a1", 1), usage("a1", 2, before)], window=window)
    load("usage_hours", [usage("a1", "x")], window=window)

    assert current(con, "usage_hours", "date, tokens_in") == [(DAY, 1)]


def test_an_odd_model_cost_leaves_the_last_one(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """A run's model with an invalid cost keeps the stored cost."""
    models = [{"model": name, "provider": None, "total_cost": 1} for name in ("m1", "m2")]
    load("run_costs", models, run_id="r1")
    models[0] |= {"total_cost": "a dollar"}
    models[1] |= {"total_cost": 2}
    load("run_costs", models, run_id="r1")

    assert current(con, "run_costs", "model, cost_usd") == [("m1", Decimal(1)), ("m2", Decimal(2))]
