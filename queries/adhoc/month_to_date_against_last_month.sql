-- Where does each workspace stand this month against the same days of the month before?
-- With the runs that were never listed and the platform's own: older days lack more of theirs.
with

latest as (
    select max(date) as date
    from marts.fct_workspace_days_complete
),

days as (
    select
        days.*,
        days.date >= date_trunc('month', latest.date) as is_this_month
    from marts.fct_workspace_days_complete as days
    cross join latest
    where
        days.date >= date_trunc('month', latest.date) - interval 1 month
        and day(days.date) <= day(latest.date)
)

select
    workspaces.workspace_name,
    sum(days.complete_cost_usd) filter (days.is_this_month) as this_month_usd,
    sum(days.complete_cost_usd) filter (not days.is_this_month) as last_month_usd,
    sum(days.run_count + days.missing_run_count) filter (days.is_this_month)::bigint
        as this_month_runs,
    sum(days.run_count + days.missing_run_count) filter (not days.is_this_month)::bigint
        as last_month_runs
from days
join marts.dim_workspaces as workspaces using (workspace_id)
group by days.workspace_id, workspaces.workspace_name
order by this_month_usd desc nulls last
