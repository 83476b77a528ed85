-- Each workspace's month is the sum of its days, to the last digit.
with

months as (
    unpivot marts.fct_workspace_months
    on columns('_count$|_usd$|^tokens_')::decimal(38, 10) into name measure value number
),

days as (
    unpivot marts.fct_workspace_days
    on columns('_count$|_usd$|^tokens_')::decimal(38, 10) into name measure value number
),

figures as (
    select workspace_id, month, measure, number as in_months
    from months
    union all by name
    select workspace_id, date_trunc('month', date)::date as month, measure, number as in_days
    from days
)

select
    workspace_id,
    month,
    measure,
    coalesce(sum(in_months), 0) as in_months,
    coalesce(sum(in_days), 0) as in_days
from figures
group by workspace_id, month, measure
having coalesce(sum(figures.in_months), 0) <> coalesce(sum(figures.in_days), 0)
order by workspace_id, month, measure
