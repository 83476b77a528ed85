-- The log of listed runs that pages show, as far as it is shown.
-- Grain: run and event.
-- materialized: view
-- column event: Kind of the event with the name of the tool, if there is one; else its level.
-- column node: Part of the agent that logged the event; '(none)' where the log does not say.
-- column after_ms: Milliseconds from the creation of the run; null where the log has no time.
-- column elapsed_ms: Milliseconds that the event took; null where the log does not say.
-- column is_error: True of an event that is an error, or whose level says so.
select
    runs.workspace_id,
    runs.agent_id,
    runs.date,
    runs.run_id,
    events.seq,
    coalesce(
        events.event_kind || coalesce(': ' || events.tool_name, ': ' || calls.tool_name, ''),
        events.level,
        '(none)'
    ) as event,
    coalesce(events.node, '(none)') as node,
    epoch_us(events.occurred_at) // 1000 - epoch_us(runs.created_at) // 1000 as after_ms,
    round(events.elapsed_ms)::bigint as elapsed_ms,
    coalesce(events.is_error or events.level in ('ERROR', 'CRITICAL'), false) as is_error
from reports.rpt_runs as runs
join marts.fct_log_events as events using (workspace_id, run_id)
left join marts.fct_tool_calls as calls
    on calls.workspace_id = events.workspace_id
    and calls.run_id = events.run_id
    and calls.result_seq = events.seq
where runs.has_log
