-- All runs by the owner and the cost center of their agent on the date, by finance/owners.csv; what
-- no rule matches is the line '(none)': agents without an owner, runs without an agent and the
-- platform. The lines of a workspace add up to fct_workspace_days.
-- Grain: workspace, owner, cost center and date.
-- key: workspace_id, owner, cost_center, date
-- narrow: date
-- narrow int_measures: starts_on
-- conserves: marts.fct_workspace_days by date
-- sums: fct_agent_days by owner; cost_center; date
select
    measures.workspace_id,
    measures.owner,
    measures.cost_center,
    measures.starts_on as date,
    measures.* exclude (
        workspace_id, scope, agent_id, owner, cost_center, period, starts_on, month
    ),
    coalesce(dates.is_complete, false) as is_complete
from intermediate.int_measures as measures
left join intermediate.int_dates as dates
    on dates.workspace_id = measures.workspace_id and dates.date = measures.starts_on
where measures.scope = 'owner' and measures.period = 'day'
order by measures.workspace_id, measures.starts_on, measures.owner, measures.cost_center
