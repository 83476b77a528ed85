-- Time that listed runs waited for the results of their tools. Grain: workspace, line, date of the
-- run, tool and node.
-- key: workspace_id, agent_id, date, tool_name, node
-- column duration_ms: Milliseconds from the use of the tool to its result, summed over calls.
-- column call_count: Calls of the tool.
-- column error_count: Calls whose result was an error.
select
    workspace_id,
    runs.agent_id,
    runs.date,
    coalesce(calls.tool_name, '(none)') as tool_name,
    coalesce(calls.node, '(none)') as node,
    round(sum(calls.duration_ms))::bigint as duration_ms,
    count(*) as call_count,
    count(*) filter (calls.is_error) as error_count
from marts.fct_tool_calls as calls
join marts.fct_runs as runs using (workspace_id, run_id)
group by all
order by workspace_id, runs.date, runs.agent_id, tool_name, node
