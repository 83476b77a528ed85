-- How much of each month's metered cost, to the last complete day, is the platform's own activity?
-- That is all usage that names no agent, by UTC day, and what is billed for it. An amount is null
-- where that of a day is unknown.
select
    workspaces.workspace_name,
    date_trunc('month', charges.utc_date)::date as usage_month,
    if(
        count(charges.metered_cost_usd) = count(*),
        sum(charges.metered_cost_usd),
        null
    ) as metered_cost_usd,
    if(
        count(charges.metered_cost_usd) filter (agent_id = '(platform)')
        = count(*) filter (agent_id = '(platform)'),
        coalesce(sum(charges.metered_cost_usd) filter (agent_id = '(platform)'), 0),
        null
    ) as platform_cost_usd,
    if(
        count(charges.billed_usd) filter (agent_id = '(platform)')
        = count(*) filter (agent_id = '(platform)'),
        coalesce(sum(charges.billed_usd) filter (agent_id = '(platform)'), 0),
        null
    ) as platform_billed_usd,
    round(100 * platform_cost_usd / nullif(sum(charges.metered_cost_usd), 0), 1) as platform_percent
from marts.fct_charges as charges
join marts.dim_workspaces as workspaces using (workspace_id)
where charges.utc_date <= workspaces.last_complete_date
group by all
order by usage_month desc, workspaces.workspace_name
