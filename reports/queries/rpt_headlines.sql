-- The headline figures of each line, of each workspace (agent '(all)') and of the site (both
-- '(all)'), as of the day that its periods end with: see rpt_periods. What a cost is compared with
-- is null unless both periods were read whole, the cost of at least four in five runs of each is
-- known, and what the platform itself cost is unknown of the same share of both.
-- Grain: workspace or '(all)', and line or '(all)'.
with

pivoted as (
    select
        workspace_id,
        agent_id,
        any_value(today) as today,
        any_value(yesterday) as yesterday,
        date_trunc('month', any_value(today))::date as month,
        any_value(run_count) filter (period = 'yesterday') as yesterday_run_count,
        any_value(cost_usd) filter (period = 'yesterday') as yesterday_cost_usd,
        any_value(if(incomplete_day_count = 0, null, 'yesterday read only in part'))
            filter (period = 'yesterday') as yesterday_gap,
        any_value(run_count) filter (period = 'month') as month_run_count,
        any_value(cost_usd) filter (period = 'month') as month_cost_usd,
        any_value(
            columns(
                '^((run|failed|finished|unlisted_(run|failed)|unknown_cost|failed_cost_open)_count'
                || '|cost_usd|failed_cost_(more_|high_|likely_)?usd)$'
            )
        ) filter (period = 'recent') as 'recent_\0',
        map(
            list(period),
            list(unknown_platform_count / if(is_covered, period_last - period_first + 1, null))
        ) as shares,
        if(
            shares['recent'] = shares['previous'],
            any_value(cost_usd) filter (period = 'previous'),
            null
        ) as previous_cost_usd,
        any_value(if(unlisted_run_count is null, null, run_count)) filter (period = 'charted')
            as counted_run_count,
        any_value(listed_run_count) filter (period = 'charted') as listed_run_count
    from reports.rpt_periods
    group by workspace_id, agent_id
),

-- A line's day is a row already.
days as (
    select
        workspace_id,
        agent_id,
        date,
        if(5 * unknown_cost_count <= run_count, cost_usd, null) as cost_usd,
        unknown_platform_count
    from reports.rpt_days
    union all by name
    select
        coalesce(workspace_id, '(all)') as workspace_id,
        '(all)' as agent_id,
        date,
        if(5 * sum(unknown_cost_count) <= sum(run_count), sum(cost_usd), null) as cost_usd,
        sum(unknown_platform_count) as unknown_platform_count
    from reports.rpt_days
    group by grouping sets ((workspace_id, date), (date))
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
        list_sort(
            list(if(days.date is null, 0, days.cost_usd)) filter (
                days.date is null
                or days.cost_usd is not null
                and days.unknown_platform_count = shares['yesterday']
            )
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
    (select max(reporting_timezone) from marts.dim_workspaces) as timezone,
    active.agent_version as active_version,
    if(
        active.agent_version = 1,
        spans.first_date,
        (active.first_run_at at time zone workspaces.reporting_timezone)::date
    ) as active_since,
    calendars.as_of,
    completes.last_complete_date,
    pivoted.* exclude (workspace_id, agent_id, shares),
    if(
        workspaces.reporting_timezone <> 'UTC' and counted_run_count > listed_run_count,
        'unlisted runs by UTC day',
        null
    ) as unlisted_days,
    if(
        len(costs) >= 2,
        ((costs[(len(costs) + 1) // 2] + costs[len(costs) // 2 + 1]) * 0.5)::decimal(38, 10),
        null
    ) as usual_cost_usd,
    spans.first_date,
    spans.last_date
from pivoted
join reports.rpt_calendars as calendars using (workspace_id)
left join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_agents as agents using (workspace_id, agent_id)
left join (
    select workspace_id, agent_id, agent_version, first_run_at
    from marts.dim_agent_versions
    where status = 'active'
    qualify row_number() over (
        partition by workspace_id, agent_id order by agent_version desc
    ) = 1
) as active using (workspace_id, agent_id)
left join completes using (workspace_id)
left join same_weekdays using (workspace_id, agent_id)
left join spans using (workspace_id, agent_id)
