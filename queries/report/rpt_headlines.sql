-- Headline figures of every line, of each workspace ('(all)') and of the site ('(all)', '(all)'):
-- one wide row, named after the periods of rpt_periods. A compared period that was not read whole,
-- or of which the cost of more than a fifth of the runs is unknown, has no figure.
-- Grain: entity.
-- key: workspace_id, agent_id
-- column usual_cost_usd: Median cost in US dollars of the same weekday of the four weeks before.
-- column trend: Cost in US dollars of 13 weeks of 7 days, the oldest first; null if not read whole.
-- column trend_runs: Runs of these weeks.
-- column trend_rate: Failure rate of these weeks; null where no run finished.
-- column as_of: Start of the last batch (UTC).
-- column timezone: Reporting time zone.
-- column run_count: Runs of the last 92 days.
-- column listed_run_count: Of these, the listed ones.
-- column run_cost_median_usd: Median cost in US dollars of listed runs that ended in 30 days.
-- column run_cost_p90_usd: 90th percentile of the same.
-- column run_cost_max_usd: Cost in US dollars of the most expensive of these runs.
-- column run_cost_count: Number of these runs.
-- column agent_count: Agents of the workspace, or of the site.
with

figures as (
    select figures.*, periods.is_covered
    from reports.rpt_period_figures as figures
    join reports.rpt_periods as periods using (workspace_id, agent_id, period)
),

wide as (
    select
        workspace_id,
        agent_id,
        any_value(first_date) filter (period = 'yesterday') as yesterday,
        any_value(is_known) filter (period = 'yesterday') as is_yesterday_complete,
        any_value(cost_usd) filter (period = 'yesterday') as yesterday_cost_usd,
        any_value(run_count) filter (period = 'yesterday') as yesterday_run_count,
        any_value(failed_count) filter (period = 'yesterday') as yesterday_failed_count,
        any_value(finished_count) filter (period = 'yesterday') as yesterday_finished_count,
        any_value(open_count) filter (period = 'yesterday') as yesterday_open_count,
        any_value(unlisted_run_count) filter (period = 'yesterday') as yesterday_unlisted_run_count,
        any_value(unknown_cost_count) filter (period = 'yesterday') as yesterday_unknown_cost_count,
        any_value(platform_cost_usd) filter (period = 'yesterday') as yesterday_platform_cost_usd,
        any_value(failed_cost_usd) filter (period = 'yesterday') as yesterday_failed_cost_usd,
        any_value(failed_cost_more_usd) filter (period = 'yesterday') as yesterday_failed_cost_more_usd,
        any_value(failed_cost_open_count) filter (period = 'yesterday') as yesterday_failed_cost_open_count,
        if(
            count(*) filter (period like 'weekday_%' and is_covered and cost_usd is not null) >= 2,
            median(cost_usd) filter (period like 'weekday_%' and is_covered), null
        )::decimal(38, 10) as usual_cost_usd,
        any_value(first_date) filter (period = 'month') as month,
        any_value(cost_usd) filter (period = 'month') as month_cost_usd,
        any_value(run_count) filter (period = 'month') as month_run_count,
        any_value(failed_count) filter (period = 'month') as month_failed_count,
        any_value(finished_count) filter (period = 'month') as month_finished_count,
        any_value(listed_run_count) filter (period = 'month') as month_listed_run_count,
        any_value(unlisted_run_count) filter (period = 'month') as month_unlisted_run_count,
        any_value(unknown_cost_count) filter (period = 'month') as month_unknown_cost_count,
        any_value(platform_cost_usd) filter (period = 'month') as month_platform_cost_usd,
        any_value(tokens_in) filter (period = 'month') as month_tokens_in,
        any_value(tokens_out) filter (period = 'month') as month_tokens_out,
        any_value(failed_cost_usd) filter (period = 'month') as month_failed_cost_usd,
        any_value(failed_cost_more_usd) filter (period = 'month') as month_failed_cost_more_usd,
        any_value(failed_cost_open_count) filter (period = 'month') as month_failed_cost_open_count,
        any_value(last_date) filter (period = 'month_days') as month_days_last,
        any_value(cost_usd) filter (period = 'month_days' and is_known) as month_days_cost_usd,
        any_value(last_date) filter (period = 'previous_days') as previous_days_last,
        any_value(cost_usd) filter (period = 'previous_days' and is_known) as previous_days_cost_usd,
        any_value(first_date) filter (period = 'last_month') as last_month,
        any_value(cost_usd) filter (period = 'last_month') as last_month_cost_usd,
        any_value(run_count) filter (period = 'last_month') as last_month_run_count,
        any_value(failed_count) filter (period = 'last_month') as last_month_failed_count,
        any_value(finished_count) filter (period = 'last_month') as last_month_finished_count,
        any_value(unknown_cost_count) filter (period = 'last_month') as last_month_unknown_cost_count,
        any_value(platform_cost_usd) filter (period = 'last_month') as last_month_platform_cost_usd,
        any_value(failed_cost_usd) filter (period = 'last_month') as last_month_failed_cost_usd,
        any_value(failed_cost_more_usd) filter (period = 'last_month') as last_month_failed_cost_more_usd,
        any_value(failed_cost_open_count) filter (period = 'last_month') as last_month_failed_cost_open_count,
        any_value(cost_usd) filter (period = 'month_before' and is_known) as month_before_cost_usd,
        any_value(first_date) filter (period = 'recent') as recent_first,
        any_value(last_date) filter (period = 'recent') as recent_last,
        any_value(cost_usd) filter (period = 'recent') as recent_cost_usd,
        any_value(run_count) filter (period = 'recent') as recent_run_count,
        any_value(failed_count) filter (period = 'recent') as recent_failed_count,
        any_value(finished_count) filter (period = 'recent') as recent_finished_count,
        any_value(unknown_cost_count) filter (period = 'recent') as recent_unknown_cost_count,
        any_value(no_usage_count) filter (period = 'recent') as recent_no_usage_count,
        any_value(run_cost_usd) filter (period = 'recent') as recent_run_cost_usd,
        any_value(failed_cost_usd) filter (period = 'recent') as recent_failed_cost_usd,
        any_value(failed_cost_more_usd) filter (period = 'recent') as recent_failed_cost_more_usd,
        any_value(failed_cost_open_count) filter (period = 'recent') as recent_failed_cost_open_count,
        any_value(finished_count - failed_count) filter (period = 'recent') as recent_succeeded_count,
        any_value(cost_usd) filter (period = 'before_recent' and is_known) as before_recent_cost_usd,
        any_value(run_cost_usd) filter (period = 'before_recent' and is_known) as before_recent_run_cost_usd,
        any_value(failed_count) filter (period = 'before_recent' and is_known) as before_recent_failed_count,
        any_value(finished_count) filter (period = 'before_recent' and is_known) as before_recent_finished_count,
        any_value(finished_count - failed_count) filter (period = 'before_recent' and is_known)
            as before_recent_succeeded_count,
        any_value(run_count) filter (period = 'charted') as run_count,
        any_value(listed_run_count) filter (period = 'charted') as listed_run_count,
        list(if(is_covered, cost_usd, null) order by period desc) filter (period like 'trend_%')
            as trend,
        list(if(is_covered, run_count, null) order by period desc) filter (period like 'trend_%')
            as trend_runs,
        list(if(is_covered, failed_count / nullif(finished_count, 0), null) order by period desc)
            filter (period like 'trend_%') as trend_rate
    from figures
    group by workspace_id, agent_id
),

