-- The listed runs of an agent's UTC day beside the API's counts and sums of all its runs. They are
-- the same where every run is listed; else no part of them is more than the API reports, and may be
-- less. Days with a run that contradicts its own model costs are left out: that run explains them.
-- Cost and tokens of a day with a run of unknown ones are not compared. A day is counted up to some
-- weeks after it; runs that were open then may have ended since, with any status.
-- Grain: UTC day, agent and measure.
-- key: workspace_id, agent_id, utc_date, measure
-- not_null: has_unlisted
-- materialized: table
-- narrow: utc_date
with

compared as (
    select
        workspace_id,
        agent_id,
        utc_date,
        greatest(
            api_run_count - api_succeeded_count - api_failed_count - api_cancelled_count, 0
        ) as ended_since,
        provisional_count = 0 as is_closed,
        unlisted_run_count > 0 as has_unlisted,
        unnest([
            'run_count', 'succeeded_count', 'failed_count', 'cancelled_count',
            'cost_usd', 'tokens_in', 'tokens_out'
        ]) as measure,
        unnest([
            listed_run_count, listed_succeeded_count, listed_failed_count, listed_cancelled_count,
            if(unknown_cost_count = 0, run_cost_usd + open_cost_usd, null),
            if(unknown_token_count = 0, listed_tokens_in, null),
            if(unknown_token_count = 0, listed_tokens_out, null)
        ]::decimal(38, 10)[]) as ours,
        unnest([
            coalesce(api_run_count, api_rollup_run_count),
            api_succeeded_count, api_failed_count, api_cancelled_count,
            api_cost_usd, api_tokens_in, api_tokens_out
        ]::decimal(38, 10)[]) as theirs,
        unnest([0, ended_since, ended_since, ended_since, tolerance_usd, 0, 0]) as tolerance
    from intermediate.int_agent_days_vs_api
    where agent_id <> '(platform)' and is_comparable
)

select
    workspace_id,
    agent_id,
    utc_date,
    measure,
    ours,
    theirs,
    if(has_unlisted, greatest(theirs - ours, tolerance), tolerance) as tolerance,
    has_unlisted,
    is_closed
from compared
anti join (
    from intermediate.int_run_comparisons where differs
) using (workspace_id, agent_id, utc_date)
where ours - theirs is not null
