-- fct_billing_days holds all cost, bills, tokens and requests received, to the last digit.
with

received as (
    select
        workspace_id, date as utc_date, coalesce(provider, '(unknown)') as provider,
        sum(columns('_count$|^cost_usd$|^billed_usd$|^tokens_'))::decimal(38, 10)
    from raw.billing_days
    anti join raw.superseded using (version_id)
    group by all
),

held as (
    select
        workspace_id, utc_date, provider,
        sum(columns('_count$|^cost_usd$|^billed_usd$|^tokens_'))::decimal(38, 10)
    from marts.fct_billing_days
    group by all
),

differences as (
    (select 'raw' as holds, * from (from received except all from held))
    union all
    (select 'marts' as holds, * from (from held except all from received))
)

from differences
order by all
