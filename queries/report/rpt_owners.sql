-- Each owner of the last 92 days, with the periods that rpt_headlines compares; the line '(none)'
-- is all without an owner, the platform included. Of workspaces with owners, and of the site if
-- there is any.
-- Grain: workspace or '(all)', owner and cost center.
-- key: workspace_id, owner, cost_center
-- column workspace_id: Identifier of the workspace; '(all)' for all of them.
-- column agent_count: Agents that are the owner's today.
-- column trend: Cost in US dollars of the 13 weeks before today, oldest first; null if unknown.
with

days as (
    from reports.rpt_owner_days
    where workspace_id in (select workspace_id from intermediate.int_owner_spans)
    union all by name
    select * replace ('(all)' as workspace_id)
    from reports.rpt_owner_days
),

agents as (
    select
        workspace_id,
        coalesce(owner, '(none)') as owner,
        coalesce(cost_center, '(none)') as cost_center
    from marts.dim_agents
    where line_type = 'agent'
),

agent_counts as (
    select workspace_id, owner, cost_center, count(*) as agent_count
    from agents
    group by all
    union all
    select '(all)' as workspace_id, owner, cost_center, count(*) as agent_count
    from agents
    group by all
),

periods as (
    from reports.rpt_periods
    where agent_id = '(all)'
),

-- Whose the platform's own usage is.
platforms as (
    select
        workspaces.workspace_id,
        coalesce(spans.owner, '(none)') as owner,
        coalesce(spans.cost_center, '(none)') as cost_center
    from marts.dim_workspaces as workspaces
    left join intermediate.int_owner_spans as spans
        on spans.workspace_id = workspaces.workspace_id and spans.agent_id = '(platform)'
),

named as (
    select distinct days.workspace_id, days.owner, days.cost_center
    from days
    join periods
        on periods.workspace_id = days.workspace_id
        and periods.period = 'charted'
        and days.date between periods.period_first and periods.period_last
    union
    select workspace_id, owner, cost_center
    from agent_counts
    where workspace_id in (select workspace_id from days)
),

owners as (
    select
        *,
        exists (
            from platforms
            where
                platforms.owner = named.owner
                and platforms.cost_center = named.cost_center
                and named.workspace_id in (platforms.workspace_id, '(all)')
        ) as has_platform
    from named
),

-- Where days were read, what is not there is 0; a sum of nothing known is unknown. A period that
-- was not read whole, or of which too many costs are unknown, has no share.
sums as (
    select
        owners.workspace_id,
        owners.owner,
        owners.cost_center,
        periods.period,
        periods.period_first,
        if(
            bool_and(periods.is_whole)
            and 5 * coalesce(sum(days.unknown_cost_count), 0) <= coalesce(sum(days.run_count), 0),
            if(
                owners.has_platform,
                any_value(unknown_platform_count / (period_last - periods.period_first + 1)),
                0
            ),
            null
        ) as unknown_platform_share,
        if(
            count(days.date) = 0,
            if(any_value(periods.run_count) is null, null, 0),
            sum(days.cost_usd)
        )::decimal(38, 10) as cost_usd,
        coalesce(sum(days.failed_count), 0)::bigint as failed_count,
        if(sum(days.unknown_outcome_count) > 0, null, coalesce(sum(days.finished_count), 0))::bigint
            as finished_count
    from owners
    join periods using (workspace_id)
    left join days
        on days.workspace_id = owners.workspace_id
        and days.owner = owners.owner
        and days.cost_center = owners.cost_center
        and days.date between periods.period_first and periods.period_last
    group by
        owners.workspace_id, owners.owner, owners.cost_center, owners.has_platform, periods.period,
        periods.period_first
)

select
    workspace_id,
    owner,
    cost_center,
    coalesce(any_value(agent_counts.agent_count), 0) as agent_count,
    any_value(cost_usd) filter (period = 'recent') as recent_cost_usd,
    if(
        any_value(unknown_platform_share) filter (period = 'recent')
        = any_value(unknown_platform_share) filter (period = 'before_recent'),
        any_value(cost_usd) filter (period = 'before_recent'),
        null
    ) as before_recent_cost_usd,
    any_value(failed_count) filter (period = 'recent') as recent_failed_count,
    any_value(finished_count) filter (period = 'recent') as recent_finished_count,
    any_value(cost_usd) filter (period = 'month') as month_cost_usd,
    any_value(cost_usd) filter (period = 'last_month') as last_month_cost_usd,
    list(if(unknown_platform_share is null, null, cost_usd) order by period_first)
        filter (period like 'week%') as trend
from sums
left join agent_counts using (workspace_id, owner, cost_center)
group by workspace_id, owner, cost_center
order by workspace_id, owner, cost_center
