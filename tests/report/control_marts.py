"""The marts that the pages Reconciliation and Data quality read, made up beside those of runs."""

from __future__ import annotations

TABLES = """
alter table audit.check_results add column if not exists sources varchar;
create table audit.reconciliation_days (
    workspace_id varchar, utc_date date, metered_cost_usd decimal(38,10),
    run_cost_usd decimal(38,10), open_cost_usd decimal(38,10), platform_cost_usd decimal(38,10),
    unlisted_cost_usd decimal(38,10), timing_difference_usd decimal(38,10),
    unexplained_usd decimal(38,10), billed_usd decimal(38,10), status varchar);
create table audit.reconciliation_agents (
    workspace_id varchar, utc_date date, agent_id varchar, metered_cost_usd decimal(38,10),
    run_cost_usd decimal(38,10), open_cost_usd decimal(38,10), platform_cost_usd decimal(38,10),
    unlisted_cost_usd decimal(38,10), timing_difference_usd decimal(38,10),
    unexplained_usd decimal(38,10));
create table audit.month_bridge (
    workspace_id varchar, month date, step_number bigint, step varchar,
    amount_usd decimal(38,10), comment varchar);
create table audit.controls (
    workspace_id varchar, control varchar, measure varchar, first_source varchar,
    second_source varchar, compared_count bigint, ours decimal(38,10), theirs decimal(38,10));
create table audit.control_findings (
    check_name varchar, control varchar, workspace_id varchar, finding_number bigint,
    finding_count bigint, agent_id varchar, utc_date date, run_id varchar, provider varchar,
    measure varchar, ours decimal(38,10), theirs decimal(38,10), difference_usd decimal(38,10),
    is_closed boolean);
create table marts.fct_usage_hours (
    workspace_id varchar, hour timestamptz, agent_id varchar, cost_usd decimal(38,10),
    request_count bigint);
create table marts.fct_agent_billing_days (
    workspace_id varchar, utc_date date, agent_id varchar, cost_usd decimal(38,10),
    billed_usd decimal(38,10), own_key_usd decimal(38,10) default 0,
    surcharge_usd decimal(38,10) as (billed_usd - cost_usd + own_key_usd));
create table marts.dim_provider_keys (
    workspace_id varchar, key_id varchar, provider varchar, added_at timestamptz,
    is_listed boolean);
create table audit.list_coverage (
    workspace_id varchar, agent_id varchar, busiest_day_run_count bigint,
    shortest_span_seconds double, required_batches_per_day bigint);
create table marts.fct_adjustments (
    workspace_id varchar, agent_id varchar, date date, load_id varchar,
    previous_cost_usd decimal(38,10), current_cost_usd decimal(38,10), previous_run_count bigint,
    current_run_count bigint, cause varchar, seen_at timestamptz);
create table audit.loads (
    workspace_id varchar, load_id varchar, step varchar, request_count bigint,
    record_count bigint, new_version_count bigint, superseded_count bigint,
    quarantined_count bigint, rounded_count bigint, loaded_at timestamptz);
"""

