-- A month as finance books it: all runs of an agent, listed and unlisted, the bill taken apart, and
-- what changed after it was first published; with a line for runs without an agent and one for the
-- platform, so that the lines of a workspace add up to fct_workspace_months. Runs and adjustments
-- are those of dates in the reporting time zone; unlisted runs, bill and the platform are known by
-- UTC day only, and stand under the same calendar month. Usage that names no agent is metered and
-- billed on the platform's line. Surcharge and own-key cost are unknown where the API refuses the
-- workspace's provider keys. Grain: workspace, line and month.
-- key: workspace_id, agent_id, month
-- column month: First day of the calendar month.
-- column status: Of the month: open (may change), incomplete (begins unread), final or closed.
-- column is_complete: True once every date of the month is complete.
select
    workspace_id,
    workspaces.workspace_name,
    agent_id,
    agents.agent_slug,
    agents.agent_name,
    agents.line_type,
    month,
    coalesce(months.status, 'incomplete') as status,
    sums.* exclude (workspace_id, agent_id, month),
    coalesce(months.is_complete, false) as is_complete
from roll_up(intermediate.int_agent_owner_months, workspace_id, agent_id, month) as sums
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_months as months using (workspace_id, month)
left join marts.dim_agents as agents using (workspace_id, agent_id)
order by workspace_id, month, agent_id
