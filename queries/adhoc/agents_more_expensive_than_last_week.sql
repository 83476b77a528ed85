-- Which agents cost more in the last 7 complete days than before, by more runs or costlier ones?
-- The 7 days before are compared.
-- Of all runs; the platform's own activity is a line of its own.
with

recent as (
    select
        days.*,
        workspaces.workspace_name,
        days.date > workspaces.last_complete_date - 7 as is_this_week
    from marts.fct_agent_days as days
    join marts.dim_workspaces as workspaces using (workspace_id)
    where
        days.date > workspaces.last_complete_date - 14
        and days.date <= workspaces.last_complete_date
),

weeks as (
    select
        workspace_name,
        agent_name,
        coalesce(sum(cost_usd) filter (is_this_week), 0) as this_week_usd,
        coalesce(sum(cost_usd) filter (not is_this_week), 0) as last_week_usd,
        coalesce(sum(run_count) filter (is_this_week), 0)::bigint as this_week_runs,
        coalesce(sum(run_count) filter (not is_this_week), 0)::bigint as last_week_runs
    from recent
    group by workspace_id, workspace_name, agent_id, agent_name
)

select
    workspace_name,
    agent_name,
    last_week_usd,
    this_week_usd,
    this_week_usd - last_week_usd as change_usd,
    last_week_runs,
    this_week_runs,
    round(last_week_usd / nullif(last_week_runs, 0), 4)::decimal(18, 4) as last_week_usd_per_run,
    round(this_week_usd / nullif(this_week_runs, 0), 4)::decimal(18, 4) as this_week_usd_per_run
from weeks
where this_week_usd > last_week_usd
order by change_usd desc
