"""Runs that move to another workspace with their agent: the same id, agent and creation.

The workspace whose API still returns such a run keeps it. A load of the step `moved` holds the
answers: a run that the API does not know there is no longer in force in its workspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from analytics.warehouse.store import AGENTS_HEARD_OF, Store

MOVED_STEP = "moved"

_IN_FORCE = "raw.{} anti join raw.superseded using (version_id)"
_RUNS = _IN_FORCE.format("runs")
_HEARD_OF_ELSEWHERE = AGENTS_HEARD_OF.replace("{mine}", "not {mine}")


def shared_runs(store: Store) -> list[str]:
    """Return the runs of this workspace that another one has, too."""
    return store.column(f"""
        with runs as (
            from {_RUNS}
            where agent_id in (({AGENTS_HEARD_OF}) intersect ({_HEARD_OF_ELSEWHERE}))
        )
        select run_id from runs where {{mine}}
            and (run_id, agent_id, created_at) in (
                select (run_id, agent_id, created_at) from runs where not {{mine}}
            )
    """)


def arrived_agents(store: Store, listed: set[str]) -> set[str]:
    """Return those of the listed agents whose runs another workspace has."""
    return {
        *store.column(
            f"""
            select agent_id from {_RUNS}
            where not {{mine}} and list_contains($listed, agent_id)
                and agent_id in ({_HEARD_OF_ELSEWHERE})
            """,
            listed=[*listed],
        )
    }


def arrived_days(store: Store, agents: set[str]) -> set[date]:
    """Return the UTC days of all that other workspaces have of agents that arrived here."""
    return _days_of(store, "not {mine}", [*agents])


def arrived_runs(store: Store, agents: set[str]) -> list[str]:
    """Return the runs that other workspaces have of agents that arrived here.

    Runs that are in force here are left out, and those that the API did not know since it has
    listed the agent.
    """
    return store.column(
        f"""
        select distinct run_id
        from (from {_RUNS} where not {{mine}} and list_contains($agents, agent_id)) as runs
        join (
            select agent_id, seen_at as listed_at from {_IN_FORCE.format("agents")} where {{mine}}
        ) using (agent_id)
        anti join (from {_RUNS} where {{mine}}) using (run_id)
        anti join (
            select run_id, fetched_at from ledger.requests
            where {{mine}} and source = 'runs' and status = 404
        ) as unknown on unknown.run_id = runs.run_id and fetched_at >= listed_at
        """,
        agents=[*agents],
    )


def take_away(store: Store, load_id: str) -> tuple[int, set[date]]:
    """Take away the runs that the API did not know; return the number of records, and UTC days.

    These are the days of all that the workspace has of their agents. `load_requests` holds the
    requests of the load. The API counts no day of long ago again, so that counts go with the runs.
    """
    gone = store.run(f"""
        select run_id, agent_id from {_RUNS}
        where {{mine}} and run_id in (
            select run_id from load_requests where source = 'runs' and status = 404
        )
    """)
    runs, agents = [run_id for run_id, _ in gone], [*{agent_id for _, agent_id in gone}]
    days = _days_of(store, "{mine}", agents)
    records = 0
    for source, key, keys in (
        ("runs", "run_id", runs), ("run_costs", "run_id", runs), ("run_log_events", "run_id", runs),
        ("run_counts", "agent_id", agents),
    ):  # fmt: skip
        records += store.one(
            f"""
            insert into raw.superseded
            select version_id, $workspace_id, $load_id from {_IN_FORCE.format(source)}
            where {{mine}} and {key} in (select unnest($keys::varchar[]))
            """,
            load_id=load_id,
            keys=keys,
        )
    return records, days


def _days_of(store: Store, whose: str, agents: Sequence[str]) -> set[date]:
    """Return the UTC days with a roll-up, usage or a bill of agents."""
    days = " union ".join(
        f"select date from {_IN_FORCE.format(source)}"
        f" where {whose} and list_contains($agents, agent_id)"
        for source in ("agent_rollups", "usage_hours", "agent_billing_days")
    )
    return {*store.column(days, agents=agents)}
