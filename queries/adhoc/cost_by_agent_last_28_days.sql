-- What did each agent cost in the last 28 complete days, and how much of it failed?
-- Of all runs. Where failed runs are unlisted, the failed cost lies between its two amounts.
select
    workspaces.workspace_name,
    days.agent_name,
    sum(days.cost_usd) as cost_usd,
    sum(days.listed_cost_usd) as listed_cost_usd,
    sum(days.unlisted_cost_usd) as unlisted_cost_usd,
    sum(days.failed_cost_usd) as failed_cost_usd,
    if(
        bool_or(
            coalesce(days.unlisted_failed_count > 0, true)
            and days.failed_cost_high_usd is null
        ),
        null,
        sum(days.failed_cost_high_usd)
    ) as failed_cost_high_usd,
    sum(days.run_count)::bigint as run_count,
    sum(days.unlisted_run_count)::bigint as unlisted_run_count,
    sum(days.unknown_cost_count)::bigint as unknown_cost_count,
    sum(days.tokens_in)::bigint as tokens_in,
    sum(days.tokens_out)::bigint as tokens_out
from marts.fct_agent_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
where
    days.date > workspaces.last_complete_date - 28
    and days.date <= workspaces.last_complete_date
group by days.workspace_id, workspaces.workspace_name, days.agent_id, days.agent_name
order by sum(days.cost_usd) desc nulls last
