-- What the page of trust says in words of a workspace: how its controls and days are, and what is
-- not amiss. Grain: workspace.
with

controls as (
    select
        workspace_id,
        count(distinct control) as control_count,
        count(distinct control) filter (is_failed) as failed_control_count
    from (
        select workspace_id, control, false as is_failed
        from audit.controls
        where compared_count > 0
        union all
        select workspace_id, control, true as is_failed
        from audit.control_findings
    )
    group by workspace_id
),

costs as (
    select
        workspace_id,
        sum(metered_cost_usd) filter (status <> 'open') as metered_cost_usd,
        sum(metered_cost_usd) filter (status = 'open') as open_metered_cost_usd,
        sum(unexplained_usd) filter (status = 'open') as open_unexplained_usd
    from audit.reconciliation_days
    group by workspace_id
),

checks as (
    select
        count(*) filter (control is null and is_ok) as passed_check_count,
        count(distinct control) filter (is_blocking) as stopped_control_count
    from audit.check_results
)

select
    health.workspace_id,
    case
        when finding_count > 0 then 'failed'
        when unreconciled_day_count > 0 then 'unreconciled'
        when costs.workspace_id is null then 'none'
        when reconciled_day_count + pending_day_count = 0 then 'early'
        else 'passed'
    end as state,
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
    ) as said,
    upper(said[1]) || said[2:] as good,
    coalesce(control_count, 0) as control_count,
    coalesce(failed_control_count, 0) as failed_control_count,
    costs.* exclude (workspace_id),
    checks.*
from reports.rpt_workspace_health as health
left join (select distinct workspace_id, true as has_differences from reports.differences)
    using (workspace_id)
left join controls using (workspace_id)
left join costs using (workspace_id)
cross join checks
where health.workspace_id <> '(all)'
