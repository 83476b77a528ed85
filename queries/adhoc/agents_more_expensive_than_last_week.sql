-- Which agents cost more in the last 7 complete days than before, by more runs or costlier ones?
-- The 7 days before are compared, where both weeks were read and the cost of most runs is known.
-- Of all runs; the platform's own activity is a line of its own. Costs of a run are null where that
-- of some is unknown.
with

weeks as (
    select workspace_id, workspaces.last_complete_date - 6 as first_day
    from marts.dim_workspaces as workspaces
    join marts.dim_dates as dates using (workspace_id)
    where
        dates.is_complete
        and dates.date <= workspaces.last_complete_date
        and dates.date > workspaces.last_complete_date - 14
    group by all
    having count(*) = 14
),

sums as (
    select
        workspace_id,
        agent_id,
        coalesce(sum(cost_usd) filter (date < first_day), 0) as last_week_usd,
        coalesce(sum(cost_usd) filter (date >= first_day), 0) as this_week_usd,
        coalesce(sum(run_count) filter (date < first_day), 0)::bigint as last_week_runs,
        coalesce(sum(run_count) filter (date >= first_day), 0)::bigint as this_week_runs,
        coalesce(sum(unknown_cost_count) filter (date < first_day), 0) as last_week_unknown,
        coalesce(sum(unknown_cost_count) filter (date >= first_day), 0) as this_week_unknown
    from marts.fct_agent_days
    join weeks using (workspace_id)
    where date between first_day - 7 and first_day + 6
    group by all
    having
        coalesce(sum(unknown_platform_count), 0) = 0
        and 5 * last_week_unknown <= last_week_runs
        and 5 * this_week_unknown <= this_week_runs
)

select
    workspaces.workspace_name,
    agents.agent_name,
    last_week_usd::decimal(38, 10) as last_week_usd,
    this_week_usd::decimal(38, 10) as this_week_usd,
    (this_week_usd - last_week_usd)::decimal(38, 10) as change_usd,
    last_week_runs,
    this_week_runs,
    if(last_week_unknown > 0, null, round(last_week_usd / nullif(last_week_runs, 0), 4))
        ::decimal(18, 4) as last_week_usd_per_run,
    if(this_week_unknown > 0, null, round(this_week_usd / nullif(this_week_runs, 0), 4))
        ::decimal(18, 4) as this_week_usd_per_run
from sums
join marts.dim_workspaces as workspaces using (workspace_id)
join marts.dim_agents as agents using (workspace_id, agent_id)
where this_week_usd > last_week_usd
order by change_usd desc
