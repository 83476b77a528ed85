-- The sums over all workspaces of a fleet. A workspace whose figure is unknown is in no sum, and
-- counted beside it: `…_missing_count`.
-- Grain: one row.
select
    count(*) as workspace_count,
    count(*) filter (state <> 'current') as concern_count,
    count(*) filter (state = 'failed') as failed_workspace_count,
    count(*) filter (state = 'never published') as unpublished_workspace_count,
    count(*) filter (state = 'behind') as behind_workspace_count,
    min(last_batch_at) as oldest_batch_at,
    max(last_batch_at) as newest_batch_at,
    any_value(yesterday) as yesterday,
    any_value(month) as month,
    sum(yesterday_cost_usd) as yesterday_cost_usd,
    sum(yesterday_run_count)::bigint as yesterday_run_count,
    count(*) - count(yesterday_cost_usd) as yesterday_missing_count,
    sum(month_cost_usd) as month_cost_usd,
    sum(month_run_count)::bigint as month_run_count,
    count(*) - count(month_cost_usd) as month_missing_count,
    sum(recent_cost_usd) as recent_cost_usd,
    sum(recent_run_count)::bigint as recent_run_count,
    count(*) - count(recent_cost_usd) as recent_missing_count,
    sum(recent_unknown_cost_count)::bigint as recent_unknown_cost_count,
    sum(recent_cost_usd) filter (change_usd is not null) as compared_cost_usd,
    sum(previous_cost_usd) filter (change_usd is not null) as previous_cost_usd,
    count(*) - count(change_usd) as compared_missing_count,
    sum(recent_failed_count) filter (recent_finished_count is not null)::bigint
        as recent_failed_count,
    sum(recent_finished_count)::bigint as recent_finished_count,
    count(*) - count(recent_finished_count) as outcomes_missing_count,
    sum(recent_unlisted_run_count)::bigint as recent_unlisted_run_count,
    sum(recent_run_count) filter (recent_unlisted_run_count is not null)::bigint
        as recent_counted_run_count,
    count(*) - count(recent_unlisted_run_count) as unlisted_missing_count,
    sum(recent_failed_cost_usd) as recent_failed_cost_usd,
    sum(recent_failed_cost_more_usd) as recent_failed_cost_more_usd,
    sum(recent_failed_cost_open_count)::bigint as recent_failed_cost_open_count,
    count(*) - count(recent_failed_cost_usd) as failed_cost_missing_count
from fleet_workspaces
