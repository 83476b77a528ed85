-- How fast an agent fills the 200 runs that the API lists of it, in the 28 days before the last
-- batch, and how many batches a day, evenly spaced, would have missed none.
-- Grain: agent.
-- key: workspace_id, agent_id
with

recent_runs as (
    select
        runs.workspace_id,
        runs.agent_id,
        epoch(runs.created_at - lag(runs.created_at, 199) over (
            partition by runs.workspace_id, runs.agent_id
            order by runs.created_at, runs.run_id
        )) as span_seconds
    from marts.fct_runs as runs
    join marts.dim_workspaces as workspaces using (workspace_id)
    where runs.agent_id is not null and runs.created_at > last_batch_at - interval 28 days
),

shortest as (
    select workspace_id, agent_id, min(span_seconds) as span_seconds
    from recent_runs
    group by workspace_id, agent_id
),

busiest as (
    select
        workspace_id,
        agent_id,
        max(greatest(held_run_count, counted_run_count)) as busiest_day_run_count
    from intermediate.int_agent_days_compared
    join intermediate.int_metered_days using (workspace_id, date)
    where agent_id is not null and date > last_date - 28
    group by workspace_id, agent_id
),

paces as (
    select
        workspace_id,
        agent_id,
        busiest_day_run_count,
        -- Runs that were never seen hide a short span; the day's count tells of it.
        least(span_seconds, 200 * 86400 / nullif(busiest_day_run_count, 0))
            as shortest_span_seconds
    from busiest
    left join shortest using (workspace_id, agent_id)
)

select
    *,
    (floor(86400 / nullif(shortest_span_seconds, 0)) + 1)::bigint as required_batches_per_day
from paces
where busiest_day_run_count > 0
order by workspace_id, agent_id
