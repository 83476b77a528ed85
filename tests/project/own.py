"""A small published file with what pages of one's own need, and pages made from it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from analytics.bounded.limits import Limits
from analytics.bounded.runner import Runner
from analytics.project.files import UserFile
from analytics.project.pages import answer_pages, parse_pages
from analytics.report.entities import QUERIES
from analytics.report.rendering import About
from analytics.report.site import SiteSummary, build_site
from analytics.transform.page_queries import create_queries
from analytics.warehouse.database import open_marts

ABOUT = About(datetime(2026, 11, 20, 6, tzinfo=UTC), "0.1.0", "Europe/Berlin")
LIMITS = Limits(seconds=60, memory="200MB")
NAMES = "'Baker', '<b>Miller</b>', 'Shared name', 'Shared name'"

_MARTS = f"""
create schema marts; create schema audit; create schema reports;
create table lines as
    select 'w' || (1 + i // 3) as workspace_id, 'Workspace ' || (1 + i // 3) as workspace_name,
        'a' || i as agent_id, ([{NAMES}])[i + 1] as agent_name, 'slug-' || i as agent_slug,
        'agent' as line_type
    from range(4) as t (i);
create table marts.fct_agent_days as
    select workspace_id, agent_id, agent_name, date '2026-09-28' + n::int as date,
        ((n * 7 + i) % 10 + 0.0000000001)::decimal(38, 10) as cost_usd,
        (n * 3 + i) % 50 as run_count, (n + i) % 3 as failed_count
    from (select *, row_number() over () - 1 as i from lines), range(54) as days (n);
create table marts.fct_agent_months as
    select workspace_id, agent_id, agent_name, date_trunc('month', date)::date as month,
        sum(cost_usd) as cost_usd, sum(run_count)::bigint as run_count
    from marts.fct_agent_days group by all;
create table reports.rpt_headlines as
    select *, null::varchar as owner, date '2026-11-20' as today,
        today - 1 as yesterday, timestamptz '2026-11-20 06:00Z' as as_of,
        'Europe/Berlin' as timezone, 1.0 as recent_cost_usd, date '2026-11-20' as last_date
    from (
        select * from lines
        union all by name
        select distinct workspace_id, workspace_name, '(all)' as agent_id, 'workspace' as line_type
        from lines
        union all by name
        select '(all)' as workspace_id, '(all)' as agent_id, 'site' as line_type);
create table reports.rpt_dates as
    select '(all)' as workspace_id, date '2026-09-28' + n::int as date,
        if(n = 53, 'provisional', 'complete') as state, true as has_agent_bill
    from range(54) as days (n);
create table reports.rpt_months as
    select workspace_id, agent_id, unnest([date '2026-09-01', date '2026-10-01',
        date '2026-11-01']) as month from reports.rpt_headlines;
drop table lines;
"""


def make_marts(file: Path) -> None:
    """Write the file; `fct_agent_days` has four agents in two workspaces, and 54 days."""
    with duckdb.connect(file) as con:
        con.execute(_MARTS)


def make_pages(marts: Path, target: Path, texts: dict[str, str]) -> SiteSummary:
    """Make pages of these texts by name, with what they need, into the new folder `target`."""
    files: Iterable[UserFile] = [
        UserFile("page", f"reports/pages/{name}.sql", name, text) for name, text in texts.items()
    ]
    target.mkdir()
    with Runner(LIMITS) as runner, open_marts(marts) as con:
        create_queries(con, QUERIES)
        pages = parse_pages(list(files), runner)
        own = answer_pages(runner, marts, pages)
        return build_site(con, target, about=ABOUT, pages={}, own_pages=own)
