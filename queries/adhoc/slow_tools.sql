-- Which tools are slow, and which fail often?
-- The log does not say which use a result answers: a run's first result is taken for its first
-- use, and so on.
with

uses as (
    select
        workspace_id,
        run_id,
        tool_name,
        row_number() over (partition by workspace_id, run_id order by seq) as position
    from marts.fct_log_events
    where event_kind = 'tool_use'
),

results as (
    select
        workspace_id,
        run_id,
        is_error,
        duration_ms,
        row_number() over (partition by workspace_id, run_id order by seq) as position
    from marts.fct_log_events
    where event_kind = 'tool_result'
)

select
    uses.tool_name,
    count(*) as use_count,
    count(distinct uses.run_id) as run_count,
    count(*) filter (results.is_error) as error_count,
    round(100.0 * error_count / nullif(count(results.is_error), 0), 1) as error_percent,
    round(quantile_cont(results.duration_ms, 0.5)) as median_ms,
    round(quantile_cont(results.duration_ms, 0.95)) as p95_ms,
    round(sum(results.duration_ms) / 1000) as total_seconds
from uses
left join results using (workspace_id, run_id, position)
group by uses.tool_name
order by total_seconds desc nulls last, use_count desc
