-- Calls of tools by hour of the last 57 days, and beside them errors with the agents that met
-- them, in `met_count` runs. A run lasts 30 days at most: so not all runs are read.
with

calls as (
    select
        calls.* exclude (called_at),
        last_batch_at,
        time_bucket(interval 1 hour, called_at) as hour
    from marts.fct_tool_calls as calls
    join marts.dim_workspaces using (workspace_id)
    where called_at >= last_batch_at - interval 57 days and tool_name is not null
)

select workspace_id, tool_name, hour, count(*) as call_count
from calls
group by all
union all by name
select
    workspace_id,
    runs.agent_id,
    tool_name,
    hour,
    count(*) as error_count,
    count(distinct run_id) as met_count
from calls
join marts.fct_runs as runs using (workspace_id, run_id)
where is_error and runs.created_at >= last_batch_at - interval 87 days
group by all
