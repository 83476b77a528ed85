-- Every workspace with a figure is in dim_workspaces.
with

figures as (
    select 'fct_runs' as mart, workspace_id
    from marts.fct_runs
    union
    select 'fct_usage_hours', workspace_id
    from marts.fct_usage_hours
    union
    select 'fct_billing_days', workspace_id
    from marts.fct_billing_days
    union
    select 'fct_platform_agent_days', workspace_id
    from marts.fct_platform_agent_days
)

from figures
anti join marts.dim_workspaces using (workspace_id)
