-- How far an agent's metered UTC day may differ from the sum of the runs created on it: down by
-- what its runs used later, up by what runs of earlier days used on it. Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
with

shifts as (
    select
        workspace_id,
        agent_id,
        utc_date,
        cost_usd as later_usd,
        refund_usd as earlier_usd,
        tokens_in as later_tokens_in,
        tokens_out as later_tokens_out,
        0 as earlier_tokens_in,
        0 as earlier_tokens_out
    from intermediate.int_late_usage
    union all
    select
        workspace_id,
        agent_id,
        unnest(generate_series(utc_date + 1, until_date, interval 1 day))::date,
        refund_usd,
        cost_usd,
        0,
        0,
        tokens_in,
        tokens_out
    from intermediate.int_late_usage
)

select
    workspace_id,
    agent_id,
    utc_date,
    sum(later_usd) as later_usd,
    sum(earlier_usd) as earlier_usd,
    sum(later_tokens_in)::bigint as later_tokens_in,
    sum(later_tokens_out)::bigint as later_tokens_out,
    sum(earlier_tokens_in)::bigint as earlier_tokens_in,
    sum(earlier_tokens_out)::bigint as earlier_tokens_out
from shifts
group by workspace_id, agent_id, utc_date
