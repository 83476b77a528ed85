-- What the page of trust says in words of a workspace: how its days are, and what is not amiss.
-- Grain: workspace.
with

found as (
    select workspace_id, true as has_differences
    from reports.differences
    group by workspace_id
),

checks as (
    select count(*) as passed_check_count
    from audit.check_results
    where control is null and is_ok
),

words as (
    select
        health.workspace_id,
        concat_ws(
            ', ',
            nullif(reconciled_day_count, 0) || ' reconciled',
            nullif(pending_day_count, 0) || ' pending',
            nullif(unreconciled_day_count, 0) || ' unreconciled',
            nullif(open_day_count, 0) || ' open'
        ) as days,
        concat_ws(
            ', ',
            if(has_differences, null, 'no day differs'),
            if(unlisted_run_count = 0, 'no run is unlisted', null),
            if(quarantined_count = 0, 'every record was understood', null)
        ) as good
    from reports.rpt_workspace_health as health
    left join found using (workspace_id)
)

select
    workspace_id,
    days,
    upper(good[1]) || good[2:] as good,
    passed_check_count
from words
cross join checks
