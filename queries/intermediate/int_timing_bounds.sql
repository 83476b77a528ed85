-- How far an agent's metered UTC day may differ from the sum of the runs created on it: down by
-- what its runs used later, up by what runs of earlier days used on it. Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
-- narrow: month_end
-- narrow int_timing_bounds: last_day(utc_date)
-- narrow int_late_usage: last_day(utc_date)
-- narrow int_late_steps: last_day(utc_date)
with

-- Usage begins to count on the day after its run's.
steps as (
    select
        workspace_id,
        agent_id,
        utc_date,
        cost_usd,
        refund_usd,
        tokens_in,
        tokens_out
    from intermediate.int_late_usage
    union all by name
    select
        workspace_id,
        agent_id,
        utc_date + 1 as utc_date,
        cost_usd as cost_step_usd,
        refund_usd as refund_step_usd,
        tokens_in as tokens_in_step,
        tokens_out as tokens_out_step
    from intermediate.int_late_usage
    where utc_date < last_day(utc_date)
    union all by name
    select *
    from intermediate.int_late_steps
),

step_days as (
    select
        workspace_id,
        agent_id,
        utc_date,
        coalesce(sum(columns('_usd$')), 0),
        coalesce(sum(columns('^tokens_')), 0)::bigint
    from steps
    group by workspace_id, agent_id, utc_date
),

-- What counts from a day with a step on, until the next one or the end of the month.
stretches as (
    select
        *,
        sum(cost_step_usd) over so_far as earlier_cost_usd,
        sum(refund_step_usd) over so_far as earlier_refund_usd,
        sum(tokens_in_step) over so_far::bigint as earlier_tokens_in,
        sum(tokens_out_step) over so_far::bigint as earlier_tokens_out,
        if(
            earlier_cost_usd <> 0
            or earlier_refund_usd <> 0
            or earlier_tokens_in <> 0
            or earlier_tokens_out <> 0,
            lead(utc_date, 1, last_day(utc_date) + 1) over so_far - utc_date,
            1
        ) as day_count
    from step_days
    window so_far as (
        partition by workspace_id, agent_id, date_trunc('month', utc_date)
        order by utc_date rows unbounded preceding
    )
),

days as (
    select *, unnest(range(day_count)) as day_number
    from stretches
)

select
    workspace_id,
    agent_id,
    utc_date + day_number::int as utc_date,
    if(day_number = 0, cost_usd, 0) + earlier_refund_usd as later_usd,
    if(day_number = 0, refund_usd, 0) + earlier_cost_usd as earlier_usd,
    if(day_number = 0, tokens_in, 0) as later_tokens_in,
    if(day_number = 0, tokens_out, 0) as later_tokens_out,
    earlier_tokens_in,
    earlier_tokens_out
from days
where
    later_usd <> 0
    or earlier_usd <> 0
    or later_tokens_in <> 0
    or later_tokens_out <> 0
    or earlier_tokens_in <> 0
    or earlier_tokens_out <> 0
