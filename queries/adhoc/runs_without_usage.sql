-- Which agents have runs that succeeded with no usage reported, up to the last complete day?
-- Their cost is unknown. Of listed runs, by month.
select
    workspaces.workspace_name,
    runs.agent_name,
    date_trunc('month', runs.date)::date as month,
    count(*) filter (runs.has_no_usage) as no_usage_count,
    count(*) as listed_succeeded_count,
    round(100.0 * no_usage_count / listed_succeeded_count, 1) as no_usage_percent
from marts.fct_runs as runs
join marts.dim_workspaces as workspaces using (workspace_id)
where runs.status = 'succeeded' and runs.date <= workspaces.last_complete_date
group by runs.workspace_id, workspaces.workspace_name, month, runs.agent_id, runs.agent_name
having no_usage_count > 0
order by month desc, no_usage_count desc
