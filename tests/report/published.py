"""Two batches of the emulator's demo world, published, and SQL on them to hold the pages to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
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
from tests.conftest import NOW
from tests.hostile import add_hostile_agents

TIMEZONE = "Europe/Berlin"  # so that no day of a report is one of the API's UTC days
DAYS = 64  # a month that is whole, and clocks that are put back
_SETTINGS = f"""
[reporting]
timezone = "{TIMEZONE}"
[extract]
history_days = {DAYS}
details_per_batch = 120
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
    with running(world) as api, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        tables = ""
        for number, workspace in enumerate(world.workspaces):
            patch.setenv(f"KEY_{number}", workspace.api_key)
            tables += f'[[workspaces]]\napi_key_env = "KEY_{number}"\napi = "{api.url}"\n'
        Path("analytics.toml").write_text(tables + _SETTINGS, encoding="utf-8")
        nightly(load_settings(), Progress())
        world.pass_time(timedelta(days=1))
        nightly(load_settings(), Progress())


_VIEWS = """
set timezone = 'UTC';
-- Which runs a question is of: variables hold workspaces and agents ('' for none), null for all.
create view runs as
    select r.*, (created_at at time zone 'TIMEZONE') as local, local::date as day
    from published.marts.fct_runs as r
    where coalesce(list_contains(getvariable('workspaces')::varchar[], workspace_id), true)
        and coalesce(list_contains(getvariable('agents')::varchar[], coalesce(agent_id, '')), true);
create view hidden as
    select g.*, date as day from published.marts.fct_listing_gaps as g
    where coalesce(list_contains(getvariable('workspaces')::varchar[], workspace_id), true)
        and coalesce(list_contains(getvariable('agents')::varchar[], coalesce(agent_id, '')), true);
-- Listed runs a row each, and hidden ones a row for each agent and day, with how many they are.
create view every as
    select workspace_id, agent_id, day, 1 as listed, 0 as missing, status, is_terminal,
        cost_usd as listed_usd, null::decimal(38,10) as hidden_usd, cost_usd::decimal(38,10) as usd,
        tokens_in, tokens_out
    from runs
    union all by name
    select workspace_id, agent_id, day, 0 as listed, missing_run_count as missing,
        missing_cost_usd as hidden_usd, missing_cost_usd::decimal(38,10) as usd
    from hidden;
create view names as
    select workspace_id, agent_id, coalesce(agent_name, agent_slug, agent_id) as name
    from published.marts.dim_agents
    union all select workspace_id, null, 'No agent' from published.marts.dim_workspaces;
-- The days that were read: from the first that the meters tell of.
create view first_days as
    select workspace_id, min(date) as first_day from published.audit.reconciliation_days
    where coalesce(list_contains(getvariable('workspaces')::varchar[], workspace_id), true)
    group by workspace_id;
-- What runs cost with each model: of hidden ones, an agent's day is split as its metered usage is,
-- and not at all where that of a held run is not known.
create view models as
    select workspace_id, agent_id, day, model, provider, c.cost_usd::decimal(38,10) as usd,
        c.tokens_in, c.tokens_out
    from runs join published.marts.fct_run_models as c using (workspace_id, run_id)
    union all by name
    select workspace_id, agent_id, day, model, provider,
        round(hidden.missing_cost_usd * used_usd / all_used_usd, 10)::decimal(38,10) as usd
    from hidden join (
        select workspace_id, agent_id, date, model, provider,
            greatest(missing_cost_usd, 0) as used_usd, sum(used_usd) over day as all_used_usd,
            count(*) over day = count(missing_cost_usd) over day as is_known
        from published.marts.fct_listing_gap_models
        window day as (partition by workspace_id, agent_id, date)
    ) using (workspace_id, agent_id, date)
    where is_known and all_used_usd > 0 and hidden.missing_cost_usd is not null;
create macro runs_in_words(number, more) as if(coalesce(number, 0) = 0, null,
    format('{:,} run', number::bigint) || if(number = 1, '', 's') || more);
"""


class Asked:
    """Asks the published file, of some workspaces and agents and of some days."""

    def __init__(self, published: Path) -> None:
        self._con = duckdb.connect()
        self._con.execute(f"attach '{published}' as published (read_only)")
        self._con.execute(_VIEWS.replace("TIMEZONE", TIMEZONE))

    def of(
        self, workspaces: Iterable[str] | None = None, agents: Iterable[str] | None = None
    ) -> Asked:
        """Narrows what is asked from now on; an empty agent id stands for runs of no agent."""
        for name, ids in (("workspaces", workspaces), ("agents", agents)):
            self._con.execute(f"set variable {name} = ?", [None if ids is None else list(ids)])
        return self

    def rows(self, sql: str, **days: date | int) -> list[dict[str, Any]]:
        """The rows of a question, by the names of their columns; `$first` and the like are days."""
        used = {name: value for name, value in days.items() if f"${name}" in sql}
        found = self._con.execute(sql, used)
        names = [column for column, *_ in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def row(self, sql: str, **days: date | int) -> dict[str, Any]:
        """The only row of a question."""
        (row,) = self.rows(sql, **days)
        return row
