-- Charges of closed months as the books hold them: as closed, with the corrections that later
-- closes booked. Grain: UTC day, agent, provider, model, owner, cost center and account.
-- key: workspace_id, utc_date, agent_id, provider, model, owner, cost_center, account
-- materialized: table
select
    usage_month,
    workspace_id,
    utc_date,
    agent_id,
    provider,
    model,
    owner,
    cost_center,
    account,
    sum(columns('_usd$'))::decimal(38, 10),
    sum(columns('^tokens_|^request_count$'))::bigint
from (
    select *
    from finance.closed_charges
    union all by name
    select * exclude (booked_month, cause, load_id)
    from finance.closed_charge_adjustments
)
group by all
