-- Run counts and cost of each agent's date are those of its listed and its unlisted runs together,
-- and each run has one outcome; those of unlisted runs may be unknown.
-- narrow: date
select
    workspace_id,
    agent_id,
    date,
    run_count,
    listed_run_count,
    unlisted_run_count,
    unlisted_failed_count,
    succeeded_count,
    failed_count,
    cancelled_count,
    open_count,
    cost_usd,
    listed_cost_usd,
    unlisted_cost_usd
from marts.fct_agent_days
where
    run_count <> listed_run_count + coalesce(unlisted_run_count, 0)
    or run_count < succeeded_count + failed_count + cancelled_count + open_count
    or (
        unlisted_failed_count is not null
        and run_count > succeeded_count + failed_count + cancelled_count + open_count
    )
    or unlisted_run_count < 0
    or unlisted_cost_usd < 0
    or failed_cost_high_usd < failed_cost_usd
    or (
        line_type <> 'platform'
        and cost_usd <> coalesce(listed_cost_usd, 0) + coalesce(unlisted_cost_usd, 0)
    )
order by workspace_id, date, agent_id
