-- Months that hold figures, and whether these may still change.
-- Grain: workspace, month.
-- key: workspace_id, month
-- column month: First day of the calendar month.
-- column status: open (may change), incomplete (not read from its start) or closed.
-- column first_date: First UTC day of the month that was read.
-- column open_day_count: UTC days whose reconciliation is open or within_lag.
with

days as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        min(date) as first_date,
        count(*) filter (status in ('open', 'within_lag')) as open_day_count,
        count(*) filter (status = 'breach') as breach_day_count,
        sum(unexplained_usd) as unexplained_usd
    from marts.fct_reconciliation
    group by all
),

runs as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        count(*) filter (not is_terminal) as open_count,
        count(*) filter (is_terminal and not is_settled) as unsettled_count
    from marts.fct_runs
    group by all
),

months as (
    select
        workspace_id,
        month,
        days.first_date,
        coalesce(days.open_day_count, 0) as open_day_count,
        coalesce(days.breach_day_count, 0) as breach_day_count,
        days.unexplained_usd,
        coalesce(runs.open_count, 0) as open_count,
        coalesce(runs.unsettled_count, 0) as unsettled_count
    from days
    full join runs using (workspace_id, month)
),

ends as (
    select
        months.*,
        greatest(
            (month + interval 1 month) at time zone getvariable('reporting_timezone'),
            (month + interval 1 month) at time zone 'UTC'
        ) as ends_at,
        workspaces.last_night_at
    from months
    join marts.dim_workspaces as workspaces using (workspace_id)
)

select
    workspace_id,
    month,
    case
        when
            last_night_at is null
            or last_night_at < ends_at
            or open_day_count + open_count + unsettled_count > 0
            then 'open'
        when first_date is null or first_date > month then 'incomplete'
        else 'closed'
    end as status,
    first_date,
    open_day_count,
    breach_day_count,
    unexplained_usd,
    open_count,
    unsettled_count
from ends
order by workspace_id, month
