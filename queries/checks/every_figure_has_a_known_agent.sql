-- Every run, usage, bill and adjustment names a line of dim_agents.
with

figures as (
    select 'fct_runs' as mart, workspace_id, agent_id
    from marts.fct_runs
    union
    select 'fct_usage_hours', workspace_id, agent_id
    from marts.fct_usage_hours
    union
    select 'fct_agent_billing_days', workspace_id, agent_id
    from marts.fct_agent_billing_days
    union
    select 'fct_agent_days', workspace_id, agent_id
    from marts.fct_agent_days
    union
    select 'fct_adjustments', workspace_id, agent_id
    from marts.fct_adjustments
)

from figures
anti join marts.dim_agents using (workspace_id, agent_id)
