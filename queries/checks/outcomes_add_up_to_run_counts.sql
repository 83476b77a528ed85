-- Succeeded, failed, cancelled and open runs together are all runs of a workspace's day.
select
    workspace_id,
    date,
    run_count,
    succeeded_count + failed_count + cancelled_count + open_count as outcome_count
from marts.fct_workspace_days
where outcome_count <> run_count
