-- The measures of a line's day, each of which may be summed over days and lines.
-- Grain: workspace, line and date.
select
    workspace_id,
    agent_id,
    coalesce(owner, '(none)') as owner,
    date,
    run_count,
    succeeded_count,
    failed_count,
    succeeded_count + failed_count as finished_count,
    unknown_outcome_count,
    listed_run_count,
    unlisted_run_count,
    unlisted_failed_count,
    unknown_cost_count,
    cost_usd,
    if(
        line_type = 'platform' or unknown_outcome_count > 0 or unknown_cost_count > 0,
        null,
        cost_usd
    ) as judged_cost_usd,
    if(line_type = 'platform', cost_usd, null) as platform_cost_usd,
    unknown_platform_count,
    if(unlisted_run_count > 0, unlisted_cost_usd, null) as unlisted_cost_usd,
    tokens_in,
    tokens_out,
    failed_cost_usd,
    (failed_cost_high_usd - failed_cost_usd)::decimal(38, 10) as failed_cost_more_usd,
    (failed_cost_high_usd is null)::bigint as failed_cost_open_count,
    -- Unlisted runs that failed at the mean cost of the unlisted runs of their day.
    (
        failed_cost_usd
        + if(
            unlisted_failed_count > 0,
            unlisted_failed_count * unlisted_cost_usd::double / unlisted_run_count,
            0
        )::decimal(38, 10)
    )::decimal(38, 10) as failed_cost_likely_usd
from marts.fct_agent_days
