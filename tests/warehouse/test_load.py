"""The rows that a load adds and replaces, and the runs that it leaves to be read again."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from analytics.warehouse.layout import Layout
from analytics.warehouse.load import load_folder
from analytics.warehouse.pending_details import agents_with_unread_versions
from analytics.warehouse.store import Store
from tests.warehouse.conftest import DAY, READ_AT, Load, current, run_record

BEFORE, NEXT = DAY - timedelta(days=1), DAY + timedelta(days=1)


WINDOW = (DAY, NEXT)


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


def test_every_version_is_kept(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """Each change of a run adds a row, also a change back to an earlier state, and nothing else."""
    added = [
        load("runs", [run_record(cost_usd=cost)]).new_version_count for cost in (0.1, 0.2, 0.2, 0.1)
    ]

    assert added == [1, 1, 0, 1]
    assert [(Decimal("0.1"),)] == current(con, "runs", "cost_usd")
    assert [(Decimal("0.1"),), (Decimal("0.2"),), (Decimal("0.1"),)] == con.execute(
        "select cost_usd from raw.runs order by version_id"
    ).fetchall()


def test_a_version_leads_back_to_its_line(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """Each row names its load, request and line, and the time of its first reading.

    A nested value with line breaks stays on one line.
    """
    loaded = load("runs", [run_record("a", targets=b'{\n  "x": 1\r\n}'), run_record("b")])

    assert loaded.quarantined_count == 0
    assert con.execute(
        "select load_id, request, line, seen_at from raw.runs where run_id = 'b'"
    ).fetchall() == [("20261120T060000Z-001-x", 0, 2, READ_AT)]


def usage(**tokens_in: Any) -> list[dict[str, Any]]:
    """The hours of some agents."""
    return [
        {"hour": f"{DAY}T09:00:00Z", "agent_id": agent_id, "model": "m", "tokens_in": number}
        for agent_id, number in tokens_in.items()
    ]


def costs(**models: Any) -> list[dict[str, Any]]:
    """The costs of some models of a run."""
    return [{"model": model, "provider": None, "total_cost": usd} for model, usd in models.items()]


def version(number: int, status: str, **fields: Any) -> dict[str, Any]:
    return {"id": f"v{number}", "agent_id": "a", "version": number, "status": status} | fields


BILL = {"date": str(DAY), "provider": "p", "cost_usd": 1}
ASKED: dict[str, dict[str, Any]] = {
    "runs": {}, "agents": {}, "run_costs": {"run_id": "r1"}, "agent_versions": {"agent_id": "a"},
}  # fmt: skip
REPLACED: dict[str, tuple[str, list[list[Any]], str, list[Any]]] = {
    "the later answer of a load holds": (
        "runs", [[run_record(status=each) for each in ("running", "failed")]],
        "status", [("failed",)],
    ),
    "but not a run that cannot be understood": (
        "runs", [[run_record()], [run_record(tokens_in="many")]], "tokens_in", [(1000,)],
    ),
    "by either name of a cost": (
        "run_costs", [[{"model": "a", "cost_usd": 0.5}, *costs(b=1)]],
        "model, cost_usd", [("a", Decimal("0.5")), ("b", Decimal(1))],
    ),
    "but not a version that cannot be understood": (
        "agent_versions",
        [[version(n, "active") for n in (0, 1)],
         [version(0, "archived"), version(1, "draft", version="two"), {"version": 4}]],
        "agent_version, status", [(0, "archived"), (1, "active")],
    ),
    "the versions of an agent": (
        "agent_versions", [[version(1, "active"), version(2, "draft")], [version(2, "active")]],
        "agent_version, status", [(2, "active")],
    ),
    "all versions of an agent": ("agent_versions", [[version(1, "active")], []], "status", []),
    "the list of agents as a whole": (
        "agents", [[{"id": "a", "name": "Old"}, {"id": "b"}], [{"id": "a", "name": "New"}]],
        "agent_id, agent_name", [("a", "New")],
    ),
    "the rows of a day": (
        "agent_rollups", [[{"agent_id": each} for each in "ab"], [{"agent_id": "a"}]],
        "date, agent_id, cost_usd", [(DAY, "a", None)],
    ),
    "all rows of a day": ("billing_days", [[BILL], []], "provider", []),
    "the day in UTC of an hour": (
        "usage_hours", [[{"hour": "2026-11-20T01:00:00+02:00", "model": "m"}]], "date", [(DAY,)],
    ),
    "but not a row that is set aside": (
        "usage_hours", [usage(a1=1, a2=2, a3=3), usage(a1=10, a2="twelve", a3=3)],
        "agent_id, tokens_in", [("a1", 10), ("a2", 2), ("a3", 3)],
    ),
    "a row that was set aside": (
        "usage_hours", [usage(a1=1, a2="twelve", a3=3), usage(a1=10, a2=12)],
        "agent_id, tokens_in", [("a1", 10), ("a2", 12)],
    ),
    "the details of a run": (
        "run_costs", [costs(x=1, y=1), costs(x=3)], "model, cost_usd", [("x", Decimal(3))],
    ),
    "but not an odd cost of a model": (
        "run_costs", [costs(m1=1, m2=1), costs(m1="a dollar", m2=2)],
        "model, cost_usd", [("m1", Decimal(1)), ("m2", Decimal(2))],
    ),
    **{
        f"of equal rows {counts}": (
            "billing_days", [[BILL] * count for count in counts], "provider", [("p",)] * counts[-1],
        )
        for counts in [(2, 2), (1, 2), (2, 1), (0, 3, 1, 2), (3, 0)]
    },
}  # fmt: skip


@pytest.mark.parametrize("case", REPLACED)
def test_what_a_load_replaces(load: Load, con: duckdb.DuckDBPyConnection, case: str) -> None:
    """A load takes the place of what was stored of the days, runs or lists that it was asked."""
    source, answers, columns, expected = REPLACED[case]
    for records in answers:
        load(source, records, **ASKED.get(source, {"window": WINDOW}))

    assert current(con, source, columns) == expected


def test_what_a_load_was_not_asked_for_stays(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """Other days, runs and agents keep their rows, and so does a day that is refused.

    A row that is set aside spares no other day of its window.
    """
    before = {"date": str(BEFORE), "provider": "p"}
    load("billing_days", [BILL, before], window=(BEFORE, NEXT))
    load("billing_days", [BILL | {"provider": 7}], window=WINDOW)
    load("run_costs", costs(x=1), run_id="other")
    load("run_costs", costs(x=2), run_id="r1")
    load("agent_versions", [version(1, "active")], agent_id="b")
    load("agent_versions", [], agent_id="a")
    load("agent_rollups", [{"agent_id": "a"}], window=WINDOW)
    load("agent_rollups", [], window=WINDOW, status=403)
    load(
        "usage_hours",
        [*usage(a1=1), usage(a1=2)[0] | {"hour": f"{BEFORE}T09:00:00Z"}],
        window=(BEFORE, NEXT),
    )
    load("usage_hours", usage(a1="x"), window=(BEFORE, NEXT))

    assert current(con, "billing_days", "date, provider") == [(BEFORE, "p"), (DAY, "7")]
    assert current(con, "run_costs", "run_id, cost_usd") == [("other", 1), ("r1", 2)]
    assert current(con, "agent_versions", "agent_id, status") == [("b", "active")]
    assert current(con, "agent_rollups", "agent_id") == [("a",)]
    assert current(con, "usage_hours", "date, tokens_in") == [(DAY, 1)]


def test_an_agents_limits_are_exact(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """Limits are stored digit for digit; one that is missing, null or no object is null."""
    configs = {
        "a": b'{"max_budget": 0.1000000001, "timeout_minutes": 60}',
        "b": b'{"max_budget": 1, "timeout_minutes": null}',
        "c": None,
        "d": "none",
    }
    agents = [{"id": agent_id, "config": config} for agent_id, config in configs.items()]
    loaded = load("agents", [*agents, {"id": "e"}])

    assert loaded.quarantined_count == 0
    assert current(con, "agents", "agent_id, max_budget_usd, timeout_minutes") == [
        ("a", Decimal("0.1000000001"), 60),
        ("b", Decimal(1), None),
        *((agent_id, None, None) for agent_id in "cde"),
    ]


def test_versions_are_due_of_agents_that_only_sums_name(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """Versions are read of an agent that no list shows but a roll-up; the platform has none."""
    load("agent_rollups", [{"agent_id": "a"}, {"agent_id": None}], window=(DAY, NEXT))

    assert agents_with_unread_versions(Store(con, "w1")) == ["a"]


def test_which_runs_wait_to_settle(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """A run is provisional until it was read 48 hours or more after its end, if that is known.

    So is an open run that was given up, and is listed again as it was.
    """
    ended = {hours: (READ_AT - timedelta(hours=hours)).isoformat() for hours in (47, 49, 1000)}
    began = dict.fromkeys(("created_at", "started_at"), ended[1000])
    runs = [
        run_record("open", status="running", finished_at=None),
        run_record("a status that is new", **began, status="dreaming", finished_at=ended[1000]),
        run_record("ended lately", **began, status="failed", finished_at=ended[47]),
        run_record("ended long ago", **began, status="failed", finished_at=ended[49]),
        run_record("no end known", status="cancelled", finished_at=None),
    ]
    load("runs", runs)

    asked = "select run_id from ledger.provisional_runs"
    assert {*con.execute(asked).fetchall()} == {
        (run["id"],) for run in runs if run["id"] != "ended long ago"
    }
    con.execute("delete from ledger.provisional_runs")  # they were given up
    load("runs", runs[:1])
    assert con.execute(asked).fetchall() == [("open",)]


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
    created_at = "2026-11-17T23:00:00Z"
    run = run_record(
        created_at=created_at, started_at=created_at, finished_at="2026-11-19T01:00:00Z"
    )

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
