-- fct_run_models holds all cost, tokens and requests received, to the last digit.
with

received as (
    select
        workspace_id, coalesce(provider, '(unknown)') as provider,
        sum(columns('_count$|_usd$|^tokens_'))::decimal(38, 10)
    from raw.run_costs
    anti join raw.superseded using (version_id)
    group by all
),

held as (
    select
        workspace_id, provider,
        sum(columns('_count$|_usd$|^tokens_'))::decimal(38, 10)
    from marts.fct_run_models
    group by all
),

differences as (
    (select 'raw' as holds, * from (from received except all from held))
    union all
    (select 'marts' as holds, * from (from held except all from received))
)

from differences
order by all
