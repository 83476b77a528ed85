-- Which agents cost more in the last 7 days than in the 7 before, and is it more runs or
-- dearer ones?
with

latest as (
    select max(date) as date
    from marts.fct_agent_days
),

recent as (
    select days.*, days.date > latest.date - 7 as is_this_week
    from marts.fct_agent_days as days
    cross join latest
    where days.date > latest.date - 14
),

weeks as (
    select
        workspace_id,
        agent_id,
        agent_name,
        coalesce(sum(cost_usd) filter (is_this_week), 0) as this_week_usd,
        coalesce(sum(cost_usd) filter (not is_this_week), 0) as last_week_usd,
        coalesce(sum(run_count) filter (is_this_week), 0)::bigint as this_week_runs,
        coalesce(sum(run_count) filter (not is_this_week), 0)::bigint as last_week_runs
    from recent
    group by workspace_id, agent_id, agent_name
)

select
    workspaces.workspace_name,
    weeks.agent_name,
    weeks.last_week_usd,
    weeks.this_week_usd,
    weeks.this_week_usd - weeks.last_week_usd as change_usd,
    weeks.last_week_runs,
    weeks.this_week_runs,
    round(weeks.last_week_usd / nullif(weeks.last_week_runs, 0), 4)::decimal(18, 4)
        as last_week_usd_per_run,
    round(weeks.this_week_usd / nullif(weeks.this_week_runs, 0), 4)::decimal(18, 4)
        as this_week_usd_per_run
from weeks
join marts.dim_workspaces as workspaces using (workspace_id)
where weeks.this_week_usd > weeks.last_week_usd
order by change_usd desc
