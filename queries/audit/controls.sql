-- The four controls on the figures of closed days, each with our number and the API's; what is
-- explained (gaps, the edge of the day) stands between them. A day is closed when it has ended and
-- holds no open or provisional run.
-- Grain: workspace, control and measure.
-- key: workspace_id, control, measure
with

agent_days as (
    select
        workspace_id,
        coalesce(sum(held_run_count) filter (counted_run_count is not null), 0)
            as held_run_count,
        coalesce(sum(counted_run_count), 0) as counted_run_count,
        coalesce(sum(run_cost_usd), 0) as run_cost_usd,
        coalesce(sum(summed_cost_usd), 0) as summed_cost_usd,
        sum(tolerance_usd) as tolerance_usd
    from intermediate.int_agent_days_compared
    where agent_id is not null and has_ended and provisional_count = 0
    group by workspace_id
),

gaps as (
    select
        workspace_id,
        sum(missing_run_count) as missing_run_count,
        coalesce(sum(missing_cost_usd), 0) as missing_cost_usd
    from marts.fct_listing_gaps
    where is_final
    group by workspace_id
),

last_edges as (
    select
        workspace_id,
        arg_max(edge_so_far_usd, date) as edge_usd,
        arg_max(greatest(least(edge_so_far_usd, most_usd), least_usd), date) as allowed_usd
    from audit.timing_differences
    join intermediate.int_metered_days using (workspace_id, date)
    where date < last_date
    group by workspace_id
),

metered as (
    select
        days.workspace_id,
        sum(days.run_cost_usd + days.platform_cost_usd) as run_cost_usd,
        sum(days.gap_cost_usd + days.edge_usd) as explained_usd,
        sum(days.metered_cost_usd) as metered_cost_usd
    from audit.reconciliation_days as days
    where days.status <> 'open'
    group by days.workspace_id
),

by_agent as (
    select workspace_id, sum(cost_usd) as cost_usd
    from marts.fct_agent_billing_days
    join intermediate.int_metered_days using (workspace_id, date)
    where date < last_date
    group by workspace_id
),

billed as (
    select workspace_id, sum(cost_usd) as cost_usd
    from marts.fct_billing_days
    join intermediate.int_metered_days using (workspace_id, date)
    where date < last_date
    group by workspace_id
),

totals as (
    select
        workspace_id,
        'completeness' as control,
        'runs held and missing, against runs counted' as measure,
        'runs' as unit,
        days.held_run_count as ours,
        coalesce(gaps.missing_run_count, 0) as explained,
        days.counted_run_count as theirs,
        0 as tolerance
    from agent_days as days
    left join gaps using (workspace_id)
    union all
    select
        workspace_id,
        'accuracy',
        'cost of runs and gaps, against the API''s sums by agent',
        'usd',
        days.run_cost_usd,
        coalesce(gaps.missing_cost_usd, 0),
        days.summed_cost_usd,
        days.tolerance_usd
    from agent_days as days
    left join gaps using (workspace_id)
    union all
    select
        metered.workspace_id,
        'accuracy',
        'cost of runs, gaps, platform and edges, against metered usage',
        'usd',
        metered.run_cost_usd,
        metered.explained_usd,
        metered.metered_cost_usd,
        days.tolerance_usd
    from metered
    left join agent_days as days using (workspace_id)
    union all
    select
        workspace_id,
        'cut_off',
        'requests on another day than their run''s, against what such runs may cost',
        'usd',
        0,
        allowed_usd,
        edge_usd,
        0
    from last_edges
    union all
    select
        workspace_id,
        'allocation',
        'metered cost by agent, against that by provider',
        'usd',
        coalesce(by_agent.cost_usd, 0),
        0,
        coalesce(billed.cost_usd, 0),
        0.0000001
    from by_agent
    full join billed using (workspace_id)
)

select
    workspace_id,
    control,
    measure,
    unit,
    ours::decimal(38, 10) as ours,
    explained::decimal(38, 10) as explained,
    theirs::decimal(38, 10) as theirs,
    (theirs - ours - explained)::decimal(38, 10) as difference,
    abs(theirs - ours - explained) <= coalesce(tolerance, 0) as is_ok
from totals
order by workspace_id, control, measure
