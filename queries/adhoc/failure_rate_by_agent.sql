-- Which agents fail most often, and how much of that may be chance?
-- Of all runs of the last 30 complete days; low and high are the 95 % Wilson interval. A rate is
-- formed anew from its parts, and never an average of rates.
select
    workspaces.workspace_name,
    days.agent_name,
    sum(days.failed_count)::bigint as failed_count,
    sum(days.succeeded_count)::bigint as succeeded_count,
    marts.failure_rate(sum(days.failed_count), sum(days.succeeded_count)) as failure_rate,
    marts.wilson_low(sum(days.failed_count), sum(days.succeeded_count)) as failure_rate_low,
    marts.wilson_high(sum(days.failed_count), sum(days.succeeded_count)) as failure_rate_high
from marts.fct_agent_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
where
    days.line_type <> 'platform'
    and days.date > workspaces.last_complete_date - 30
    and days.date <= workspaces.last_complete_date
group by days.workspace_id, workspaces.workspace_name, days.agent_id, days.agent_name
order by failure_rate_low desc nulls last, days.agent_name
