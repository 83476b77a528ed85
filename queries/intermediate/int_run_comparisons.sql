-- Ended listed runs beside the sums of their model costs, which are unknown if a part of them is; a
-- run whose model costs were not read since it has these figures is not compared.
-- Grain: run.
-- key: workspace_id, run_id
-- materialized: table
-- narrow: run_id
with

reads as (
    select workspace_id, run_id, max(load_id) as load_id
    from ledger.requests
    where source = 'run_costs' and status = 200
    group by workspace_id, run_id
),

known_since as (
    select
        runs.workspace_id,
        runs.run_id,
        min(versions.load_id) as load_id
    from staging.runs as runs
    join staging.runs as versions using (workspace_id, run_id)
    where
        runs.is_current
        and versions.cost_usd is not distinct from runs.cost_usd
        and versions.tokens_in is not distinct from runs.tokens_in
        and versions.tokens_out is not distinct from runs.tokens_out
    group by runs.workspace_id, runs.run_id
),

model_sums as (
    select
        workspace_id,
        run_id,
        if(bool_or(cost_usd is null), null, sum(cost_usd)) as cost_usd,
        if(bool_or(tokens_in is null), null, sum(tokens_in)) as tokens_in,
        if(bool_or(tokens_out is null), null, sum(tokens_out)) as tokens_out,
        count(*) as row_count
    from staging.run_costs
    where is_current
    group by workspace_id, run_id
),

compared as (
    select
        runs.workspace_id,
        runs.run_id,
        runs.agent_id,
        runs.utc_date,
        provisional.run_id is null as is_final,
        runs.cost_usd,
        runs.tokens_in,
        runs.tokens_out,
        if(model_sums.row_count > 0, model_sums.cost_usd, 0) as model_cost_usd,
        if(model_sums.row_count > 0, model_sums.tokens_in, 0) as model_tokens_in,
        if(model_sums.row_count > 0, model_sums.tokens_out, 0) as model_tokens_out,
        (1 + coalesce(model_sums.row_count, 0)) * 0.00000000005 as tolerance_usd
    from intermediate.int_runs as runs
    join reads using (workspace_id, run_id)
    join known_since using (workspace_id, run_id)
    left join model_sums using (workspace_id, run_id)
    left join ledger.provisional_runs as provisional using (workspace_id, run_id)
    where runs.is_terminal and known_since.load_id <= reads.load_id
)

select
    *,
    abs(cost_usd - model_cost_usd) > tolerance_usd
    or tokens_in <> model_tokens_in
    or tokens_out <> model_tokens_out
        as differs
from compared
