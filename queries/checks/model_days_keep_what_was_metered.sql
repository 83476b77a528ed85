-- fct_model_days holds all metered cost, tokens and requests of fct_usage_hours, to the last digit.
with

hours as (
    select
        workspace_id,
        hour::date as utc_date,
        agent_id,
        model,
        provider,
        coalesce(sum(cost_usd), 0)::decimal(38, 10) as cost_usd,
        coalesce(sum(tokens_in), 0) as tokens_in,
        coalesce(sum(tokens_out), 0) as tokens_out,
        coalesce(sum(request_count), 0) as request_count
    from marts.fct_usage_hours
    group by all
),

days as (
    select
        workspace_id,
        utc_date,
        agent_id,
        model,
        provider,
        coalesce(cost_usd, 0)::decimal(38, 10) as cost_usd,
        tokens_in,
        tokens_out,
        request_count
    from marts.fct_model_days
),

differences as (
    (select 'fct_usage_hours' as holds, * from (from hours except all from days))
    union all
    (
        select 'fct_model_days' as holds, *
        from (from days except all from hours)
        where cost_usd <> 0 or tokens_in <> 0 or tokens_out <> 0 or request_count <> 0
    )
)

from differences
order by all
