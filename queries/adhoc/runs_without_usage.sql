-- Which agents have runs that succeeded without any metered usage, so that their cost is not here?
select
    workspaces.workspace_name,
    months.agent_name,
    months.month,
    months.no_usage_count,
    months.succeeded_count,
    round(100.0 * months.no_usage_count / months.succeeded_count, 1) as no_usage_percent
from marts.fct_agent_months as months
join marts.dim_workspaces as workspaces using (workspace_id)
where months.no_usage_count > 0
order by months.month desc, months.no_usage_count desc
