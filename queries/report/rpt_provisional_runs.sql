-- Runs that may still change: open ones, then those that have ended. Grain: run.
-- key: workspace_id, run_id
-- column state: open, or provisional once the run has ended.
select
    workspace_id,
    run_id,
    agent_id,
    if(is_terminal, 'provisional', 'open') as state,
    status,
    created_at,
    last_changed_at,
    cost_usd
from marts.fct_runs
where not is_final
order by workspace_id, is_terminal, created_at, run_id
