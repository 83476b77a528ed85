-- All runs of a workspace by date, and the platform's own activity: the sum of fct_agent_days.
-- Grain: workspace, date.
-- key: workspace_id, date
-- narrow: date
-- narrow int_measures: starts_on
select
    measures.workspace_id,
    workspaces.workspace_name,
    measures.starts_on as date,
    measures.* exclude (
        workspace_id, scope, agent_id, owner, cost_center, period, starts_on, month
    ),
    coalesce(dates.is_complete, false) as is_complete
from intermediate.int_measures as measures
left join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.dim_dates as dates
    on dates.workspace_id = measures.workspace_id and dates.date = measures.starts_on
where measures.scope = 'workspace' and measures.period = 'day'
order by measures.workspace_id, measures.starts_on
