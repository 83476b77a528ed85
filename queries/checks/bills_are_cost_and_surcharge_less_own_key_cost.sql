-- By provider and by agent, cost + surcharge - own-key cost is what is billed.
with

bills as (
    select
        workspace_id,
        utc_date,
        provider as of,
        metered_cost_usd,
        billed_usd,
        surcharge_usd,
        own_key_usd
    from marts.fct_billing_days
    union all
    select
        workspace_id,
        utc_date,
        agent_id,
        metered_cost_usd,
        billed_usd,
        surcharge_usd,
        own_key_usd
    from intermediate.int_agent_billing_days
)

select workspace_id, utc_date, of, metered_cost_usd, billed_usd, surcharge_usd, own_key_usd
from bills
where metered_cost_usd + surcharge_usd - own_key_usd <> billed_usd
order by workspace_id, utc_date, of
