-- How much of a month's cost is the platform's own activity, up to the last complete day?
-- Of metered cost, by UTC day, and what of it is billed. An amount is null where that of a day is
-- unknown; the share also where the API refuses the platform's usage of a day.
with

metered as (
    select
        days.workspace_id,
        date_trunc('month', days.utc_date)::date as month,
        if(count(days.cost_usd) = count(*), sum(days.cost_usd), null) as metered_cost_usd
    from marts.fct_billing_days as days
    join marts.dim_workspaces as workspaces using (workspace_id)
    where days.utc_date <= workspaces.last_complete_date
    group by days.workspace_id, month
),

platform as (
    select
        days.workspace_id,
        date_trunc('month', days.utc_date)::date as month,
        sum(days.run_count)::bigint as platform_run_count,
        if(count(days.cost_usd) = count(*), sum(days.cost_usd), null) as platform_cost_usd,
        if(count(days.billed_usd) = count(*), sum(days.billed_usd), null) as platform_billed_usd
    from marts.fct_platform_agent_days as days
    join marts.dim_workspaces as workspaces using (workspace_id)
    where days.utc_date <= workspaces.last_complete_date
    group by days.workspace_id, month
),

-- Months of which the platform's usage is known of each day.
known as (
    select
        days.workspace_id,
        date_trunc('month', days.utc_date)::date as month
    from audit.reconciliation_days as days
    join marts.dim_workspaces as workspaces using (workspace_id)
    where days.utc_date <= workspaces.last_complete_date
    group by days.workspace_id, month
    having bool_and(days.platform_cost_usd is not null)
)

select
    workspaces.workspace_name,
    metered.month,
    metered.metered_cost_usd,
    platform.platform_run_count,
    platform.platform_cost_usd,
    platform.platform_billed_usd,
    if(
        known.month is null,
        null,
        round(100 * platform.platform_cost_usd / nullif(metered.metered_cost_usd, 0), 1)
    ) as platform_percent
from metered
left join platform using (workspace_id, month)
left join known using (workspace_id, month)
join marts.dim_workspaces as workspaces using (workspace_id)
order by metered.month desc, workspaces.workspace_name
