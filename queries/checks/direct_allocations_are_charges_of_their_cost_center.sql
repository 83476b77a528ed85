-- A direct line is borne by the cost center at which it was charged; it is all that was charged
-- there to the agent, where no rule shares out failed or unlisted runs of it, and never more.
with

charged as (
    select
        usage_month,
        workspace_id,
        agent_id,
        cost_center,
        sum(metered_cost_usd) as charged_cost_usd,
        sum(billed_usd) as charged_billed_usd
    from marts.fct_month_lines
    where agent_id <> '(platform)'
    group by all
    having sum(metered_cost_usd) <> 0 or sum(billed_usd) <> 0
),

direct as (
    select
        usage_month,
        workspace_id,
        agent_id,
        line_cost_center,
        cost_center,
        metered_cost_usd,
        billed_usd
    from marts.fct_allocations
    where source = 'direct'
),

divided as (
    select distinct
        usage_month,
        workspace_id,
        agent_id,
        line_cost_center as cost_center,
        true as is_divided
    from marts.fct_allocations
    where source in ('unlisted', 'failed')
)

select
    usage_month,
    workspace_id,
    agent_id,
    cost_center,
    coalesce(metered_cost_usd, 0) as allocated_cost_usd,
    coalesce(charged_cost_usd, 0) as metered_cost_usd,
    coalesce(billed_usd, 0) as allocated_billed_usd,
    coalesce(charged_billed_usd, 0) as billed_usd
from charged
full join direct using (usage_month, workspace_id, agent_id, cost_center)
left join divided using (usage_month, workspace_id, agent_id, cost_center)
where
    coalesce(direct.line_cost_center <> direct.cost_center, false)
    or if(
        is_divided,
        abs(allocated_cost_usd) > abs(coalesce(charged_cost_usd, 0))
        or abs(allocated_billed_usd) > abs(coalesce(charged_billed_usd, 0)),
        allocated_cost_usd <> coalesce(charged_cost_usd, 0)
        or allocated_billed_usd <> coalesce(charged_billed_usd, 0)
    )
order by usage_month, workspace_id, agent_id, cost_center
