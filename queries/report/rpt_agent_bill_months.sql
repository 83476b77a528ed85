-- Cost and bill of each UTC month by line; an amount is null where that of a day is unknown, as are
-- surcharge and own-key cost where the API refuses the workspace's provider keys.
-- Grain: line and UTC month.
-- key: workspace_id, agent_id, month
-- column month: First day of the calendar month in UTC.
with

months as (
    select
        workspace_id,
        agent_id,
        date_trunc('month', utc_date)::date as month,
        if(count(columns('_usd$')) = count(*), sum(columns('_usd$')), null)
    from marts.fct_agent_billing_days
    group by all
)

select
    workspace_id,
    agent_id,
    month,
    cost_usd,
    if(has_provider_keys is false, null, surcharge_usd) as surcharge_usd,
    if(has_provider_keys is false, null, own_key_usd) as own_key_usd,
    billed_usd
from months
left join marts.dim_months using (workspace_id, month)
order by workspace_id, month, cost_usd desc nulls last, agent_id
