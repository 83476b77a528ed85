-- The headline figures of each line, of each workspace (agent '(all)') and of the site (both
-- '(all)'), as of the day that its periods end with: see rpt_periods. What a cost is compared with
-- is null unless both periods were read whole, the cost of at least four in five runs of each is
-- known, and what the platform itself cost is unknown of the same share of both.
-- Grain: workspace or '(all)', and line or '(all)'.
with

judged as (
    select
        *,
        unknown_platform_count / (period_last - period_first + 1) as unknown_platform_share
    from reports.rpt_periods
),

pivoted as (
    select
        workspace_id,
        agent_id,
        any_value(today) as today,
        any_value(yesterday) as yesterday,
        date_trunc('month', any_value(today))::date as month,
        (date_trunc('month', any_value(today)) - interval 1 month)::date as last_month,
        any_value(run_count) filter (period = 'yesterday') as yesterday_run_count,
        any_value(cost_usd) filter (period = 'yesterday') as yesterday_cost_usd,
        any_value(run_count) filter (period = 'month') as month_run_count,
        any_value(failed_count) filter (period = 'month') as month_failed_count,
        any_value(finished_count) filter (period = 'month') as month_finished_count,
        any_value(unlisted_run_count) filter (period = 'month') as month_unlisted_run_count,
        any_value(unknown_cost_count) filter (period = 'month') as month_unknown_cost_count,
        any_value(failed_cost_open_count) filter (period = 'month') as month_failed_cost_open_count,
        any_value(cost_usd) filter (period = 'month') as month_cost_usd,
        any_value(failed_cost_usd) filter (period = 'month') as month_failed_cost_usd,
        any_value(failed_cost_more_usd) filter (period = 'month') as month_failed_cost_more_usd,
        any_value(run_count) filter (period = 'last_month') as last_month_run_count,
        any_value(unknown_cost_count) filter (period = 'last_month')
            as last_month_unknown_cost_count,
        any_value(cost_usd) filter (period = 'last_month') as last_month_cost_usd,
        any_value(incomplete_day_count) filter (period = 'last_month')
            as last_month_incomplete_day_count,
        any_value(cost_usd) filter (period = 'recent') as recent_cost_usd,
        any_value(cost_usd) filter (period = 'month_days') as month_days_cost_usd,
        any_value(cost_usd) filter (period = 'previous_days') as previous_days_cost_usd,
        any_value(if(unlisted_run_count is null, null, run_count)) filter (period = 'charted')
            as counted_run_count,
        any_value(listed_run_count) filter (period = 'charted') as listed_run_count,
        map(list(period), list(if(is_covered, unknown_platform_share, null))) as shares
    from judged
    group by workspace_id, agent_id
),

days as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        if(grouping(agent_id) = 0, agent_id, '(all)') as agent_id,
        date,
        if(5 * sum(unknown_cost_count) <= sum(run_count), sum(cost_usd), null) as cost_usd,
        sum(unknown_platform_count) as unknown_platform_count
    from reports.rpt_days
    group by grouping sets ((workspace_id, agent_id, date), (workspace_id, date), (date))
),

spans as (
    select workspace_id, agent_id, min(date) as first_date, max(date) as last_date
    from days
    group by workspace_id, agent_id
),

completes as (
    select workspace_id, max(date) as last_complete_date
    from reports.rpt_dates
    where state = 'complete'
    group by workspace_id
),

-- A complete date without a figure cost nothing; one whose cost is mostly unknown says nothing.
same_weekdays as (
    select
        pivoted.workspace_id,
        pivoted.agent_id,
        list(if(days.date is null, 0, days.cost_usd) order by days.cost_usd)
            filter (
                days.date is null
                or days.cost_usd is not null
                and days.unknown_platform_count = shares['yesterday']
            ) as costs
    from pivoted
    join spans using (workspace_id, agent_id)
    join reports.rpt_dates as dates
        on dates.workspace_id = pivoted.workspace_id
        and dates.state = 'complete'
        and dates.date >= spans.first_date
        and dates.date in (yesterday - 7, yesterday - 14, yesterday - 21, yesterday - 28)
    left join days
        on days.workspace_id = pivoted.workspace_id
        and days.agent_id = pivoted.agent_id
        and days.date = dates.date
    where shares['yesterday'] is not null
    group by all
),

usual as (
    select
        workspace_id,
        agent_id,
        list_sort(costs) as costs,
        len(costs) as day_count
    from same_weekdays
    where len(costs) >= 2
),

-- Of a period that is not covered, the share is null, and so is what it would be compared with.
compared as (
    select
        * exclude (shares) replace (
            if(
                shares['month_days'] = shares['previous_days'], previous_days_cost_usd, null
            ) as previous_days_cost_usd
        )
    from pivoted
),

agent_counts as (
    select
        if(grouping(workspace_id) = 0, workspace_id, '(all)') as workspace_id,
        '(all)' as agent_id,
        count(*) as agent_count
    from marts.dim_agents
    where line_type = 'agent'
    group by grouping sets ((workspace_id), ())
)

select
    workspace_id,
    workspaces.workspace_name,
    agent_id,
    agents.agent_name,
    agents.agent_slug,
    case
        when workspace_id = '(all)' then 'site'
        when agent_id = '(all)' then 'workspace'
        else agents.line_type
    end as line_type,
    agents.owner,
    agents.cost_center,
    agent_counts.agent_count,
    (select max(reporting_timezone) from marts.dim_workspaces) as timezone,
    calendars.as_of,
    completes.last_complete_date,
    compared.* exclude (workspace_id, agent_id),
    if(
        workspaces.reporting_timezone <> 'UTC' and counted_run_count > listed_run_count,
        'unlisted runs by UTC day',
        null
    ) as unlisted_days,
    ((costs[(day_count + 1) // 2] + costs[day_count // 2 + 1]) * 0.5)::decimal(38, 10)
        as usual_cost_usd,
    spans.first_date,
    spans.last_date
from compared
join reports.rpt_calendars as calendars using (workspace_id)
left join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_agents as agents using (workspace_id, agent_id)
left join agent_counts using (workspace_id, agent_id)
left join completes using (workspace_id)
left join usual using (workspace_id, agent_id)
left join spans using (workspace_id, agent_id)
order by workspace_id, agent_id
