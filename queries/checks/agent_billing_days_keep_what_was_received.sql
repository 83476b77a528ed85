-- fct_agent_billing_days holds all cost and bills received, to the last digit.
with

received_sums as (
    select workspace_id, date, agent_id, sum(columns('^cost_usd$|^billed_usd$')) as '\0'
    from raw.agent_billing_days
    anti join raw.superseded using (version_id)
    group by all
),

received as (
    unpivot received_sums
    on columns('^cost_usd$|^billed_usd$')::decimal(38, 10) into name measure value number
),

shown_sums as (
    select workspace_id, date, agent_id, sum(columns('^cost_usd$|^billed_usd$')) as '\0'
    from marts.fct_agent_billing_days
    group by all
),

shown as (
    unpivot shown_sums
    on columns('^cost_usd$|^billed_usd$')::decimal(38, 10) into name measure value number
),

figures as (
    select workspace_id, date, agent_id, measure, number as in_raw
    from received
    union all by name
    select workspace_id, date, agent_id, measure, number as in_marts
    from shown
)

select
    workspace_id,
    date,
    agent_id,
    measure,
    coalesce(sum(in_raw), 0) as in_raw,
    coalesce(sum(in_marts), 0) as in_marts
from figures
group by workspace_id, date, agent_id, measure
having coalesce(sum(figures.in_raw), 0) <> coalesce(sum(figures.in_marts), 0)
order by workspace_id, date, agent_id, measure
