-- Adjustments of earlier, closed months that a month books, or will book when it is closed.
select
    strftime(original_month, '%Y-%m') as original_month,
    strftime(booked_month, '%Y-%m') as booked_month,
    workspace_name,
    agent_name,
    owner,
    cost_center,
    cause,
    difference_billed_usd,
    difference_surcharge_usd,
    difference_own_key_usd,
    difference_cost_usd,
    difference_run_count,
    difference_listed_run_count,
    previous_billed_usd,
    current_billed_usd,
    previous_surcharge_usd,
    current_surcharge_usd,
    previous_own_key_usd,
    current_own_key_usd,
    previous_cost_usd,
    current_cost_usd,
    previous_run_count,
    current_run_count,
    is_booked,
    load_id,
    workspace_id,
    agent_id
from marts.fct_period_adjustments
where booked_month = $month::date and list_contains($workspace_ids, workspace_id)
order by
    original_month, workspace_name, workspace_id, agent_name, agent_id, owner, cost_center, cause
