-- A listed run's cost and tokens are the sum of its model costs.
-- control: run costs
-- sources: runs | analytics/runs/{id}/costs
select
    found.workspace_id,
    found.agent_id,
    found.utc_date,
    found.run_id,
    found.measure,
    found.run_value as ours,
    found.model_value as theirs,
    if(found.measure = 'cost_usd', found.run_value - found.model_value, null) as difference_usd,
    found.run_value - found.model_value as difference,
    runs.is_final as is_closed
from intermediate.int_run_differences as found
join marts.fct_runs as runs using (workspace_id, run_id)
order by found.workspace_id, found.utc_date, found.run_id, found.measure
