-- How fresh and how complete the data of each workspace are, over all days.
-- Grain: workspace; '(all)' is all of them.
with

runs as (
    select
        workspace_id,
        max(created_at) as newest_run_at,
        count(*) filter (not is_final and not is_terminal) as open_count,
        count(*) filter (not is_final and is_terminal) as provisional_count
    from marts.fct_runs
    group by workspace_id
),

quarantined as (
    select workspace_id, count(*) as quarantined_count
    from audit.quarantined_records
    group by workspace_id
),

findings as (
    select workspace_id, sum(finding_count) filter (finding_number = 1) as finding_count
    from audit.control_findings
    group by workspace_id
),

days as (
    select
        workspace_id,
        count(*) filter (status = 'reconciled') as reconciled_day_count,
        count(*) filter (status = 'pending') as pending_day_count,
        count(*) filter (status = 'open') as open_day_count,
        count(*) filter (status = 'unreconciled') as unreconciled_day_count,
        sum(unexplained_by_agent_usd) filter (status <> 'open') as unexplained_usd,
        sum(unexplained_by_agent_usd) filter (status = 'unreconciled') as unreconciled_usd
    from audit.reconciliation_days
    group by workspace_id
),

health as (
    select
        if(grouping(workspace_id) = 1, '(all)', workspace_id) as workspace_id,
        if(grouping(workspace_id) = 1, 'All workspaces', any_value(workspace_name))
            as workspace_name,
        max(last_batch_at) as last_batch_at,
        max(last_complete_date) as last_complete_date,
        max(newest_run_at) as newest_run_at,
        coalesce(sum(columns('_count$')), 0)::bigint as '\0',
        sum(unexplained_usd)::decimal(38, 10) as unexplained_usd,
        coalesce(sum(unreconciled_usd), 0)::decimal(38, 10) as unreconciled_usd
    from marts.dim_workspaces
    left join runs using (workspace_id)
    left join quarantined using (workspace_id)
    left join findings using (workspace_id)
    left join days using (workspace_id)
    group by grouping sets ((workspace_id), ())
),

fastest as (
    select distinct on (workspace_id)
        workspace_id, agent_name as fastest_agent_name, shortest_span_seconds,
        required_batches_per_day, collection_interval_seconds
    from audit.list_coverage
    join marts.dim_agents using (workspace_id, agent_id)
    order by workspace_id, shortest_span_seconds, agent_id
)

select
    health.*,
    coverage.run_count,
    coverage.listed_run_count,
    coverage.counted_run_count,
    coverage.unlisted_run_count,
    coverage.unlisted_cost_usd,
    fastest.* exclude (workspace_id)
from health
join reports.rpt_coverage as coverage using (workspace_id)
left join fastest using (workspace_id)
where coverage.agent_id = '(all)'
