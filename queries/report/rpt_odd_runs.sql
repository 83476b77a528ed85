-- Lines with runs that succeeded with no usage reported, or with runs of unknown cost. Grain: line.
-- key: workspace_id, agent_id
select
    workspace_id,
    agent_id,
    sum(succeeded_count)::bigint as succeeded_count,
    sum(no_usage_count)::bigint as no_usage_count,
    max(date) filter (no_usage_count > 0) as last_no_usage_date,
    sum(run_count)::bigint as run_count,
    sum(unknown_cost_count)::bigint as unknown_cost_count,
    max(date) filter (unknown_cost_count > 0) as last_unknown_cost_date
from marts.fct_agent_days
group by workspace_id, agent_id
having sum(no_usage_count) + sum(unknown_cost_count) > 0
order by workspace_id, agent_id
