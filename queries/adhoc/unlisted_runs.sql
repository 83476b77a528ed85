-- Which agents had unlisted runs in the last 28 complete days, and how often to read lists?
-- Detail coverage is the share of runs that a run list showed.
select
    workspaces.workspace_name,
    days.agent_name,
    sum(days.run_count)::bigint as run_count,
    sum(days.unlisted_run_count)::bigint as unlisted_run_count,
    marts.detail_coverage(sum(days.listed_run_count), sum(days.run_count)) as detail_coverage,
    sum(days.unlisted_cost_usd) as unlisted_cost_usd,
    if(
        bool_or(days.unlisted_run_count > 0 and days.unlisted_failed_count is null),
        null,
        sum(days.unlisted_failed_count)
    )::bigint as unlisted_failed_count,
    any_value(coverage.busiest_day_run_count) as busiest_day_run_count,
    any_value(coverage.required_batches_per_day) as required_batches_per_day
from marts.fct_agent_days as days
join marts.dim_workspaces as workspaces using (workspace_id)
left join audit.list_coverage as coverage using (workspace_id, agent_id)
where
    days.date > workspaces.last_complete_date - 28
    and days.date <= workspaces.last_complete_date
group by days.workspace_id, workspaces.workspace_name, days.agent_id, days.agent_name
having sum(days.unlisted_run_count) > 0
order by sum(days.unlisted_run_count) desc, days.agent_name
