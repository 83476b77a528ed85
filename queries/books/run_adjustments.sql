-- Counts of runs of earlier closed months that the month adjusts.
select
    booked_month,
    usage_month,
    workspace_id,
    agent_id,
    owner,
    cost_center,
    cause,
    difference_run_count as run_count,
    difference_listed_run_count as listed_run_count,
    load_id
from marts.fct_period_adjustments
where
    booked_month = $month::date
    and (difference_run_count <> 0 or difference_listed_run_count <> 0)
order by all
