-- Where does each workspace stand this month, against the same days of the month before?
-- Of all runs and the platform's own, up to the last complete day.
with

days as (
    select
        days.*,
        workspaces.workspace_name,
        days.date >= date_trunc('month', workspaces.last_complete_date) as is_this_month
    from marts.fct_workspace_days as days
    join marts.dim_workspaces as workspaces using (workspace_id)
    where
        days.date >= date_trunc('month', workspaces.last_complete_date) - interval 1 month
        and days.date <= workspaces.last_complete_date
        and day(days.date) <= day(workspaces.last_complete_date)
)

select
    workspace_name,
    sum(cost_usd) filter (is_this_month) as this_month_usd,
    sum(cost_usd) filter (not is_this_month) as last_month_usd,
    sum(run_count) filter (is_this_month)::bigint as this_month_runs,
    sum(run_count) filter (not is_this_month)::bigint as last_month_runs
from days
group by workspace_id, workspace_name
order by this_month_usd desc nulls last
