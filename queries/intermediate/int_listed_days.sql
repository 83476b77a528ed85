-- Listed runs of an agent by the UTC day of their creation. Grain: UTC day and agent.
-- key: workspace_id, agent_id, utc_date
-- materialized: table
-- narrow: utc_date
select
    runs.workspace_id,
    runs.agent_id,
    runs.utc_date,
    count(*) as listed_run_count,
    count(*) filter (runs.status = 'succeeded') as listed_succeeded_count,
    count(*) filter (runs.status = 'failed') as listed_failed_count,
    count(*) filter (runs.status = 'cancelled') as listed_cancelled_count,
    count(provisional.run_id) as provisional_count,
    count(*) filter (not runs.is_terminal) as listed_open_count,
    max(runs.finished_at) as last_finished_at,
    count(*) filter (runs.cost_usd is null) as unknown_cost_count,
    count(*) filter (runs.tokens_in is null or runs.tokens_out is null) as unknown_token_count,
    sum(runs.cost_usd) filter (runs.is_terminal) as run_cost_usd,
    sum(runs.cost_usd) filter (not runs.is_terminal) as open_cost_usd,
    coalesce(sum(runs.tokens_in), 0)::bigint as listed_tokens_in,
    coalesce(sum(runs.tokens_out), 0)::bigint as listed_tokens_out,
    coalesce(sum(runs.duration_ms), 0)::bigint as listed_duration_ms
from intermediate.int_runs as runs
left join ledger.provisional_runs as provisional using (workspace_id, run_id)
group by runs.workspace_id, runs.agent_id, runs.utc_date
