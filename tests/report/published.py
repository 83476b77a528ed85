"""Two batches of the emulator's demo world, published, and SQL on them to hold the pages to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.batch.nightly import nightly
from analytics.batch.progress import Progress
from analytics.emulator.records import Agent
from analytics.emulator.server import running
from analytics.emulator.world import World
from analytics.settings import load_settings
from tests.batches import few_details, without_pages
from tests.conftest import optimized
from tests.hostile import add_hostile_agents
from tests.report.pages import Page
from tests.worlds import NOW

TIMEZONE = "Europe/Berlin"  # so that no day of a report is one of the API's UTC days
DAYS = 54  # a month that is whole, and clocks that are put back
_SETTINGS = f"""
[reporting]
timezone = "{TIMEZONE}"
[extract]
history_days = {DAYS}
"""
# Agents of one workspace change hands within October, and one owner has a hostile name; the other
# workspace has no owner.
_OWNERS = """workspace,agent,cost_center,account,owner,valid_from,valid_to
northlight studio,*-*,CC-100,6200,Operations,2026-09-25,2026-10-15
Northlight*,*-*,CC-150,6200,<b>Söhne & Co</b>,2026-10-16,
*,shader-*,,,=Support(),,
*,render-queue-watch,CC-200,,,,
"""
# Of this month, the last one and the next one; one workspace has no budget.
_BUDGETS = "scope,name,workspace,month,amount_usd\n" + "".join(
    f"all,,,{month},100000\nworkspace,Northlight Studio,,{month},1\n"
    f"cost_center,CC-150,northlight studio,{month},100000\nagent,<b>nobody</b>,,{month},1\n"
    for month in ("2026-10", "2026-11", "2026-12")
)
_INVOICES = """invoice_id,workspace,month,issued_on,amount_usd,credit_usd,tax_usd
=<i>LEV</i>,northlight studio,2026-10,2026-11-02,1234.5,0.25,3.1
"""
_OUTCOMES = """outcome_id,date,workspace,agent,outcome,count,value_usd
o-1,2026-10-05,Northlight Studio,{agent},Pull request,3,1200.5
o-2,2026-10-31,Northlight Studio,{agent},=<b>Ticket</b>,1,
"""


def _run_expensively(world: World, agent: Agent, moment: datetime) -> None:
    """An agent spends on a single run what it does not in a month."""
    run = world.start_run(agent, at=moment)
    world.launch_run(run, at=moment + timedelta(seconds=5))
    world.meter(
        run, model="claude-opus-5-5", provider="anthropic", tokens_in=10**6, tokens_out=10**5,
        cost_usd=Decimal("7.125"), at=moment + timedelta(seconds=30),
    )  # fmt: skip
    world.finish_run(run, "succeeded", at=moment + timedelta(minutes=1))


def publish(folder: Path) -> None:
    """Reads the world on two mornings into `folder`/data; what it made stays as it is."""
    world = World.demo(1, NOW, history_days=DAYS)
    final = [
        run
        for run in world.workspaces[1].agent_runs
        if run.status == "succeeded" and run.created_at < NOW - timedelta(days=4)
    ]
    world.override_record(final[-1].id, {"cost_usd": None})  # metered, but not told
    add_hostile_agents(world, world.workspaces[1])
    _run_expensively(
        world, next(iter(world.workspaces[0].agents.values())), NOW - timedelta(hours=30)
    )
    with (
        optimized(),
        few_details(120),
        running(world) as api,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.chdir(folder)
        tables = ""
        for number, workspace in enumerate(world.workspaces):
            patch.setenv(f"KEY_{number}", workspace.api_key)
            tables += f'[[workspaces]]\napi_key_env = "KEY_{number}"\napi = "{api.url}"\n'
        Path("analytics.toml").write_text(tables + _SETTINGS, encoding="utf-8")
        Path("finance").mkdir()
        Path("finance/owners.csv").write_text(_OWNERS, encoding="utf-8")
        Path("finance/budgets.csv").write_text(_BUDGETS, encoding="utf-8")
        Path("finance/invoices.csv").write_text(_INVOICES, encoding="utf-8")
        slug = next(iter(world.workspaces[0].agents.values())).slug
        Path("finance/outcomes.csv").write_text(_OUTCOMES.format(agent=slug), encoding="utf-8")
        with without_pages():  # those of the second batch replace them
            nightly(load_settings(), Progress())
        world.pass_time(timedelta(days=1))
        nightly(load_settings(), Progress())


_LOCAL = f"""
set timezone = 'UTC';
create view runs as
    select *, (created_at at time zone '{TIMEZONE}')::date as day from published.marts.fct_runs
"""


class Asked:
    """Asks the published file of what a page is of."""

    def __init__(self, published: Path) -> None:
        self._con = duckdb.connect()
        self._con.execute(f"attach '{published}' as published (read_only); {_LOCAL}")

    def rows(
        self, sql: str, page: Page | None = None, agents: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Rows by the names of columns; `@MINE` is true of what the page, or some agents, are."""
        keys = page.root.all("body")[0].attributes if page else {}
        agents = agents or [keys.get("data-agent", "(all)")]
        mine = [f"workspace_id = '{keys['data-workspace']}'"] if keys else []
        mine += [f"list_contains({[*agents]}, agent_id)"] if agents != ["(all)"] else []
        found = self._con.execute(sql.replace("@MINE", " and ".join(mine) or "true"))
        names = [column for column, *_ in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def row(self, sql: str, page: Page | None, agents: Sequence[str] = ()) -> dict[str, Any]:
        """The only row of a question."""
        (row,) = self.rows(sql, page, agents)
        return row
