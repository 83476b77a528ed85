-- The result of each workspace's reconciliation: of its controls, and of its UTC days.
-- Grain: workspace.
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

findings as (
    select
        workspace_id,
        sum(finding_count) filter (finding_number = 1)::bigint as finding_count
    from audit.control_findings
    group by workspace_id
),

days as (
    select
        workspace_id,
        count(*) as day_count,
        count(*) filter (status = 'reconciled') as reconciled_day_count,
        count(*) filter (status = 'pending') as pending_day_count,
        count(*) filter (status = 'unreconciled') as unreconciled_day_count,
        count(*) filter (status = 'open') as open_day_count,
        sum(metered_cost_usd) filter (status <> 'open') as metered_cost_usd,
        sum(unexplained_by_agent_usd) filter (status <> 'open') as unexplained_usd,
        sum(metered_cost_usd) filter (status = 'open') as open_metered_cost_usd,
        sum(unexplained_usd) filter (status = 'open') as open_unexplained_usd
    from audit.reconciliation_days
    group by workspace_id
),

stopped as (
    select count(distinct control) filter (is_blocking) as stopped_control_count
    from audit.check_results
)

select
    workspace_id,
    case
        when coalesce(findings.finding_count, 0) > 0 then 'failed'
        when coalesce(unreconciled_day_count, 0) > 0 then 'unreconciled'
        when days.workspace_id is null then 'none'
        when day_count = open_day_count then 'early'
        else 'passed'
    end as state,
    coalesce(control_count, 0) as control_count,
    coalesce(failed_control_count, 0) as failed_control_count,
    coalesce(findings.finding_count, 0) as finding_count,
    coalesce(reconciled_day_count, 0) as reconciled_day_count,
    coalesce(pending_day_count, 0) as pending_day_count,
    coalesce(unreconciled_day_count, 0) as unreconciled_day_count,
    coalesce(open_day_count, 0) as open_day_count,
    metered_cost_usd::decimal(38, 10) as metered_cost_usd,
    unexplained_usd::decimal(38, 10) as unexplained_usd,
    open_metered_cost_usd::decimal(38, 10) as open_metered_cost_usd,
    open_unexplained_usd::decimal(38, 10) as open_unexplained_usd,
    stopped_control_count
from marts.dim_workspaces
left join controls using (workspace_id)
left join findings using (workspace_id)
left join days using (workspace_id)
cross join stopped
order by workspace_id
