-- Charges of closed months as the books hold them: as closed, with the corrections that later
-- closes booked. Grain: UTC day, agent, provider, model, owner, cost center and account.
-- key: workspace_id, utc_date, agent_id, provider, model, owner, cost_center, account
-- materialized: table
select
    original_month,
    workspace_id,
    utc_date,
    agent_id,
    provider,
    model,
    owner,
    cost_center,
    account,
    sum(cost_usd)::decimal(38, 10) as cost_usd,
    sum(billed_usd)::decimal(38, 10) as billed_usd,
    sum(surcharge_usd)::decimal(38, 10) as surcharge_usd,
    sum(own_key_usd)::decimal(38, 10) as own_key_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    sum(request_count)::bigint as request_count
from (
    select * exclude (month), month as original_month
    from finance.closed_charges
    union all by name
    select * exclude (booked_month, cause, load_id)
    from finance.closed_corrections
)
group by all
