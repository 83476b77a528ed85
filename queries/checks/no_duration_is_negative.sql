-- No run waits, works or calls a tool for less than no time, nor do an agent's runs of a day.
select workspace_id, agent_id, date, run_id, queue_seconds, duration_seconds
from marts.fct_runs
where queue_seconds < 0 or duration_seconds < 0
union all by name
select workspace_id, run_id, seq, elapsed_ms
from marts.fct_log_events
where elapsed_ms < 0
union all by name
select workspace_id, agent_id, date, duration_ms
from marts.fct_agent_days
where duration_ms < 0
