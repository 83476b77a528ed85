-- Runs of an agent, by the month of their creation in the reporting time zone.
-- Grain: workspace, agent, month.
-- key: workspace_id, agent_id, month
select
    measures.workspace_id,
    measures.agent_id,
    agents.agent_slug,
    if(measures.agent_id is null, 'No agent', agents.agent_name) as agent_name,
    measures.starts_on as month,
    measures.run_count,
    measures.succeeded_count,
    measures.failed_count,
    measures.cancelled_count,
    measures.open_count,
    measures.no_usage_count,
    measures.unknown_cost_count,
    rates.failure_rate,
    rates.failure_rate_low,
    rates.failure_rate_high,
    measures.cost_usd,
    measures.failed_cost_usd,
    measures.tokens_in,
    measures.tokens_out
from intermediate.int_run_measures as measures
join intermediate.int_failure_rates as rates using (succeeded_count, failed_count)
left join marts.dim_agents as agents using (workspace_id, agent_id)
where measures.scope = 'agent' and measures.period = 'month'
order by measures.workspace_id, measures.agent_id, month
