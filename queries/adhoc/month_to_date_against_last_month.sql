-- Where does each workspace stand this month, up to its last complete day, against the same days of
-- the month before? With the runs that the API lists no more, and the platform's own.
with

days as (
    select
        days.*,
        workspaces.workspace_name,
        days.date >= date_trunc('month', workspaces.last_complete_date) as is_this_month
    from marts.fct_workspace_days_complete as days
    join marts.dim_workspaces as workspaces using (workspace_id)
    where
        days.date >= date_trunc('month', workspaces.last_complete_date) - interval 1 month
        and days.date <= workspaces.last_complete_date
        and day(days.date) <= day(workspaces.last_complete_date)
)

select
    workspace_name,
    sum(complete_cost_usd) filter (is_this_month) as this_month_usd,
    sum(complete_cost_usd) filter (not is_this_month) as last_month_usd,
    sum(run_count + missing_run_count) filter (is_this_month)::bigint as this_month_runs,
    sum(run_count + missing_run_count) filter (not is_this_month)::bigint as last_month_runs
from days
group by workspace_id, workspace_name
order by this_month_usd desc nulls last
