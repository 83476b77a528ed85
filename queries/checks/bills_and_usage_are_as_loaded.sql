-- Bills by agent and by provider, and usage by hour and by model, are what the API gives, and
-- charges are the bills by agent: all money, tokens and counts of a UTC day, to the last digit.
-- narrow: utc_date
-- narrow agent_billing_days: date
-- narrow billing_days: date
-- narrow fct_usage_hours: (hour at time zone 'UTC')::date
with

lines as (
    select 'bill by agent' as figure, 'raw.agent_billing_days' as holds, workspace_id,
        date as utc_date, coalesce(agent_id, '(platform)') as agent_id,
        cost_usd as metered_cost_usd, billed_usd
    from raw.agent_billing_days
    anti join raw.superseded using (version_id)
    union all by name
    select 'bill by agent' as figure, 'intermediate.int_agent_billing_days' as holds, workspace_id,
        utc_date, agent_id, metered_cost_usd, billed_usd
    from intermediate.int_agent_billing_days
    union all by name
    select 'charges' as figure, 'intermediate.int_agent_billing_days' as holds, workspace_id,
        utc_date, agent_id, metered_cost_usd, billed_usd, surcharge_usd, own_key_usd
    from intermediate.int_agent_billing_days
    union all by name
    select 'charges' as figure, 'marts.fct_charges' as holds, workspace_id,
        utc_date, agent_id, metered_cost_usd, billed_usd, surcharge_usd, own_key_usd
    from marts.fct_charges
    union all by name
    select 'bill by provider' as figure, 'raw.billing_days' as holds, workspace_id,
        date as utc_date, coalesce(nullif(lower(trim(provider)), ''), '(unknown)') as provider,
        cost_usd as metered_cost_usd, billed_usd, tokens_in, tokens_out, request_count
    from raw.billing_days
    anti join raw.superseded using (version_id)
    union all by name
    select 'bill by provider' as figure, 'marts.fct_billing_days' as holds, workspace_id,
        utc_date, provider,
        metered_cost_usd, billed_usd, tokens_in, tokens_out, request_count
    from marts.fct_billing_days
    union all by name
    select 'usage' as figure, 'staging.usage_hours' as holds, workspace_id,
        utc_date, agent_id, model, provider,
        metered_cost_usd, tokens_in, tokens_out, request_count, error_count
    from staging.usage_hours
    where is_current
    union all by name
    select 'usage' as figure, 'marts.fct_usage_hours' as holds, workspace_id,
        (hour at time zone 'UTC')::date as utc_date, agent_id, model, provider,
        metered_cost_usd, tokens_in, tokens_out, request_count, error_count
    from marts.fct_usage_hours
    union all by name
    select 'usage' as figure, 'marts.fct_model_days' as holds, workspace_id,
        utc_date, agent_id, model, provider,
        metered_cost_usd, tokens_in, tokens_out, request_count, error_count
    from marts.fct_model_days
),

sums as (
    select
        figure, holds, workspace_id, utc_date, agent_id, provider, model,
        sum(columns('_usd$|^tokens_|_count$'))
    from lines
    group by all
)

-- Days of models have lines of runs alone, whose usage is 0.
select string_agg(holds, ', ' order by holds) as hold, * exclude (holds)
from sums
group by all
having
    count(*) < if(figure = 'usage', 3, 2)
    and (
        hold <> 'marts.fct_model_days'
        or metered_cost_usd <> 0
        or tokens_in <> 0
        or tokens_out <> 0
        or request_count <> 0
        or error_count <> 0
    )
order by figure, workspace_id, utc_date, agent_id, provider, model, hold
