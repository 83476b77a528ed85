-- How much of each month's metered cost is the platform's own activity, and is it billed?
with

metered as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        sum(cost_usd) as metered_cost_usd
    from marts.fct_billing_days
    group by workspace_id, month
),

platform as (
    select
        workspace_id,
        date_trunc('month', date)::date as month,
        sum(run_count)::bigint as platform_run_count,
        sum(cost_usd) as platform_cost_usd,
        sum(billed_usd) as platform_billed_usd
    from marts.fct_platform_agent_days
    group by workspace_id, month
)

select
    workspaces.workspace_name,
    metered.month,
    metered.metered_cost_usd,
    platform.platform_run_count,
    platform.platform_cost_usd,
    platform.platform_billed_usd,
    round(100 * platform.platform_cost_usd / nullif(metered.metered_cost_usd, 0), 1)
        as platform_percent
from metered
left join platform using (workspace_id, month)
join marts.dim_workspaces as workspaces using (workspace_id)
order by metered.month desc, workspaces.workspace_name
