-- Tool calls of listed runs: each use of a tool with its result. The log does not say which use a
-- result answers: a run's first result is that of its first use, and so on; a use that was never
-- answered has no result. Grain: run and tool call.
-- key: workspace_id, run_id, call_number
-- narrow: run_id
-- column call_number: Number of the call within its run, from 1.
-- column seq: Position of the use in the run's log.
-- column is_error: True if the result is an error; null without a result.
-- column duration_ms: Milliseconds to the result; null where the log does not say.
-- column called_at: When the tool was used (UTC).
with

uses as (
    select
        workspace_id,
        run_id,
        seq,
        tool_name,
        node,
        occurred_at as called_at,
        row_number() over (partition by workspace_id, run_id order by seq) as call_number
    from marts.fct_log_events
    where event_kind = 'tool_use'
),

results as (
    select
        workspace_id,
        run_id,
        is_error,
        duration_ms,
        occurred_at as answered_at,
        row_number() over (partition by workspace_id, run_id order by seq) as call_number
    from marts.fct_log_events
    where event_kind = 'tool_result'
)

select
    workspace_id,
    run_id,
    call_number,
    uses.seq,
    uses.tool_name,
    uses.node,
    uses.called_at,
    results.answered_at,
    results.is_error,
    results.duration_ms
from uses
left join results using (workspace_id, run_id, call_number)
