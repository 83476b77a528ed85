-- Charges of the month, as closed.
select
    $month::date as usage_month,
    workspace_id,
    utc_date,
    agent_id,
    provider,
    model,
    owner,
    cost_center,
    account,
    metered_cost_usd,
    billed_usd,
    surcharge_usd,
    own_key_usd,
    tokens_in,
    tokens_out,
    request_count
from marts.fct_charges
where utc_date between $month::date and last_day($month::date)
order by all
