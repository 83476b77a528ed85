-- Tool calls of listed runs, by the date of their run.
-- Grain: workspace, line, date, tool and node.
-- key: workspace_id, agent_id, date, tool_name, node
-- narrow: date
-- narrow fct_tool_calls: by run_id
-- column elapsed_ms: Milliseconds from use to result, summed; null where no log says it.
-- column error_count: Calls whose result is an error.
select
    runs.workspace_id,
    runs.agent_id,
    runs.date,
    coalesce(calls.tool_name, '(none)') as tool_name,
    coalesce(calls.node, '(none)') as node,
    round(sum(calls.elapsed_ms))::bigint as elapsed_ms,
    count(*) as call_count,
    count(*) filter (calls.is_error) as error_count
from marts.fct_tool_calls as calls
join marts.fct_runs as runs using (workspace_id, run_id)
group by all
