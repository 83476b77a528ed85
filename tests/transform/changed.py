"""A small warehouse, and changes of it that reach further than the records that they bring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from analytics.transform.build import build
from analytics.transform.checks import run_checks
from tests.transform.given import WORKSPACE, Warehouse

NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)
BATCH_AT = datetime(2026, 11, 21, 5, tzinfo=UTC)

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
    read_meters(warehouse, first["load_id"], since="2026-11-10")
    for agent in ("a-1", "a-2", "a-3", "a-4"):
        warehouse.given("agents", agent_id=agent, agent_name=agent.upper(), **first)
    for agent in ("a-1", "a-2"):
        warehouse.given("usage_hours", agent_id=agent, cost_usd="1.5", **first)
    for number, run_id in enumerate(RUNS):
        warehouse.given("runs", **run(run_id, created_at=made_at(run_id, number)), **first)
    build(warehouse.con, timezone="UTC")
    run_checks(warehouse.con)


def read_meters(warehouse: Warehouse, load: str, *, since: str) -> None:
    """Record that hourly usage was read, up to the day of the last batch."""
    warehouse.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id=load, request=1, source="usage_hours",
        status=200, window_start=since, window_end="2026-11-22", fetched_at=BATCH_AT,
    )  # fmt: skip


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
        warehouse.insert(
            "ledger.provisional_runs", workspace_id=WORKSPACE, run_id=run_id,
            created_at=made_at(run_id),
        )  # fmt: skip
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


def move_to_another_session(warehouse: Warehouse, load: str) -> None:
    """A run of today is read again as one of a session that began a week before."""
    read_again(warehouse, load, "r-1", session_id="s-5")


def change_its_old_session(warehouse: Warehouse, load: str) -> None:
    """What the other run there costs; the one that left is touched, too."""
    read_again(warehouse, load, "r-0", cost_usd="2.25")


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
    """Usage and runs that name no agent, on days that have no other, and usage within an hour."""
    warehouse.given("usage_hours", agent_id="a-1", hour="2026-11-19 12:30Z", load_id=load)
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
    """A run of October, a part of whose cost is metered on the 15th; it might be until the 20th."""
    read_meters(warehouse, load, since="2026-10-01")
    day = {"agent_id": "a-5", "seen_at": "2026-10-03 05:00Z", "load_id": load}
    run_of = {"run_id": "r-30", "cost_usd": 5, "tokens_in": 0}
    times = {"created_at": "2026-10-02 22:00Z", "finished_at": "2026-10-02 23:00Z"}
    warehouse.given("runs", **run_of, **times, **day)
    warehouse.given("run_costs", **run_of, ended_at="2026-10-20 01:00Z", load_id=load)
    warehouse.given("agent_rollups", date="2026-10-02", run_count=1, cost_usd=5, **day)
    for date, cost in (("2026-10-02", 3), ("2026-10-15", 2)):
        warehouse.given("usage_hours", hour=f"{date} 22:00Z", date=date, cost_usd=cost, **day)


def read_its_last_request_again(warehouse: Warehouse, load: str) -> None:
    """It was of the 10th: the 15th, of which nothing changed, has too much."""
    (version,) = warehouse.row("select version_id from raw.run_costs where run_id = 'r-30'")
    warehouse.replaced(
        version, "run_costs", run_id="r-30", cost_usd=5, tokens_in=0, load_id=load,
        ended_at="2026-10-10 01:00Z",
    )  # fmt: skip


def read_meters_of_months(warehouse: Warehouse, load: str) -> None:
    """Usage of three months is read, and an own key that was there from October on."""
    read_meters(warehouse, load, since="2026-09-01")
    warehouse.given("provider_keys", load_id=load, created_at="2026-10-01 00:00Z")


def use_a_key_later(warehouse: Warehouse, load: str) -> None:
    """Usage by it, ten days after its run was last seen: what it was for is not known yet."""
    of = {"agent_id": "a-5", "load_id": load, "cost_usd": 4}
    warehouse.given(
        "runs", run_id="r-40", created_at="2026-10-02 12:00Z", finished_at="2026-10-02 13:00Z",
        seen_at="2026-10-03 05:00Z", **of,
    )  # fmt: skip
    warehouse.given(
        "usage_hours", provider="anthropic", model="claude-sonnet-5", hour="2026-10-12 12:00Z",
        date="2026-10-12", **of,
    )  # fmt: skip
    warehouse.given("agent_billing_days", date="2026-10-12", billed_usd=0, **of)


def read_what_it_was_for(warehouse: Warehouse, load: str) -> None:
    warehouse.given(
        "run_costs", run_id="r-40", cost_usd=4, tokens_in=0, tokens_out=0, load_id=load,
        started_at="2026-10-12 12:10Z", ended_at="2026-10-12 12:20Z",
    )  # fmt: skip


def run_without_an_agent(warehouse: Warehouse, load: str) -> None:
    """It ends on the first of October, and is seen on the next day."""
    warehouse.given("runs", **_of_no_agent("r-50", 1, load) | {"seen_at": "2026-10-02 05:00Z"})


def move_its_day(warehouse: Warehouse, load: str) -> None:
    """It is read again, weeks later, as a run of the tenth that costs more."""
    version = version_of(warehouse, "r-50")
    warehouse.replaced(version, "runs", **_of_no_agent("r-50", 10, load) | {"cost_usd": 4})


def run_beside_it(warehouse: Warehouse, load: str) -> None:
    """A run of the day after touches that of the tenth, not that of the first."""
    warehouse.given("runs", **_of_no_agent("r-51", 11, load))


def _of_no_agent(run_id: str, day: int, load: str) -> dict[str, Any]:
    return {
        "run_id": run_id, "agent_id": None, "session_id": None, "cost_usd": 1, "tokens_in": 0,
        "tokens_out": 0, "created_at": f"2026-10-{day:02} 12:00Z",
        "finished_at": f"2026-10-{day:02} 13:00Z", "seen_at": "2026-10-24 05:00Z", "load_id": load,
    }  # fmt: skip


def cost_what_is_metered(warehouse: Warehouse, load: str) -> None:
    """An agent's only run costs what the roll-up and the meter have."""
    of = {"agent_id": "a-5", "load_id": load, "cost_usd": 4, "tokens_in": 0, "tokens_out": 0}
    warehouse.given("runs", **_of_a_day_before(load) | of)
    warehouse.given("agent_rollups", date="2026-11-05", run_count=1, **of)
    warehouse.given("usage_hours", hour="2026-11-05 10:00Z", date="2026-11-05", **of)


def cost_the_last_digit_more(warehouse: Warehouse, load: str) -> None:
    """A difference of nothing is one of the tenth decimal below nothing."""
    warehouse.replaced(
        version_of(warehouse, "r-60"), "runs",
        **_of_a_day_before(load) | {"cost_usd": "4.0000000001", "tokens_in": 0, "tokens_out": 0},
    )  # fmt: skip


def _of_a_day_before(load: str) -> dict[str, Any]:
    return {
        "run_id": "r-60", "agent_id": "a-5", "created_at": "2026-11-05 10:00Z",
        "finished_at": "2026-11-05 10:10Z", "seen_at": "2026-11-05 12:00Z", "load_id": load,
    }  # fmt: skip
