-- Figures of the periods of rpt_periods: sums of rpt_days, 0 in a period that was read and holds no
-- run. Grain: entity and period.
-- key: workspace_id, agent_id, period
-- column period: Name of the period.
-- column first_date: First day of the period.
-- column last_date: Last day of the period.
-- column is_known: True if every day was read whole, and the cost of four runs in five is known.
-- column run_cost_usd: Cost in US dollars without the platform's own.
-- column failed_cost_more_usd: US dollars that failed runs may have cost beyond failed_cost_usd.
-- column failed_cost_open_count: Days with failed runs of a cost that nothing bounds.
with

days as (
    from reports.rpt_days
    union all by name
    select *, '(all)' as agent_id
    from reports.rpt_workspace_days
    union all by name
    select * replace ('(all)' as workspace_id), '(all)' as agent_id
    from reports.rpt_workspace_days
),

sums as (
    select
        periods.workspace_id,
        periods.agent_id,
        periods.period,
        periods.first_date,
        periods.last_date,
        periods.is_covered,
        count(days.date) as day_count,
        sum(days.run_count)::bigint as run_count,
        sum(days.succeeded_count)::bigint as succeeded_count,
        sum(days.failed_count)::bigint as failed_count,
        sum(days.finished_count)::bigint as finished_count,
        sum(days.open_count)::bigint as open_count,
        sum(days.listed_run_count)::bigint as listed_run_count,
        sum(days.unlisted_run_count)::bigint as unlisted_run_count,
        sum(days.unknown_cost_count)::bigint as unknown_cost_count,
        sum(days.no_usage_count)::bigint as no_usage_count,
        sum(days.cost_usd) as cost_usd,
        sum(days.run_cost_usd) as run_cost_usd,
        sum(days.platform_cost_usd) as platform_cost_usd,
        sum(days.failed_cost_usd) as failed_cost_usd,
        sum(days.failed_cost_more_usd) as failed_cost_more_usd,
        sum(days.failed_cost_open_count)::bigint as failed_cost_open_count,
        sum(days.tokens_in)::bigint as tokens_in,
        sum(days.tokens_out)::bigint as tokens_out
    from reports.rpt_periods as periods
    left join days
        on days.workspace_id = periods.workspace_id
        and days.agent_id = periods.agent_id
        and days.date between periods.first_date and periods.last_date
    group by all
)

select
    * exclude (is_covered, day_count) replace (
        if(day_count = 0 and is_covered, 0, run_count) as run_count,
        if(day_count = 0 and is_covered, 0, succeeded_count) as succeeded_count,
        if(day_count = 0 and is_covered, 0, failed_count) as failed_count,
        if(day_count = 0 and is_covered, 0, finished_count) as finished_count,
        if(day_count = 0 and is_covered, 0, open_count) as open_count,
        if(day_count = 0 and is_covered, 0, listed_run_count) as listed_run_count,
        if(day_count = 0 and is_covered, 0, unlisted_run_count) as unlisted_run_count,
        if(day_count = 0 and is_covered, 0, unknown_cost_count) as unknown_cost_count,
        if(day_count = 0 and is_covered, 0, no_usage_count) as no_usage_count,
        if(day_count = 0 and is_covered, 0, cost_usd) as cost_usd,
        if(day_count = 0 and is_covered, 0, run_cost_usd) as run_cost_usd,
        if(day_count = 0 and is_covered, 0, platform_cost_usd) as platform_cost_usd,
        if(day_count = 0 and is_covered, 0, failed_cost_usd) as failed_cost_usd,
        if(day_count = 0 and is_covered, 0, failed_cost_more_usd) as failed_cost_more_usd,
        if(day_count = 0 and is_covered, 0, failed_cost_open_count) as failed_cost_open_count,
        if(day_count = 0 and is_covered, 0, tokens_in) as tokens_in,
        if(day_count = 0 and is_covered, 0, tokens_out) as tokens_out
    ),
    is_covered and 5 * coalesce(unknown_cost_count, 0) <= coalesce(run_count, 0) as is_known
from sums
order by all
