-- How far an agent's metered UTC day may differ from the sum of the runs created on it: down by
-- what its runs used later, up by what runs of earlier days used on it. Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
with

own_days as (
    select
        workspace_id,
        agent_id,
        utc_date,
        sum(cost_usd) as cost_usd,
        sum(refund_usd) as refund_usd,
        sum(tokens_in) as tokens_in,
        sum(tokens_out) as tokens_out
    from intermediate.int_late_usage
    group by workspace_id, agent_id, utc_date
),

-- Usage begins to count on the day after its run's, and ceases to on the day after its last one.
steps as (
    select
        workspace_id,
        agent_id,
        utc_date + 1 as utc_date,
        cost_usd,
        refund_usd,
        tokens_in,
        tokens_out
    from own_days
    union all
    select
        workspace_id,
        agent_id,
        until_date + 1,
        -sum(cost_usd),
        -sum(refund_usd),
        -sum(tokens_in),
        -sum(tokens_out)
    from intermediate.int_late_usage
    group by workspace_id, agent_id, until_date
),

step_days as (
    select
        workspace_id,
        agent_id,
        utc_date,
        sum(cost_usd) as cost_usd,
        sum(refund_usd) as refund_usd,
        sum(tokens_in) as tokens_in,
        sum(tokens_out) as tokens_out
    from steps
    group by workspace_id, agent_id, utc_date
),

days as (
    select
        workspace_id,
        agent_id,
        unnest(generate_series(min(utc_date), max(utc_date), interval 1 day))::date as utc_date
    from step_days
    group by workspace_id, agent_id
),

earlier_days as (
    select
        days.workspace_id,
        days.agent_id,
        days.utc_date,
        sum(cost_usd) over so_far as cost_usd,
        sum(refund_usd) over so_far as refund_usd,
        sum(tokens_in) over so_far as tokens_in,
        sum(tokens_out) over so_far as tokens_out
    from days
    left join step_days using (workspace_id, agent_id, utc_date)
    window so_far as (
        partition by days.workspace_id, days.agent_id order by days.utc_date
    )
),

bounds as (
    select
        workspace_id,
        agent_id,
        utc_date,
        coalesce(own_days.cost_usd, 0) + coalesce(earlier_days.refund_usd, 0) as later_usd,
        coalesce(own_days.refund_usd, 0) + coalesce(earlier_days.cost_usd, 0) as earlier_usd,
        coalesce(own_days.tokens_in, 0)::bigint as later_tokens_in,
        coalesce(own_days.tokens_out, 0)::bigint as later_tokens_out,
        coalesce(earlier_days.tokens_in, 0)::bigint as earlier_tokens_in,
        coalesce(earlier_days.tokens_out, 0)::bigint as earlier_tokens_out
    from own_days
    full join earlier_days using (workspace_id, agent_id, utc_date)
)

select *
from bounds
where
    later_usd <> 0
    or earlier_usd <> 0
    or later_tokens_in <> 0
    or later_tokens_out <> 0
    or earlier_tokens_in <> 0
    or earlier_tokens_out <> 0
