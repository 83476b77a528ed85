-- What does an outcome cost, by agent and month: a merged pull request, a solved ticket?
-- Outcomes are those of finance/outcomes.csv; all cost of the agent's runs of the month is in the
-- numerator, whatever they were for. Months without a day of the file have no row.
select
    workspace_name,
    agent_name,
    month,
    outcome,
    outcome_count,
    cost_usd,
    cost_per_outcome_usd,
    value_usd
from marts.fct_outcomes
order by month desc, cost_per_outcome_usd desc nulls last, workspace_name, agent_name, outcome
