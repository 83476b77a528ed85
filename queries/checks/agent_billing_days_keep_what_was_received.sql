-- fct_agent_billing_days holds all cost and bills received, to the last digit.
with

received as (
    select
        workspace_id, date as utc_date, coalesce(agent_id, '(platform)') as agent_id,
        sum(columns('^cost_usd$|^billed_usd$'))::decimal(38, 10)
    from raw.agent_billing_days
    anti join raw.superseded using (version_id)
    group by all
),

held as (
    select
        workspace_id, utc_date, agent_id,
        sum(columns('^cost_usd$|^billed_usd$'))::decimal(38, 10)
    from marts.fct_agent_billing_days
    group by all
),

differences as (
    (select 'raw' as holds, * from (from received except all from held))
    union all
    (select 'marts' as holds, * from (from held except all from received))
)

from differences
order by all
