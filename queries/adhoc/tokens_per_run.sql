-- How many tokens do runs take by agent, half and 95 in 100 at most, in the last 28 complete days?
-- Of listed runs that ended.
select
    workspaces.workspace_name,
    runs.agent_name,
    count(*) as listed_run_count,
    quantile_disc(runs.tokens_in, 0.5) as tokens_in_p50,
    quantile_disc(runs.tokens_in, 0.95) as tokens_in_p95,
    quantile_disc(runs.tokens_out, 0.5) as tokens_out_p50,
    quantile_disc(runs.tokens_out, 0.95) as tokens_out_p95,
    quantile_disc(runs.cost_usd, 0.5) as cost_usd_p50,
    quantile_disc(runs.cost_usd, 0.95) as cost_usd_p95
from marts.fct_runs as runs
join marts.dim_workspaces as workspaces using (workspace_id)
where
    runs.is_terminal
    and runs.date > workspaces.last_complete_date - 28
    and runs.date <= workspaces.last_complete_date
group by runs.workspace_id, workspaces.workspace_name, runs.agent_id, runs.agent_name
order by tokens_in_p95 desc nulls last
