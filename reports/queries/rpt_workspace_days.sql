-- The measures of a workspace's day: the sums of rpt_days.
-- Grain: workspace, date.
select
    workspace_id,
    date,
    sum(run_count)::bigint as run_count,
    sum(succeeded_count)::bigint as succeeded_count,
    sum(failed_count)::bigint as failed_count,
    sum(finished_count)::bigint as finished_count,
    sum(cancelled_count)::bigint as cancelled_count,
    sum(open_count)::bigint as open_count,
    sum(unknown_outcome_count)::bigint as unknown_outcome_count,
    sum(listed_run_count)::bigint as listed_run_count,
    nullif(
        sum(unlisted_run_count),
        if(count(run_count) > count(unlisted_run_count), 0, null)
    )::bigint as unlisted_run_count,
    nullif(
        sum(unlisted_failed_count),
        if(count(run_count) > count(unlisted_failed_count), 0, null)
    )::bigint as unlisted_failed_count,
    sum(unknown_cost_count)::bigint as unknown_cost_count,
    sum(no_usage_count)::bigint as no_usage_count,
    sum(cost_usd) as cost_usd,
    sum(run_cost_usd) as run_cost_usd,
    if(sum(unknown_outcome_count) > 0 or sum(unknown_cost_count) > 0, null, sum(run_cost_usd))
        as judged_cost_usd,
    sum(platform_cost_usd) as platform_cost_usd,
    sum(unknown_platform_count)::bigint as unknown_platform_count,
    sum(unlisted_cost_usd) as unlisted_cost_usd,
    sum(tokens_in)::bigint as tokens_in,
    sum(tokens_out)::bigint as tokens_out,
    sum(failed_cost_usd) as failed_cost_usd,
    sum(failed_cost_more_usd) as failed_cost_more_usd,
    sum(failed_cost_open_count)::bigint as failed_cost_open_count
from reports.rpt_days
group by workspace_id, date
order by workspace_id, date
