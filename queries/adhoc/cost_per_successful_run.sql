-- What does a success cost each agent by month, its failed and cancelled runs included?
-- Of listed runs alone: how a run ended that the API lists no more (`missing_run_count`), nobody
-- can tell.
select
    workspace_name,
    month,
    agent_name,
    succeeded_count,
    cost_usd as listed_cost_usd,
    round(cost_usd / nullif(succeeded_count, 0), 4)::decimal(18, 4) as usd_per_success,
    round(100 * failed_cost_usd / nullif(cost_usd, 0), 1) as failed_cost_percent,
    missing_run_count
from marts.fct_agent_months_complete
where line_type <> 'platform' and run_count > 0
order by month desc, usd_per_success desc nulls last
