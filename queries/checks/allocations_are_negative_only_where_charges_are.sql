-- Sharing makes nothing negative: of a line without negative charges, no row is negative.
with

charged as (
    select
        usage_month,
        workspace_id,
        agent_id,
        cost_center as line_cost_center,
        sum(metered_cost_usd) as charged_cost_usd,
        sum(billed_usd) as charged_billed_usd
    from marts.fct_month_lines
    group by all
)

select
    usage_month, workspace_id, agent_id, line_cost_center,
    cost_center, source, rule, metered_cost_usd, billed_usd
from marts.fct_allocations
join charged using (usage_month, workspace_id, agent_id, line_cost_center)
where
    (metered_cost_usd < 0 and charged_cost_usd >= 0)
    or (billed_usd < 0 and charged_billed_usd >= 0)
order by all
