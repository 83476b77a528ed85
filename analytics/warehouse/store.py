"""The rows of one workspace in an open warehouse, and the agents that they name."""

from __future__ import annotations

from typing import Any

import duckdb

from analytics.warehouse.landed import LAST_STEP

# Agents that were ever heard of, from each place that names them.
AGENTS_HEARD_OF = """
    select agent_id from raw.agents where {mine}
    union select agent_id from raw.agent_rollups where {mine} and agent_id is not null
    union select agent_id from ledger.list_snapshots where {mine} and agent_id is not null
"""

# Of an agent that is no longer in the list.
IS_GONE = """
    agent_id not in (
        select agent_id from raw.agents anti join raw.superseded using (version_id) where {mine}
    )
"""


class Store:
    """The rows of a workspace in an open warehouse."""

    def __init__(self, con: duckdb.DuckDBPyConnection, workspace_id: str) -> None:
        self.con = con
        self._workspace_id = workspace_id

    def begin(self, api: str | None, api_key_env: str | None) -> None:
        """Record the API's address and the setting that names the key; a rebuild passes neither."""
        if not self.run("select 1 from ledger.workspaces where {mine}"):
            self.run("insert into ledger.workspaces (workspace_id) values ($workspace_id)")
        self.run(
            "update ledger.workspaces set api = $api, api_key_env = $api_key_env where {mine}",
            api=api,
            api_key_env=api_key_env,
        )

    @property
    def last_complete(self) -> str:
        """The load that completed the last batch; empty if none is complete."""
        loads = f"ledger.loads where {{mine}} and step = '{LAST_STEP}'"
        return str(self.one(f"select coalesce(max(load_id), '') from {loads}"))

    def one(self, sql: str, **values: Any) -> Any:
        """Return the value of the one row of a query."""
        ((value,),) = self.run(sql, **values)
        return value

    def column(self, sql: str, **values: Any) -> list[Any]:
        """Return the values of a query of one column."""
        return [value for (value,) in self.run(sql, **values)]

    def run(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Run SQL, in which `{mine}` selects the rows of this workspace; return its rows."""
        sql = sql.replace("{mine}", "workspace_id = $workspace_id")
        return self.con.execute(sql, values | {"workspace_id": self._workspace_id}).fetchall()


def agent_ids(store: Store) -> set[str]:
    """Return all agents that any stored record names."""
    return {*store.column(AGENTS_HEARD_OF)}
