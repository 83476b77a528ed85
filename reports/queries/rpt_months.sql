-- The measures of each month and its bill, of each line, of each workspace (agent '(all)') and of
-- the site (both '(all)'). The bill is that of the UTC month; of a closed month it is as the books
-- have it, and since_usd what changed of it.
-- Grain: workspace or '(all)', line or '(all)', and month.
with

-- A line of a month may have a bill and no run.
days as (
    from reports.rpt_days
    union all by name
    select workspace_id, agent_id, month as date
    from marts.fct_agent_months
),

measures as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        if(grouping(agent_id) = 0, agent_id, '(all)') as agent_id,
        date_trunc('month', date)::date as month,
        coalesce(
            sum(columns('^(run|failed|finished|unknown_(outcome|cost)|failed_cost_open)_count$')), 0
        )::bigint as '\0',
        if(count(run_count) = 0, 0, sum(cost_usd))::decimal(38, 10) as cost_usd,
        sum(columns('^tokens_'))::bigint as '\0',
        sum(columns('^failed_cost_(more_)?usd$')) as '\0'
    from days
    group by grouping sets ((workspace_id, agent_id, month), (workspace_id, month), (month))
),

bills as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        if(grouping(agent_id) = 0, agent_id, '(all)') as agent_id,
        month,
        sum(billed_usd) as billed_usd
    from marts.fct_agent_months
    group by grouping sets ((workspace_id, agent_id, month), (workspace_id, month), (month))
),

-- A line may have nothing in the books of a closed month, or nothing that changed since.
booked as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        if(grouping(agent_id) = 0, agent_id, '(all)') as agent_id,
        month,
        if(count(is_line) = 0, 0, sum(closed_usd)) as closed_usd,
        sum(since_usd) as since_usd
    from (
        select
            workspace_id,
            agent_id,
            usage_month as month,
            true as is_line,
            billed_usd as closed_usd
        from marts.fct_month_lines
        where revision is not null
        union all by name
        select workspace_id, agent_id, usage_month as month, difference_billed_usd as since_usd
        from marts.fct_period_adjustments
    )
    group by grouping sets ((workspace_id, agent_id, month), (workspace_id, month), (month))
),

dates as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        max(date) as last_date
    from reports.rpt_dates
    group by workspace_id, month
),

-- Months are closed of all workspaces at once; of their states that counts which is least final.
states as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        month,
        arg_min(
            status, list_position(['incomplete', 'open', 'final', 'closed'], status)
        ) as state
    from marts.dim_months
    group by grouping sets ((workspace_id, month), (month))
)

select
    workspace_id,
    agent_id,
    month,
    coalesce(states.state, 'incomplete') as state,
    dates.last_date,
    measures.* exclude (workspace_id, agent_id, month, finished_count),
    if(unknown_outcome_count > 0, null, measures.finished_count) as finished_count,
    if(booked.month is null, bills.billed_usd, booked.closed_usd) as billed_usd,
    booked.since_usd
from measures
left join bills using (workspace_id, agent_id, month)
left join booked using (workspace_id, agent_id, month)
left join dates using (workspace_id, month)
left join states using (workspace_id, month)
