-- Metered cost and bill by UTC day and line, taken apart: cost + surcharge - own-key cost = billed.
-- The line '(platform)' is all usage that names no agent. A run has no bill of its own: this is as
-- fine as the API reports it. Own-key cost is that of the keys that are known: where the API
-- refuses them, that of others is taken off the surcharge. Grain: workspace, UTC day and line.
-- key: workspace_id, utc_date, agent_id
-- materialized: table
-- narrow: utc_date
with

bills as (
    select
        workspace_id,
        utc_date,
        agent_id,
        sum(metered_cost_usd) as metered_cost_usd,
        sum(billed_usd) as billed_usd
    from staging.agent_billing_days
    where is_current
    group by all
),

own_keys as (
    select workspace_id, utc_date, agent_id, sum(own_key_usd) as own_key_usd
    from intermediate.int_own_key_days
    group by all
)

select
    bills.workspace_id,
    bills.utc_date,
    bills.agent_id,
    coalesce(spans.owner, '(none)') as owner,
    coalesce(spans.cost_center, '(none)') as cost_center,
    bills.metered_cost_usd,
    bills.billed_usd,
    (bills.billed_usd - bills.metered_cost_usd + coalesce(own_keys.own_key_usd, 0))::decimal(38, 10)
        as surcharge_usd,
    coalesce(own_keys.own_key_usd, 0)::decimal(38, 10) as own_key_usd
from bills
left join own_keys using (workspace_id, utc_date, agent_id)
left join intermediate.int_owner_spans as spans
    on spans.workspace_id = bills.workspace_id
    and spans.agent_id = bills.agent_id
    and bills.utc_date between spans.first_date and spans.last_date
order by bills.workspace_id, bills.utc_date, bills.agent_id