MADE_UP = """
insert into audit.list_coverage
    select workspace_id, agent_id, 12, 86400 * 10 / (1 + hash(agent_id) % 30), 1
    from marts.dim_agents;
insert into marts.fct_agent_billing_days by name
    select workspace_id, agent_id, date as utc_date, sum(cost_usd) as cost_usd,
        sum(cost_usd) / 3 as billed_usd, sum(cost_usd) * 0.7 as own_key_usd
    from marts.fct_runs where cost_usd is not null group by all;
insert into marts.dim_provider_keys
    select workspace_id, 'key-1', 'openai', timestamptz '2026-01-05 09:00:00+00', true
    from marts.dim_workspaces;
insert into marts.fct_adjustments
    select workspace_id, agent_id, date '2026-03-01', '20260312T060000Z-003-corrected', 1.10,
        1.35, 4, 5, 'run_added', timestamptz '2026-03-12 06:00:00+00'
    from marts.dim_agents where agent_id like '%-3';
insert into audit.loads
    select workspace_id, '202603' || 10 + d || 'T060000Z-002-lists', 'lists', 9, 120, 20, 3, 0, 1,
        timestamptz '2026-03-10 06:00:00+00' + to_days(d::integer)
    from marts.dim_workspaces, range(5) as t(d);
insert into audit.reconciliation_days
    with days as (
        select workspace_id, date as utc_date,
            sum(cost_usd) filter (is_terminal) as run_usd,
            coalesce(sum(cost_usd) filter (not is_terminal), 0) as open_usd
        from marts.fct_runs group by all
    ), terms as (
        select *, coalesce(platform_usd, 0) as p_usd, coalesce(unlisted_usd, 0) as u_usd,
            if(dayofmonth(utc_date) % 2 = 0, 0.017, -0.017) as timing_usd,
            if(workspace_id = 'ws-1' and utc_date in ('2026-02-03', '2026-03-09'), 1.2345, 0)
                as left_usd
        from days
        left join (select workspace_id, utc_date, sum(cost_usd) as platform_usd
            from marts.fct_platform_agent_days group by all) using (workspace_id, utc_date)
        left join (select workspace_id, date as utc_date, sum(cost_usd) as unlisted_usd
            from given.unlisted_days group by all) using (workspace_id, utc_date)
        left join (select workspace_id, utc_date, sum(billed_usd) as billed_usd
            from marts.fct_billing_days group by all) using (workspace_id, utc_date)
    )
    select workspace_id, utc_date,
        run_usd + open_usd + p_usd + u_usd + timing_usd + left_usd,
        run_usd, open_usd, p_usd, u_usd, timing_usd, left_usd, billed_usd,
        case when utc_date >= '2026-03-12' then 'open' when left_usd = 0 then 'reconciled'
            when utc_date > '2026-03-06' then 'pending' else 'unreconciled' end
    from terms;
insert into audit.reconciliation_agents
    select workspace_id, utc_date, if(utc_date < '2026-03-01', '(platform)', 'agent-1-2'), 5,
        3.7655, 0, 0, 0, 0, 1.2345
    from audit.reconciliation_days where unexplained_usd <> 0;
insert into marts.fct_usage_hours
    select workspace_id, utc_date + to_hours(h::bigint * 7), '(platform)', 0.41, 3
    from audit.reconciliation_days, range(3) as t(h) where unexplained_usd <> 0;
insert into audit.month_bridge
    with metered as (
        select workspace_id, date_trunc('month', utc_date)::date as month,
            sum(metered_cost_usd - timing_difference_usd - unexplained_usd) as run_usd,
            sum(timing_difference_usd) as timing_usd, sum(unexplained_usd) as left_usd,
            sum(metered_cost_usd) as metered_usd
        from audit.reconciliation_days group by all
    ), bills as (
        select workspace_id, date_trunc('month', utc_date)::date as month,
            sum(cost_usd) as cost_usd, sum(own_key_usd) as own_usd, sum(billed_usd) as billed_usd
        from marts.fct_billing_days group by all
    )
    select workspace_id, month, unnest(range(1, 9)),
        unnest(['cost of runs', 'timing difference', 'unexplained', 'metered', 'meter to bill',
            'surcharge', 'own-key cost', 'billed']),
        unnest([run_usd, timing_usd, left_usd, metered_usd, cost_usd - metered_usd,
            billed_usd - cost_usd + own_usd, -own_usd, billed_usd]),
        'What the step is.'
    from metered join bills using (workspace_id, month);
insert into audit.check_results (check_name, claim, violation_count, is_ok, control, sources)
    values ('bills_agree', 'The hourly meter is the bill.', 2, false, 'bill',
            'analytics/hourly | analytics/billing'),
        ('counts_agree', 'Run counts agree.', 0, true, 'run counts',
            'runs/daily | analytics/agents'),
        ('costs_agree', 'Run costs agree.', 23, false, 'run costs',
            'runs | analytics/runs/{id}/costs');
insert into audit.controls
    select workspace_id, unnest(['bill', 'run counts']), unnest(['cost_usd', 'run_count']),
        unnest(['analytics/hourly', 'runs/daily']),
        unnest(['analytics/billing', 'analytics/agents']), unnest([89, 1200]),
        unnest([if(workspace_id = 'ws-1', 101.25, 100), 4321]), unnest([100, 4321])
    from marts.dim_workspaces;
insert into audit.control_findings
    values ('bills_agree', 'bill', 'ws-1', 1, 2, null, '2026-02-03', null, 'openai', 'cost_usd',
            3.25, 2, 1.25, true),
        ('bills_agree', 'bill', 'ws-1', 2, 2, null, '2026-02-03', null, 'openai', 'tokens_in',
            1200, 1000, null, true);
insert into audit.control_findings
    select 'costs_agree', 'run costs', 'ws-1', n + 1, 23, 'agent-1-2', date '2026-03-12',
        'run-' || n, null, 'cost_usd', 2.5, 2, 0.5, false
    from range(23) as t(n);
"""

DERIVED = """
alter table marts.dim_workspaces
    add column if not exists reporting_timezone varchar default 'UTC';
"""
