-- Where does each workspace stand this month up to yesterday, against the same days of the last?
-- Of all runs and the platform's own, of as many days as the month before has; on
-- its first day a month has none. Days that were not read, or with costs that are mostly unknown,
-- are compared with nothing.
with

spans as (
    select
        *,
        date_trunc('month', last_batch_date)::date as month,
        (date_trunc('month', last_batch_date) - interval 1 month)::date as last_month,
        least(last_complete_date - month + 1, month - last_month) as day_count
    from marts.dim_workspaces
),

sums as (
    select
        workspaces.workspace_id,
        dates.date >= workspaces.month as is_this_month,
        sum(days.cost_usd) as cost_usd,
        sum(days.run_count)::bigint as run_count,
        sum(days.unknown_platform_count) as unknown_platform_count,
        count(*) filter (dates.is_complete) = any_value(workspaces.day_count) as is_whole,
        is_whole
        and 5 * coalesce(sum(days.unknown_cost_count), 0) <= coalesce(sum(days.run_count), 0)
            as is_covered
    from spans as workspaces
    join marts.dim_dates as dates
        on dates.workspace_id = workspaces.workspace_id
        and dates.date <= workspaces.last_complete_date
        and dates.date - if(dates.date >= workspaces.month, workspaces.month, workspaces.last_month)
        between 0 and workspaces.day_count - 1
    left join marts.fct_workspace_days as days
        on days.workspace_id = dates.workspace_id and days.date = dates.date
    group by workspaces.workspace_id, is_this_month
)

select
    workspaces.workspace_name,
    this_month.cost_usd as this_month_usd,
    if(
        this_month.is_covered
        and last_month.is_covered
        and this_month.unknown_platform_count = last_month.unknown_platform_count,
        last_month.cost_usd,
        null
    ) as last_month_usd,
    this_month.run_count as this_month_runs,
    if(this_month.is_whole and last_month.is_whole, last_month.run_count, null) as last_month_runs
from marts.dim_workspaces as workspaces
left join sums as this_month
    on this_month.workspace_id = workspaces.workspace_id and this_month.is_this_month
left join sums as last_month
    on last_month.workspace_id = workspaces.workspace_id and not last_month.is_this_month
where coalesce(this_month.workspace_id, last_month.workspace_id) is not null
order by this_month_usd desc nulls last
