-- What does an outcome cost, by agent and month, up to the month of the last complete day?
-- A merged pull request, a solved ticket. Outcomes are those of finance/outcomes.csv; all cost of
-- the agent's runs of the month is in the numerator, whatever they were for. Months without a day
-- of the file have no row. Whole months come first.
select
    workspaces.workspace_name,
    agent_name,
    month,
    outcome,
    outcome_count,
    cost_usd,
    cost_per_outcome_usd,
    value_usd
from marts.fct_outcomes
join marts.dim_workspaces as workspaces using (workspace_id)
where month <= workspaces.last_complete_date
order by
    last_day(month) > workspaces.last_complete_date,
    month desc,
    cost_per_outcome_usd desc nulls last,
    workspaces.workspace_name,
    agent_name,
    outcome
