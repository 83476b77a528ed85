"""Names in the pack, and on the command line: which of several is meant, and which is missing."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from analytics.errors import UsageError
from analytics.published.agents import find_agent
from analytics.resources import folder
from tests.transform.given import Warehouse


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


def test_the_pack_names_who_is_left_out_of_the_bridge() -> None:
    """The first step of a bridge names the workspaces that it lacks."""
    sql = (folder("queries") / "pack" / "bridge.sql").read_text(encoding="utf-8")
    of = "'(all)' as workspace_id, date '2026-10-01' as month, date '2026-09-01' as previous_month"
    with duckdb.connect() as con:
        con.execute(f"""
            create schema reports;
            create table reports.rpt_month_bridge as
            select {of}, step_number, '' as step, 1 as amount_usd, 'Billed.' as comment,
                '' as driver_name, '' as driver_model, true as is_total, 'Gone' as left_out_names
            from (values (1), (14)) as steps(step_number);
        """)
        found = con.execute(f"select comment from ({sql})", {"month": date(2026, 10, 1)}).fetchall()

    assert [comment for (comment,) in found] == [
        "Billed. Not among them, as a month was not read whole, or its bill is unknown: Gone.",
        "Billed.",
    ]
