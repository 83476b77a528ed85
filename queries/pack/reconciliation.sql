-- Each UTC day of a month: the metered cost, taken apart, and the state of its reconciliation.
select
    workspace_name,
    utc_date,
    status,
    billed_usd,
    metered_cost_usd,
    ended_cost_usd,
    open_cost_usd,
    platform_cost_usd,
    unlisted_cost_usd,
    timing_difference_usd,
    unexplained_usd,
    workspace_id
from audit.reconciliation_days
join marts.dim_workspaces using (workspace_id)
where utc_date between $month::date and last_day($month::date)
order by workspace_name, workspace_id, utc_date
