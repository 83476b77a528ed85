-- fct_run_models holds all cost, tokens and requests received, to the last digit.
with

received_sums as (
    select workspace_id, provider, sum(columns('_count$|_usd$|^tokens_')) as '\0'
    from raw.run_costs
    anti join raw.superseded using (version_id)
    group by all
),

received as (
    unpivot received_sums
    on columns('_count$|_usd$|^tokens_')::decimal(38, 10) into name measure value number
),

shown_sums as (
    select workspace_id, provider, sum(columns('_count$|_usd$|^tokens_')) as '\0'
    from marts.fct_run_models
    group by all
),

shown as (
    unpivot shown_sums
    on columns('_count$|_usd$|^tokens_')::decimal(38, 10) into name measure value number
),

figures as (
    select workspace_id, provider, measure, number as in_raw
    from received
    union all by name
    select workspace_id, provider, measure, number as in_marts
    from shown
)

select
    workspace_id,
    provider,
    measure,
    coalesce(sum(in_raw), 0) as in_raw,
    coalesce(sum(in_marts), 0) as in_marts
from figures
group by workspace_id, provider, measure
having coalesce(sum(figures.in_raw), 0) <> coalesce(sum(figures.in_marts), 0)
order by workspace_id, provider, measure
