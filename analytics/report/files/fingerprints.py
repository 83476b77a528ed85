"""What a page is made of, as a short text that differs when any of it does."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.resources import folder

if TYPE_CHECKING:
    import duckdb

    from analytics.report.marts.rows import AgentKey

# Hashes are added, not combined by "exclusive or": two equal rows must not cancel out.
_OF_AGENTS = """
with
rows as (
    select workspace_id, agent_id, hash('agent', a) as h from marts.dim_agents as a
    union all
    select workspace_id, agent_id, hash('run', r) from marts.fct_runs as r
    union all
    select workspace_id, agent_id, hash('day', d) from marts.fct_agent_days as d
    union all
    select workspace_id, agent_id, hash('usage', m) from marts.fct_model_days as m
    union all
    select r.workspace_id, r.agent_id, hash('model', c)
    from marts.fct_run_models as c join marts.fct_runs as r using (workspace_id, run_id)
    union all
    select r.workspace_id, r.agent_id, hash('events', r.run_id, e.event_count)
    from (
        select workspace_id, run_id, count(*) as event_count
        from marts.fct_log_events group by all
    ) as e join marts.fct_runs as r using (workspace_id, run_id)
)
select workspace_id, agent_id, sum(h)::varchar from rows group by all"""


def of_code() -> str:
    """The modules, templates and texts that make pages."""
    digest = sha256()
    for root in (Path(__file__).parents[1], folder("reports")):
        for file in sorted(root.rglob("*.*")):
            if file.suffix != ".pyc":
                digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def of_agents(con: duckdb.DuckDBPyConnection) -> dict[AgentKey, str]:
    """All rows of each agent."""
    return {(row[0], row[1]): row[2] for row in con.execute(_OF_AGENTS).fetchall()}


def together(*parts: object) -> str:
    """Several inputs as one."""
    return sha256(repr(parts).encode()).hexdigest()
