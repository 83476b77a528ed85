-- An agent's day costs by the hourly meter what its roll-up says, and has as many tokens, but for
-- what runs that crossed midnight used on another day than that of their creation.
-- control: cut-off
-- sources: analytics/agents | analytics/hourly
with

-- What runs of the day before the first one used on it is unknown.
firsts as (
    select workspace_id, min(utc_date) as first_date
    from intermediate.int_metered_days
    group by workspace_id
),

compared as (
    select
        workspace_id,
        agent_id,
        utc_date,
        listed_open_count + provisional_count = 0 as is_closed,
        unnest(['cost_usd', 'tokens_in', 'tokens_out']) as measure,
        unnest([rolled_up_cost_usd, rolled_up_tokens_in, rolled_up_tokens_out]::decimal(38, 10)[])
            as ours,
        unnest([metered_cost_usd, metered_tokens_in, metered_tokens_out]::decimal(38, 10)[])
            as theirs,
        unnest([later_usd, later_tokens_in, later_tokens_out]::decimal(38, 10)[]) as later,
        unnest([earlier_usd, earlier_tokens_in, earlier_tokens_out]::decimal(38, 10)[])
            as earlier,
        unnest([tolerance_usd, 0, 0]) as tolerance
    from intermediate.int_agent_days_vs_api
    where agent_id <> '(platform)' and has_ended and listed_open_count = 0 and is_metered
)

select
    workspace_id,
    agent_id,
    utc_date,
    measure,
    ours,
    theirs,
    ours - later as lowest,
    ours + earlier as highest,
    theirs - greatest(least(theirs, ours + earlier), ours - later) as difference,
    if(measure = 'cost_usd', difference, null) as difference_usd,
    is_closed
from compared
anti join intermediate.int_listed_day_differences using (workspace_id, agent_id, utc_date, measure)
left join firsts using (workspace_id)
where
    theirs > ours + earlier + tolerance and utc_date is distinct from first_date
    or theirs < ours - later - tolerance
order by workspace_id, utc_date, agent_id, measure
