-- Log events of the runs of rpt_runs, for each line and month of the 50 newest and of the 10 most
-- expensive. Grain: run and event.
-- key: workspace_id, run_id, seq
-- column event: Kind of the event, and the tool that it names; else its level.
-- column after_ms: Milliseconds since the run was created.
-- column is_error: True if the event says of itself that it is an error.
select
    runs.workspace_id,
    runs.run_id,
    events.seq,
    runs.agent_id,
    runs.date,
    coalesce(
        events.event_kind || coalesce(': ' || events.tool_name, ''), events.level, '(none)'
    ) as event,
    events.node,
    date_diff('ms', runs.created_at, events.occurred_at) as after_ms,
    round(events.duration_ms)::bigint as duration_ms,
    coalesce(events.is_error or events.level in ('ERROR', 'CRITICAL'), false) as is_error
from reports.rpt_runs as runs
join marts.fct_log_events as events using (workspace_id, run_id)
where runs.newest_rank <= 50 or runs.cost_rank <= 10
order by runs.workspace_id, runs.agent_id, runs.date, runs.run_id, events.seq
