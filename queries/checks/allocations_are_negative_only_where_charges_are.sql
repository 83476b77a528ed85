-- Sharing makes nothing negative: of a line without negative charges, no row is negative.
with

least as (
    select
        month,
        workspace_id,
        agent_id,
        min(cost_usd) as least_cost_usd,
        min(billed_usd) as least_billed_usd
    from (
        select
            month,
            workspace_id,
            agent_id,
            sum(cost_usd) as cost_usd,
            sum(billed_usd) as billed_usd
        from marts.fct_month_lines
        group by month, workspace_id, agent_id, cost_center
    )
    group by all
)

select month, workspace_id, agent_id, cost_center, source, rule, cost_usd, billed_usd
from marts.fct_allocations
join least using (month, workspace_id, agent_id)
where (cost_usd < 0 and least_cost_usd >= 0) or (billed_usd < 0 and least_billed_usd >= 0)
order by month, workspace_id, agent_id, cost_center, source, rule
