-- Did a new version change an agent's cost, speed or failures, up to the last complete day?
-- Of listed runs: of the others no version is known. Outages of providers and tools count in all
-- columns but outside_failed_count and outside_finished_count, which the finding version_worse
-- compares.
select
    workspaces.workspace_name,
    runs.agent_name,
    runs.agent_version,
    min(runs.date) as first_date,
    max(runs.date) as last_date,
    count(*) as listed_run_count,
    count(*) filter (runs.status = 'succeeded') as listed_succeeded_count,
    count(*) filter (runs.status = 'failed') as listed_failed_count,
    count(*) filter (runs.status = 'failed' and outages.hour is null) as outside_failed_count,
    count(*) filter (runs.status in ('succeeded', 'failed') and outages.hour is null)
        as outside_finished_count,
    marts.failure_rate(listed_failed_count, listed_succeeded_count) as failure_rate,
    marts.wilson_low(listed_failed_count, listed_succeeded_count) as failure_rate_low,
    marts.wilson_high(listed_failed_count, listed_succeeded_count) as failure_rate_high,
    round(avg(runs.cost_usd), 4)::decimal(18, 4) as usd_per_run,
    round(quantile_cont(runs.duration_seconds, 0.5), 1) as median_seconds,
    round(avg(runs.tokens_in + runs.tokens_out))::bigint as tokens_per_run
from marts.fct_runs as runs
join marts.dim_workspaces as workspaces using (workspace_id)
left join marts.fct_outage_hours as outages
    on outages.workspace_id = runs.workspace_id
    and outages.hour = time_bucket(interval 1 hour, runs.created_at)
where
    runs.is_terminal
    and runs.agent_id <> '(none)'
    and runs.date <= workspaces.last_complete_date
group by
    runs.workspace_id,
    workspaces.workspace_name,
    runs.agent_id,
    runs.agent_name,
    runs.agent_version
order by workspaces.workspace_name, runs.agent_name, runs.agent_version
