-- UTC days whose runs the API has counted after they had ended, of each agent.
-- Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
with

counts as (
    select
        workspace_id,
        agent_id,
        window_start,
        least(window_end, (fetched_at at time zone 'UTC')::date) as end_date
    from ledger.requests
    where source = 'run_counts' and status = 200
),

-- Of each count, the days after those that an earlier window holds.
spans as (
    select
        workspace_id,
        agent_id,
        greatest(window_start, max(end_date) over earlier) as first_date,
        end_date
    from counts
    window earlier as (
        partition by workspace_id, agent_id
        order by window_start, end_date
        rows between unbounded preceding and 1 preceding
    )
)

select
    workspace_id,
    agent_id,
    unnest(generate_series(first_date, end_date - 1, interval 1 day))::date as utc_date
from spans
where first_date < end_date
