-- Adjustments of earlier, closed months that a month books, or will book when it is closed.
select
    strftime(usage_month, '%Y-%m') as usage_month,
    workspace_name,
    agent_name,
    owner,
    cost_center,
    cause,
    previous_billed_usd,
    current_billed_usd,
    difference_billed_usd,
    difference_surcharge_usd,
    difference_own_key_usd,
    difference_metered_cost_usd,
    difference_run_count,
    is_booked
from marts.fct_period_adjustments
where booked_month = $month::date
order by
    usage_month, workspace_name, workspace_id, agent_name, agent_id, owner, cost_center, cause
