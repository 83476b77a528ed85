-- A failure rate lies within its interval, between 0 and 1, and is null just where nothing has
-- ended so, or the outcome of some runs is unknown.
select
    workspace_id,
    agent_id,
    date,
    run_count,
    succeeded_count,
    failed_count,
    cancelled_count,
    open_count,
    failure_rate,
    failure_rate_low,
    failure_rate_high
from marts.fct_agent_days
where
    (failure_rate is null)
    <> (
        succeeded_count + failed_count = 0
        or run_count > succeeded_count + failed_count + cancelled_count + open_count
    )
    or (failure_rate_low is null) <> (failure_rate is null)
    or (failure_rate_high is null) <> (failure_rate is null)
    or not (
        0 <= failure_rate_low
        and failure_rate_low <= failure_rate
        and failure_rate <= failure_rate_high
        and failure_rate_high <= 1
    )
