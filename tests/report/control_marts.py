"""The marts that the pages Reconciliation and Data quality read, made up beside those of runs."""

from __future__ import annotations

TABLES = """
create table audit.reconciliation_days (
    workspace_id varchar, date date, metered_cost_usd decimal(38,10),
    run_cost_usd decimal(38,10), open_cost_usd decimal(38,10), platform_cost_usd decimal(38,10),
    gap_cost_usd decimal(38,10), edge_usd decimal(38,10), unexplained_usd decimal(38,10),
    status varchar);
create table audit.reconciliation_agents (
    workspace_id varchar, date date, agent_id varchar, cost_usd decimal(38,10),
    run_cost_usd decimal(38,10), open_cost_usd decimal(38,10), platform_cost_usd decimal(38,10),
    gap_cost_usd decimal(38,10), unexplained_usd decimal(38,10));
create table audit.controls (
    workspace_id varchar, control varchar, measure varchar, unit varchar, ours decimal(38,10),
    explained decimal(38,10), theirs decimal(38,10), difference decimal(38,10), is_ok boolean);
create table marts.fct_usage_hours (
    workspace_id varchar, hour timestamptz, agent_id varchar, cost_usd decimal(38,10),
    request_count bigint);
create table marts.fct_agent_billing_days (
    workspace_id varchar, date date, agent_id varchar, cost_usd decimal(38,10),
    billed_usd decimal(38,10), not_billed_usd decimal(38,10));
create table marts.dim_months (workspace_id varchar, month date, status varchar);
create table marts.dim_provider_keys (
    workspace_id varchar, key_id varchar, provider varchar, added_at timestamptz,
    is_listed boolean, first_seen_at timestamptz);
create table marts.fct_listing_gaps (
    workspace_id varchar, agent_id varchar, date date, counted_run_count bigint,
    held_run_count bigint, missing_run_count bigint, missing_cost_usd decimal(38,10),
    is_final boolean);
create table marts.fct_listing_gap_models (
    workspace_id varchar, agent_id varchar, date date, model varchar, provider varchar,
    metered_cost_usd decimal(38,10), held_cost_usd decimal(38,10),
    missing_cost_usd decimal(38,10));
create table audit.list_coverage (
    workspace_id varchar, agent_id varchar, busiest_day_run_count bigint,
    shortest_span_seconds double, required_batches_per_day bigint);
create table marts.fct_adjustments (
    workspace_id varchar, agent_id varchar, date date, load_id varchar,
    previous_cost_usd decimal(38,10), current_cost_usd decimal(38,10), previous_run_count bigint,
    current_run_count bigint, seen_at timestamptz);
create table audit.loads (
    workspace_id varchar, load_id varchar, step varchar, request_count bigint,
    record_count bigint, new_version_count bigint, superseded_count bigint,
    quarantined_count bigint, rounded_count bigint, loaded_at timestamptz);
"""

