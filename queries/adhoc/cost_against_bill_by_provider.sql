-- What was metered and billed by provider and month, up to the last complete day?
-- All usage: metered cost + surcharge - own-key cost = billed. Own-key cost is payable to the
-- provider. An amount is null where that of a day is unknown.
select
    workspaces.workspace_name,
    date_trunc('month', days.utc_date)::date as month,
    days.provider,
    if(
        count(days.metered_cost_usd) = count(*),
        sum(days.metered_cost_usd),
        null
    ) as metered_cost_usd,
    if(count(days.surcharge_usd) = count(*), sum(days.surcharge_usd), null) as surcharge_usd,
    if(count(days.own_key_usd) = count(*), sum(days.own_key_usd), null) as own_key_usd,
    if(count(days.billed_usd) = count(*), sum(days.billed_usd), null) as billed_usd
from marts.fct_billing_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
where days.utc_date <= workspaces.last_complete_date
group by days.workspace_id, workspaces.workspace_name, month, days.provider
order by month desc, workspaces.workspace_name, days.provider
