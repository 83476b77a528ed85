"""Names in the pack, and on the command line: which of several is meant, and which is missing."""

from __future__ import annotations

from datetime import date

import pytest

from analytics.errors import UsageError
from analytics.files import folder
from analytics.query.agents import find_agent
from tests.queries.sample import fill
from tests.transform.given import Warehouse


def test_each_mart_has_the_names_of_agents(warehouse: Warehouse) -> None:
    """Where a mart has a row of an agent, it calls it as `dim_agents` does.

    Changes of closed months, of which the sample has none, are cases of `tests/models`.
    """
    fill(warehouse)
    warehouse.build_all()
    tables = warehouse.rows("""
        select table_name from information_schema.columns
        where table_schema = 'marts' and column_name in ('agent_id', 'agent_name')
        group by table_name having count(*) = 2
    """)
    compared = {
        table: warehouse.row(f"""
            select count(*) > 0, bool_and(rows.agent_name is not distinct from agents.agent_name)
            from marts.{table} as rows
            left join marts.dim_agents as agents using (workspace_id, agent_id)
        """)
        for (table,) in tables
    }

    of_closed = {"fct_charge_adjustments", "fct_period_adjustments"}
    wrong = {table: found for table, found in compared.items() if found != (True, True)}
    assert wrong == dict.fromkeys(of_closed, (False, None))


def test_one_name_is_told_apart(warehouse: Warehouse) -> None:
    """Where a name does not tell which is meant, the identifier does, or the slug."""
    warehouse.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Bakery")
    for workspace_id in ("w-1", "w-2"):
        warehouse.given("runs", workspace_id=workspace_id, agent_id=None)
    for agent_id, slug, name in (
        ("a-1", "baker", "Baker"),
        ("a-2", "baker", "Baker"),
        ("a-3", "miller", "Miller"),
        ("a-4", "miller-2", "Miller"),
        ("a-5", "alone", "Alone"),
    ):
        warehouse.given("agents", agent_id=agent_id, agent_name=name, agent_slug=slug)
        warehouse.given("runs", run_id=agent_id, agent_id=agent_id)
    warehouse.build_all()
    sql = (folder("queries") / "pack" / "lines.sql").read_text(encoding="utf-8")
    found = warehouse.con.execute(
        f"select agent_name from ({sql}) where agent_id like 'a-%' order by agent_id",
        {"month": date(2026, 11, 1)},
    ).fetchall()

    assert [name for (name,) in found] == [
        "Baker (a-1)", "Baker (a-2)", "Miller (miller)", "Miller (miller-2)", "Alone",
    ]  # fmt: skip
    with pytest.raises(UsageError, match=r"Say which with --workspace: w-1: .*; w-2: "):
        find_agent(warehouse.con, "(none)", "Bakery")
