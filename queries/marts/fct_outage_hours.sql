-- Hours in which a provider or a tool failed, as findings tell (outages).
-- Grain: workspace and hour.
-- key: workspace_id, hour
-- column hour: Start of the hour (UTC).
select distinct
    workspace_id,
    unnest(
        generate_series(since, coalesce(until - interval 1 hour, last_batch_at), interval 1 hour)
    ) as hour
from marts.fct_findings
join marts.dim_workspaces using (workspace_id)
where kind = 'failure_burst' and detail in ('provider', 'tool')
order by workspace_id, hour