MADE_UP = """
insert into marts.fct_listing_gaps
    select workspace_id, agent_id, date, 12, 8, 4, 0.3333 * dayofmonth(date), true
    from marts.fct_runs where agent_id like '%-1' and dayofmonth(date) % 5 = 0
    and date < date '2026-03-14' group by all;
insert into marts.fct_listing_gap_models
    select workspace_id, agent_id, date, 'claude-haiku-5', 'anthropic', missing_cost_usd + 1, 1,
        missing_cost_usd
    from marts.fct_listing_gaps;
insert into audit.list_coverage
    select workspace_id, agent_id, 12, 86400 * 10 / (1 + hash(agent_id) % 30), 1
    from marts.dim_agents;
insert into audit.reconciliation_days
    with days as (
        select workspace_id, date,
            sum(cost_usd) filter (is_terminal) as run_usd,
            coalesce(sum(cost_usd) filter (not is_terminal), 0) as open_usd
        from marts.fct_runs group by all
    ), terms as (
        select *, coalesce(platform_usd, 0) as p_usd, coalesce(gap_usd, 0) as g_usd,
            if(dayofmonth(date) % 2 = 0, 0.017, -0.017) as edge_usd,
            if(workspace_id = 'ws-1' and date in ('2026-02-03', '2026-03-09'), 1.2345, 0)
                as left_usd
        from days
        left join (select workspace_id, date, sum(cost_usd) as platform_usd
            from marts.fct_platform_agent_days group by all) using (workspace_id, date)
        left join (select workspace_id, date, sum(missing_cost_usd) as gap_usd
            from marts.fct_listing_gaps group by all) using (workspace_id, date)
    )
    select workspace_id, date,
        run_usd + open_usd + p_usd + g_usd + edge_usd + left_usd,
        run_usd, open_usd, p_usd, g_usd, edge_usd, left_usd,
        case when date >= '2026-03-12' then 'open' when left_usd = 0 then 'reconciled'
            when date > '2026-03-06' then 'pending' else 'unreconciled' end
    from terms;
insert into audit.reconciliation_agents
    select workspace_id, date, if(date < '2026-03-01', null, 'agent-1-2'), 5, 3.7655, 0, 0, 0,
        1.2345
    from audit.reconciliation_days where unexplained_usd <> 0;
insert into marts.fct_usage_hours
    select workspace_id, date + to_hours(h::bigint * 7), null, 0.41, 3
    from audit.reconciliation_days, range(3) as t(h) where unexplained_usd <> 0;
insert into audit.controls
    select workspace_id, unnest(['completeness', 'cut_off', 'accuracy', 'allocation']),
        'ours, against theirs', unnest(['runs', 'usd', 'usd', 'usd']), 90, 10,
        if(workspace_id = 'ws-1', 101, 100), if(workspace_id = 'ws-1', 1, 0),
        workspace_id <> 'ws-1'
    from marts.dim_workspaces;
insert into marts.fct_agent_billing_days
    select workspace_id, date, agent_id, sum(cost_usd), sum(cost_usd) / 3,
        sum(cost_usd) - sum(cost_usd) / 3
    from marts.fct_runs where cost_usd is not null group by all;
insert into marts.dim_months
    select distinct workspace_id, date_trunc('month', date)::date,
        if(date >= '2026-03-01', 'open', 'closed') from marts.fct_runs;
insert into marts.dim_provider_keys
    select workspace_id, 'key-1', 'openai', timestamptz '2026-01-05 09:00:00+00', true,
        timestamptz '2026-01-06 04:00:00+00' from marts.dim_workspaces;
insert into marts.fct_adjustments
    select workspace_id, agent_id, date '2026-03-01', '20260312T060000Z-003-corrected', 1.10,
        1.35, 4, 5, timestamptz '2026-03-12 06:00:00+00'
    from marts.dim_agents where agent_id like '%-3';
insert into audit.loads
    select workspace_id, '202603' || 10 + d || 'T060000Z-002-lists', 'lists', 9, 120, 20, 3, 0, 1,
        timestamptz '2026-03-10 06:00:00+00' + to_days(d::integer)
    from marts.dim_workspaces, range(5) as t(d);
"""

DERIVED = """
create table marts.fct_workspace_days_complete as
    with gaps as (
        select workspace_id, date, sum(missing_run_count)::bigint as missing_run_count,
            sum(missing_cost_usd) as gap_cost_usd,
            count(*) filter (missing_cost_usd is null) as unknown_gap_count
        from marts.fct_listing_gaps group by all
    ), platform as (
        select workspace_id, date, sum(cost_usd) as platform_cost_usd
        from marts.fct_platform_agent_days group by all
    )
    select workspace_id, date, coalesce(unknown_cost_count, 0) as unknown_cost_count,
        if(days.date is null, 0, cost_usd) as cost_usd,
        coalesce(missing_run_count, 0) as missing_run_count,
        coalesce(unknown_gap_count, 0) as unknown_gap_count,
        if(gaps.date is null, 0, gap_cost_usd) as gap_cost_usd,
        if(platform.date is null, 0, platform_cost_usd) as platform_cost_usd
    from marts.fct_workspace_days as days
    full join gaps using (workspace_id, date)
    full join platform using (workspace_id, date);
"""
