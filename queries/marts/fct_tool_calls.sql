-- Tool calls of listed runs: each use of a tool with its result, which has the same identifier. Of
-- uses that share one, or have none, the first is that of the first result, and so on; a use that
-- was never answered has no result. Grain: run and tool call.
-- key: workspace_id, run_id, call_number
-- narrow: run_id
-- column seq: Position of the use in the run's log.
-- column result_seq: Position of the result in the run's log; null without one.
-- column is_error: True if the result is an error; null without a result.
with

events as (
    select
        *,
        row_number() over (partition by workspace_id, run_id, event_kind order by seq) as number,
        row_number() over (
            partition by workspace_id, run_id, event_kind, tool_use_id order by seq
        ) as number_of_use
    from marts.fct_log_events
    where event_kind in ('tool_use', 'tool_result')
)

select
    uses.workspace_id,
    uses.run_id,
    uses.number as call_number,
    uses.seq,
    results.seq as result_seq,
    uses.tool_name,
    uses.node,
    uses.occurred_at as called_at,
    results.occurred_at as answered_at,
    results.is_error,
    results.elapsed_ms
from events as uses
left join events as results
    on results.event_kind = 'tool_result'
    and results.workspace_id = uses.workspace_id
    and results.run_id = uses.run_id
    and results.tool_use_id is not distinct from uses.tool_use_id
    and results.number_of_use = uses.number_of_use
where uses.event_kind = 'tool_use'
