-- Which tools are slow, and which fail often, in the last 28 complete days?
-- Of listed runs whose log events were read.
select
    calls.tool_name,
    count(*) as use_count,
    count(distinct (calls.workspace_id, calls.run_id)) as listed_run_count,
    count(*) filter (calls.is_error) as error_count,
    round(100.0 * error_count / nullif(count(calls.is_error), 0), 1) as error_percent,
    round(quantile_cont(calls.elapsed_ms, 0.5)) as median_ms,
    round(quantile_cont(calls.elapsed_ms, 0.95)) as p95_ms,
    round(sum(calls.elapsed_ms) / 1000) as total_seconds
from marts.fct_tool_calls as calls
join marts.fct_runs as runs using (workspace_id, run_id)
join marts.dim_workspaces as workspaces using (workspace_id)
where
    runs.date > workspaces.last_complete_date - 28
    and runs.date <= workspaces.last_complete_date
group by calls.tool_name
order by total_seconds desc nulls last, use_count desc
