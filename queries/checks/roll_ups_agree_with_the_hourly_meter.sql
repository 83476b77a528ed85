-- An agent's day costs by the hourly meter what its roll-up says, and has as many tokens, but for
-- what runs that crossed midnight used on another day than that of their creation.
-- control: cut-off
-- measure: cost_usd
-- sources: analytics/agents | analytics/hourly
with

compared as (
    select
        workspace_id,
        agent_id,
        utc_date,
        listed_open_count + provisional_count = 0 as is_closed,
        unnest(['cost_usd', 'tokens_in', 'tokens_out']) as measure,
        unnest([rolled_up_cost_usd, rolled_up_tokens_in, rolled_up_tokens_out]::decimal(38, 10)[])
            as rolled_up,
        unnest([metered_cost_usd, metered_tokens_in, metered_tokens_out]::decimal(38, 10)[])
            as theirs,
        unnest([leftover_usd, leftover_tokens_in, leftover_tokens_out]::decimal(38, 10)[])
            as leftover,
        unnest([tolerance_usd, 0, 0]) as tolerance
    from intermediate.int_agent_days_vs_api
    where agent_id <> '(platform)' and has_ended and listed_open_count = 0 and is_metered
)

-- The roll-up with what crossed midnight, as far as that can explain the meter. What runs of the
-- day before the first one used on it is unknown.
select
    workspace_id,
    agent_id,
    utc_date,
    measure,
    if(utc_date = first_date and leftover > 0, theirs, theirs - leftover) as ours,
    theirs,
    rolled_up,
    tolerance,
    is_closed
from compared
anti join (
    from intermediate.int_listed_day_comparisons where abs(ours - theirs) > tolerance
) using (workspace_id, agent_id, utc_date, measure)
left join intermediate.int_metered_days using (workspace_id, utc_date)
