-- Which 50 sessions (conversations) cost most, up to the last complete day?
-- Over all their listed runs; sessions whose last run was created by then.
select
    workspaces.workspace_name,
    sessions.session_id,
    sessions.agent_name,
    sessions.listed_run_count,
    sessions.listed_failed_count,
    sessions.listed_cost_usd,
    sessions.first_run_at,
    sessions.last_run_at
from marts.fct_sessions as sessions
join marts.dim_workspaces as workspaces using (workspace_id)
where
    (sessions.last_run_at at time zone workspaces.reporting_timezone)::date
    <= workspaces.last_complete_date
order by sessions.listed_cost_usd desc nulls last, sessions.session_id
limit 50
