-- Calls of a tool within the hours of its outage, as findings tell it, by the agent that called.
-- Grain: workspace, tool, outage and agent.
select
    workspace_id, runs.agent_id, tool_name, since,
    count(*) as call_count,
    count(*) filter (is_error) as error_count
from marts.fct_findings as outages
join marts.fct_tool_calls using (workspace_id)
join marts.fct_runs as runs using (workspace_id, run_id)
where outages.kind = 'failure_burst' and detail = 'tool' and tool_name = subject
    and called_at >= since and called_at < coalesce(until, 'infinity')
group by all
