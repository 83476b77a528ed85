-- A listed run's cost and tokens are the sum of its model costs.
-- control: run costs
-- measure: cost_usd
-- sources: runs | analytics/runs/{id}/costs
select
    workspace_id,
    agent_id,
    utc_date,
    run_id,
    unnest(['cost_usd', 'tokens_in', 'tokens_out']) as measure,
    unnest([cost_usd, tokens_in, tokens_out]::decimal(38, 10)[]) as ours,
    unnest([model_cost_usd, model_tokens_in, model_tokens_out]::decimal(38, 10)[]) as theirs,
    unnest([tolerance_usd, 0, 0]) as tolerance,
    is_final as is_closed
from intermediate.int_run_comparisons
