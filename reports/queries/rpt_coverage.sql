-- Listed and unlisted runs over all days, and the batches that would list every run.
-- Grain: line; '(all)' as agent is the workspace, as workspace too all of them.
with

lines as (
    select
        if(grouping(workspace_id) = 1, '(all)', workspace_id) as workspace_id,
        if(grouping(agent_id) = 1, '(all)', agent_id) as agent_id,
        coalesce(sum(run_count), 0)::bigint as run_count,
        sum(cost_usd)::decimal(38, 10) as cost_usd,
        coalesce(sum(listed_run_count), 0)::bigint as listed_run_count,
        if(count(*) = 0, 0, nullif(
            sum(unlisted_run_count),
            if(count(run_count) > count(unlisted_run_count), 0, null)
        ))::bigint as unlisted_run_count,
        if(
            coalesce(bool_and(coalesce(unlisted_run_count = 0, false)), true),
            0,
            sum(unlisted_cost_usd) filter (unlisted_run_count > 0)
        )::decimal(38, 10) as unlisted_cost_usd
    from marts.fct_agent_days
    group by grouping sets ((workspace_id, agent_id), (workspace_id), ())
),

-- A workspace that has no day yet has a row of zeros all the same.
whole as (
    select workspace_id, '(all)' as agent_id
    from marts.dim_workspaces
    union
    select workspace_id, agent_id
    from lines
    union
    select workspace_id, agent_id
    from audit.list_coverage
)

select
    workspace_id,
    agent_id,
    coalesce(run_count, 0) as run_count,
    cost_usd,
    coalesce(listed_run_count, 0) as listed_run_count,
    if(coalesce(run_count, 0) = 0 or unlisted_run_count is not null, coalesce(run_count, 0), null)
        as counted_run_count,
    if(lines.workspace_id is null, 0, unlisted_run_count) as unlisted_run_count,
    if(lines.workspace_id is null, 0, unlisted_cost_usd)::decimal(38, 10) as unlisted_cost_usd,
    shortest_span_seconds,
    collection_interval_seconds
from whole
left join lines using (workspace_id, agent_id)
left join audit.list_coverage using (workspace_id, agent_id)
