-- Adjustments of closed months, each in the month that books it. Grain: as fct_period_adjustments.
select
    workspace_id,
    booked_month as month,
    usage_month,
    agent_id,
    owner,
    cost_center,
    replace(cause, '_', ' ') as cause,
    previous_billed_usd,
    current_billed_usd,
    difference_billed_usd,
    difference_metered_cost_usd,
    difference_run_count,
    load_id
from marts.fct_period_adjustments
order by workspace_id, month, usage_month, agent_id, owner, cost_center, cause
