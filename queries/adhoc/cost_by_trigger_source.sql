-- What do runs up to the last complete day cost, by what started them?
-- Of listed runs: the API does not report what started the others.
select
    runs.trigger_type,
    count(*) as listed_run_count,
    count(*) filter (runs.status = 'failed') as listed_failed_count,
    sum(runs.cost_usd) as cost_usd,
    sum(runs.cost_usd) filter (runs.status = 'failed') as failed_cost_usd,
    sum(runs.tokens_in)::bigint as tokens_in,
    sum(runs.tokens_out)::bigint as tokens_out
from marts.fct_runs as runs
join marts.dim_workspaces as workspaces using (workspace_id)
where runs.date <= workspaces.last_complete_date
group by runs.trigger_type
order by sum(runs.cost_usd) desc nulls last
