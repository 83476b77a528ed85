-- The shortest time in which an agent started the 200 runs that the API lists of it, in the 28 days
-- before the last batch, and how many batches a day, evenly spaced, would have listed every run.
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
    where runs.agent_id <> '(none)' and runs.created_at > last_batch_at - interval 28 days
),

shortest as (
    select workspace_id, agent_id, min(span_seconds) as span_seconds
    from recent_runs
    group by workspace_id, agent_id
),

days as (
    select
        workspace_id,
        agent_id,
        utc_date,
        greatest(listed_run_count, api_run_count, api_rollup_run_count) as run_count,
        unlisted_run_count
    from intermediate.int_agent_days_vs_api
    join intermediate.int_metered_days using (workspace_id, utc_date)
    where agent_id <> '(platform)' and utc_date > last_date - 28
),

busiest as (
    select workspace_id, agent_id, max(run_count) as busiest_day_run_count
    from days
    group by workspace_id, agent_id
),

-- Runs that are not listed came as the hours' shares of model requests have it.
hours as (
    select
        days.workspace_id,
        days.agent_id,
        hours.hour,
        days.run_count * sum(hours.request_count)
        / nullif(sum(sum(hours.request_count)) over day, 0) as run_count
    from days
    join marts.fct_usage_hours as hours
        on hours.workspace_id = days.workspace_id
        and hours.agent_id = days.agent_id
        and (hours.hour at time zone 'UTC')::date = days.utc_date
    semi join (from days where unlisted_run_count > 0) as unlisted
        on unlisted.workspace_id = days.workspace_id and unlisted.agent_id = days.agent_id
    group by days.workspace_id, days.agent_id, days.utc_date, days.run_count, hours.hour
    window day as (partition by days.workspace_id, days.agent_id, days.utc_date)
),

counted_hours as (
    select *, sum(run_count) over agent as so_far, so_far - run_count as before
    from hours
    where run_count > 0
    window agent as (partition by workspace_id, agent_id order by hour)
),

busiest_hours as (
    select
        ends.workspace_id,
        ends.agent_id,
        min(
            200 * (epoch(ends.hour - begins.hour) + 3600) / (ends.so_far - begins.before)
        ) as span_seconds
    from counted_hours as ends
    asof join counted_hours as begins
        on begins.workspace_id = ends.workspace_id
        and begins.agent_id = ends.agent_id
        and begins.before <= ends.so_far - 200
    group by ends.workspace_id, ends.agent_id
),

spans as (
    select
        workspace_id,
        agent_id,
        busiest_day_run_count,
        -- Where runs are unlisted the shortest span is not seen; the day and its hours bound it.
        least(
            shortest.span_seconds,
            200 * 86400 / nullif(busiest_day_run_count, 0),
            busiest_hours.span_seconds
        ) as shortest_span_seconds
    from busiest
    left join shortest using (workspace_id, agent_id)
    left join busiest_hours using (workspace_id, agent_id)
)

select
    *,
    (floor(86400 / nullif(shortest_span_seconds, 0)) + 1)::bigint as required_batches_per_day,
    -- Half a span, so that a batch may keep a collection waiting; cron knows these intervals.
    list_max(list_filter(
        [
            43200, 28800, 21600, 14400, 10800, 7200, 3600, 1800, 1200, 900, 720, 600, 360, 300, 240,
            180, 120, 60, 30, 20, 15, 10, 5, 2, 1
        ],
        lambda seconds: seconds <= shortest_span_seconds / 2
    ))::bigint as collection_interval_seconds
from spans
where busiest_day_run_count > 0
order by workspace_id, agent_id
