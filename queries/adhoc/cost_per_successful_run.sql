-- What does a successful run cost each agent by month, up to the last complete day?
-- The cost of its other runs is in it. Of all runs; null where the outcome or the cost of some is
-- unknown. Where failed runs are unlisted, the failed cost lies between its two amounts.
select
    workspaces.workspace_name,
    date_trunc('month', days.date)::date as month,
    days.agent_name,
    sum(days.succeeded_count)::bigint as succeeded_count,
    sum(days.cost_usd) as cost_usd,
    if(
        bool_or(days.unlisted_run_count > 0 and days.unlisted_failed_count is null)
        or sum(days.unknown_cost_count) > 0,
        null,
        marts.usd_per_success(sum(days.cost_usd), sum(days.succeeded_count))
    ) as usd_per_success,
    sum(days.failed_cost_usd) as failed_cost_usd,
    if(
        bool_or(
            coalesce(days.unlisted_failed_count > 0, true)
            and days.failed_cost_high_usd is null
        ),
        null,
        sum(days.failed_cost_high_usd)
    ) as failed_cost_high_usd
from marts.fct_agent_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
where days.line_type <> 'platform' and days.date <= workspaces.last_complete_date
group by days.workspace_id, workspaces.workspace_name, month, days.agent_id, days.agent_name
order by month desc, usd_per_success desc nulls last
