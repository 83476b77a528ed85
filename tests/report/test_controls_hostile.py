"""Hostile names on the pages Reconciliation and Data quality."""

from __future__ import annotations

import re
from datetime import date

import duckdb
import pytest

from tests.report import marts
from tests.report.conftest import BuildSite

DAY = date(2026, 3, 10)
HOSTILE = ["<script>alert(1)</script>", "=cmd()|'/c calc'!A1", "{{ 7 * 7 }}", "\u202eevil", "🍞"]


def _named(name: str) -> duckdb.DuckDBPyConnection:
    con = marts.empty()
    marts.workspace(con, name)
    marts.agent(con, name, agent_id=name)
    ours = {"workspace_id": "ws", "agent_id": name}
    usd_ = dict.fromkeys(
        ("metered_cost_usd", "run_cost_usd", "open_cost_usd", "platform_cost_usd",
         "unlisted_cost_usd", "timing_difference_usd", "unexplained_usd"), 1,
    )  # fmt: skip
    marts.insert(
        con, "reconciliation_days", workspace_id="ws", utc_date=DAY, status="unreconciled", **usd_
    )
    marts.insert(con, "reconciliation_agents", utc_date=DAY, **ours, **usd_)
    for number, step in enumerate(("cost of runs", "metered", "surcharge", "billed"), start=1):
        marts.insert(
            con, "month_bridge", workspace_id="ws", month=DAY.replace(day=1), step_number=number,
            step=step, amount_usd=1, comment=name,
        )  # fmt: skip
    marts.insert(con, "fct_agent_billing_days", cost_usd=1, billed_usd=1, utc_date=DAY, **ours)
    marts.insert(con, "fct_billing_days", workspace_id="ws", utc_date=DAY, provider=name)
    marts.insert(con, "dim_provider_keys", workspace_id="ws", provider=name, is_listed=True)
    marts.insert(con, "given.unlisted_days", run_count=10**15, date=DAY, **ours)
    marts.insert(
        con, "fct_adjustments", previous_cost_usd=1, current_cost_usd=2, previous_run_count=1,
        current_run_count=1, load_id=name, cause=name, date=DAY, **ours,
    )  # fmt: skip
    marts.insert(con, "quarantined_records", workspace_id="ws", source=name, reason=name)
    marts.insert(con, "loads", workspace_id="ws", load_id=name, step=name)
    marts.run(con, DAY, agent_id=name, run_id=name, status=name, cost_usd=None)
    marts.insert(
        con, "check_results", check_name=name, claim=name, violation_count=1, is_ok=False,
        control=name, finding=name, sources=f"{name} | {name}",
    )  # fmt: skip
    marts.insert(
        con, "control_findings", check_name=name, control=name, finding_number=1, finding_count=2,
        run_id=name, provider=name, measure=name, ours=1, theirs=2, **ours,
    )  # fmt: skip
    return marts.derive(con)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_makes_no_element(name: str, build: BuildSite) -> None:
    """Whatever an agent, a provider, a load or a finding is called, the pages are built alike."""
    hostile = build(_named(name), "hostile").controls
    harmless = build(_named("Baker"), "harmless").controls

    for page, twin in zip(hostile, harmless, strict=True):
        assert [each.tag for each in page.root.everything()] == [
            each.tag for each in twin.root.everything()
        ]
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", page.source)
