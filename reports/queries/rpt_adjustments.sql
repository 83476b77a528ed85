-- Figures that changed after they were published, the newest first. Grain: line, date and load.
select
    workspace_id,
    agent_id,
    date,
    load_id,
    previous_cost_usd,
    current_cost_usd,
    current_cost_usd - previous_cost_usd as difference_cost_usd,
    previous_run_count,
    current_run_count,
    coalesce(cause, '(none)') as cause,
    seen_at
from marts.fct_adjustments
order by workspace_id, load_id desc, date desc, agent_id
