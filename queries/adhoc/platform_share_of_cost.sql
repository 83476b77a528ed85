-- How much of each month's metered cost, to the last complete day, is the platform's own activity?
-- That is all usage that names no agent, by UTC day, and what is billed for it. An amount is null
-- where that of a day is unknown, or the API refuses the bill by agent of one.
with

lines as (
    select
        charges.workspace_id,
        months.month as usage_month,
        months.has_agent_bill,
        charges.agent_id = '(platform)' as is_platform,
        if(count(metered_cost_usd) = count(*), sum(metered_cost_usd), null) as cost_usd,
        if(count(billed_usd) = count(*), sum(billed_usd), null) as billed_usd
    from marts.fct_charges as charges
    join marts.dim_workspaces as workspaces using (workspace_id)
    join marts.dim_months as months
        on months.workspace_id = charges.workspace_id
        and months.month = date_trunc('month', charges.utc_date)
    where charges.utc_date <= workspaces.last_complete_date
    group by all
)

select
    workspaces.workspace_name,
    lines.usage_month,
    if(has_agent_bill and count(cost_usd) = count(*), sum(cost_usd), null)
        as metered_cost_usd,
    case
        when not has_agent_bill then null
        when bool_or(is_platform) then sum(cost_usd) filter (is_platform)
        else 0
    end as platform_cost_usd,
    case
        when not has_agent_bill then null
        when bool_or(is_platform) then sum(billed_usd) filter (is_platform)
        else 0
    end as platform_billed_usd,
    round(100 * platform_cost_usd / nullif(metered_cost_usd, 0), 1) as platform_percent
from lines
join marts.dim_workspaces as workspaces using (workspace_id)
group by workspaces.workspace_name, lines.usage_month, has_agent_bill
order by lines.usage_month desc, workspaces.workspace_name
