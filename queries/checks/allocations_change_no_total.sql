-- Whatever the rules, the rows of a line and its cost center in a month add up to what they were
-- charged, to the last digit; of a closed month, to the charges that were closed.
select
    usage_month,
    workspace_id,
    agent_id,
    cost_center,
    sum(allocated_cost_usd) as allocated_cost_usd,
    sum(metered_cost_usd) as metered_cost_usd,
    sum(allocated_billed_usd) as allocated_billed_usd,
    sum(billed_usd) as billed_usd
from (
    select
        usage_month,
        workspace_id,
        agent_id,
        cost_center,
        metered_cost_usd,
        billed_usd,
        0 as allocated_cost_usd,
        0 as allocated_billed_usd
    from marts.fct_month_lines
    union all by name
    select
        usage_month,
        workspace_id,
        agent_id,
        line_cost_center as cost_center,
        0 as metered_cost_usd,
        0 as billed_usd,
        metered_cost_usd as allocated_cost_usd,
        billed_usd as allocated_billed_usd
    from marts.fct_allocations
)
group by all
having
    sum(allocated_cost_usd) <> sum(metered_cost_usd)
    or sum(allocated_billed_usd) <> sum(billed_usd)
order by usage_month, workspace_id, agent_id, cost_center
