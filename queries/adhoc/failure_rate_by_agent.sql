-- Which agents failed most often in the last 28 complete days, and how much of that may be chance?
-- Of all runs; low and high are the 95 % Wilson interval. A rate is
-- formed anew from its parts, and never an average of rates. Null where the API refuses the
-- outcomes of some runs.
with

agents as (
    select
        workspaces.workspace_name,
        days.agent_name,
        sum(days.failed_count)::bigint as failed_count,
        sum(days.succeeded_count)::bigint as succeeded_count,
        sum(days.unknown_outcome_count)::bigint as unknown_count
    from marts.fct_agent_days as days
    join marts.dim_workspaces as workspaces using (workspace_id)
    where
        days.line_type <> 'platform'
        and days.date > workspaces.last_complete_date - 28
        and days.date <= workspaces.last_complete_date
    group by days.workspace_id, workspaces.workspace_name, days.agent_id, days.agent_name
)

select
    workspace_name,
    agent_name,
    failed_count,
    succeeded_count,
    marts.failure_rate(failed_count, succeeded_count, unknown_count) as failure_rate,
    marts.wilson_low(failed_count, succeeded_count, unknown_count) as failure_rate_low,
    marts.wilson_high(failed_count, succeeded_count, unknown_count) as failure_rate_high
from agents
order by failure_rate_low desc nulls last, agent_name