spans as (
    select workspace_id, agent_id, min(first_date) as first_date, max(last_date) as last_date
    from reports.rpt_months
    where run_count > 0 or cost_usd <> 0
    group by workspace_id, agent_id
),

run_costs as (
    select
        runs.workspace_id,
        runs.agent_id,
        quantile_disc(runs.cost_usd, 0.5) as run_cost_median_usd,
        quantile_disc(runs.cost_usd, 0.9) as run_cost_p90_usd,
        max(runs.cost_usd) as run_cost_max_usd,
        count(*) as run_cost_count
    from marts.fct_runs as runs
    join reports.rpt_periods as periods
        on periods.workspace_id = runs.workspace_id
        and periods.agent_id = runs.agent_id
        and periods.period = 'recent'
        and runs.date between periods.first_date and periods.last_date
    where runs.is_terminal and runs.cost_usd is not null
    group by runs.workspace_id, runs.agent_id
),

names as (
    select
        workspaces.workspace_id,
        agents.agent_id,
        workspaces.workspace_name,
        agents.agent_name,
        agents.agent_slug,
        agents.line_type,
        agents.status,
        agents.is_listed,
        null::bigint as agent_count,
        workspaces.last_batch_at as as_of
    from marts.dim_agents as agents
    join marts.dim_workspaces as workspaces using (workspace_id)
    union all by name
    select
        workspace_id,
        '(all)' as agent_id,
        workspace_name,
        last_batch_at as as_of,
        (
            select count(*)
            from marts.dim_agents as agents
            where agents.workspace_id = workspaces.workspace_id and agents.line_type = 'agent'
        ) as agent_count
    from marts.dim_workspaces as workspaces
    union all by name
    select
        '(all)' as workspace_id,
        '(all)' as agent_id,
        max(last_batch_at) as as_of,
        (select count(*) from marts.dim_agents where line_type = 'agent') as agent_count
    from marts.dim_workspaces
)

select
    names.*,
    getvariable('reporting_timezone') as timezone,
    wide.yesterday + 1 as today,
    spans.first_date,
    spans.last_date,
    wide.* exclude (workspace_id, agent_id),
    run_costs.* exclude (workspace_id, agent_id)
from names
left join wide using (workspace_id, agent_id)
left join spans using (workspace_id, agent_id)
left join run_costs using (workspace_id, agent_id)
order by workspace_id, agent_id
