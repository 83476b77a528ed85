-- Every version of an agent's bill of a UTC day, with the load that brought it and the one that
-- replaced it or took it away. Grain: version.
-- key: version_id
select
    bills.version_id,
    bills.workspace_id,
    bills.date as utc_date,
    coalesce(bills.agent_id, '(platform)') as agent_id,
    bills.cost_usd as metered_cost_usd,
    bills.billed_usd,
    bills.load_id,
    superseded.load_id as superseded_by_load_id
from raw.agent_billing_days as bills
left join raw.superseded as superseded using (version_id)
