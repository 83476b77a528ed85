-- All runs of a workspace by date, and the platform's own activity: the sum of fct_agent_days.
-- Grain: workspace, date.
-- key: workspace_id, date
-- narrow: date
select
    workspace_id,
    workspaces.workspace_name,
    date,
    sums.* exclude (workspace_id, date, is_complete),
    is_complete
from roll_up(marts.fct_agent_days, workspace_id, date, is_complete) as sums
left join marts.dim_workspaces as workspaces using (workspace_id)
order by workspace_id, date
